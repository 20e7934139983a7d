// One image: its numbers as the server sent them, and what they mean.

import { boundsOf, coarser, flatIndex, gridOf, voxelAt } from "./geometry.js";
import { BLOCK } from "./shaders.js";
import { atOnce, unhurried } from "./steps.js";

const ARRAYS = { int16: Int16Array, float32: Float32Array };
// what is above these is worth looking at: skin and fat, but no air; a twentieth of the maximum
const BODY_HU = -400;
const HOT = 0.05;
const STEP_VOXELS = 1 << 21;
export const LAYER_OF = { ct: "anatomy", mu: "anatomy", spect: "activity", pet: "activity", dose: "dose" };

export class Volume {
  /** @param entry one of the manifest's volumes; @param buffer its bytes, little-endian, last axis fastest. */
  constructor(entry, buffer) {
    const ArrayType = ARRAYS[entry.dtype];
    if (!ArrayType) throw new TypeError(`Volume ${entry.id} holds ${entry.dtype}; int16 or float32 was expected.`);
    if (!LAYER_OF[entry.kind]) throw new TypeError(`Volume ${entry.id} is of the unknown kind ${entry.kind}.`);
    const voxels = entry.shape[0] * entry.shape[1] * entry.shape[2];
    if (buffer.byteLength !== voxels * ArrayType.BYTES_PER_ELEMENT) {
      throw new RangeError(`Volume ${entry.id} has ${buffer.byteLength} bytes; its shape needs ${voxels * ArrayType.BYTES_PER_ELEMENT}.`);
    }
    Object.assign(this, { id: entry.id, name: entry.name, kind: entry.kind, unit: entry.unit });
    this.timePoint = entry.timePoint ?? null;
    this.suvFactor = entry.suvFactor ?? null;
    this.slope = entry.slope ?? 1;
    this.intercept = entry.intercept ?? 0;
    if (!(this.slope > 0)) throw new RangeError(`Volume ${entry.id} has a slope of ${this.slope}; a positive one was expected.`);
    this.layer = LAYER_OF[entry.kind];
    this.grid = gridOf(entry);
    this.data = new ArrayType(buffer);
    // of a preview: the grid of the whole image, and what is known of its numbers
    this.preview = entry.preview ?? null;
    this.whole = this.preview ? gridOf(this.preview.of) : this.grid;
  }

  /** What this shows, so that a picture is drawn anew once the whole image takes a preview's place. */
  get mark() {
    return this.preview ? `preview of ${this.id}` : this.id;
  }

  /** The value of the voxel that holds a point, in `unit`; null outside. */
  valueAt(point) {
    const index = voxelAt(this.grid, point);
    return index && this.valueOf(flatIndex(this.grid.shape, ...index));
  }

  /** The value of a voxel by its place in the flat array. */
  valueOf(flat) {
    return this.data[flat] * this.slope + this.intercept;
  }

  /** The largest stored number of each block of voxels and their neighbours, by which rays leap over what cannot be a maximum. */
  get blocks() {
    this.found ??= atOnce(blocksOf(this.data, this.grid.shape));
    return this.found;
  }

  /** Find the blocks before they are needed. */
  async findBlocks() {
    this.found = await unhurried(blocksOf(this.data, this.grid.shape));
  }

  /** The bounds, mm, of what is worth looking at: the body in a CT, what is hot in the others. Everything where that is nothing. */
  get content() {
    const threshold = this.kind === "ct" ? BODY_HU : this.range[1] * HOT;
    // of a CT one voxel in each block is enough to find the body by
    const { shape, largest } = this.kind === "ct" ? sampleOf(this.data, this.grid.shape) : this.blocks;
    const limit = (threshold - this.intercept) / this.slope;
    const first = [...this.grid.shape];
    const end = [0, 0, 0];
    for (let i = 0, place = 0; i < shape[0]; i += 1) {
      for (let j = 0; j < shape[1]; j += 1) {
        for (let k = 0; k < shape[2]; k += 1, place += 1) {
          if (largest[place] <= limit) continue;
          [i, j, k].forEach((block, axis) => {
            first[axis] = Math.min(first[axis], block * BLOCK);
            end[axis] = Math.max(end[axis], Math.min(this.grid.shape[axis], (block + 1) * BLOCK));
          });
        }
      }
    }
    return end[0] ? boundsOf(this.grid, first, end) : boundsOf(this.grid);
  }

  /** The smallest and largest value; of a preview the largest is that of the whole image. */
  get range() {
    const { smallest, greatest } = this.blocks;
    return [smallest, this.preview?.greatest ?? greatest].map((stored) => stored * this.slope + this.intercept);
  }

  /** The point of the largest value along a ray, mm, or null where the ray misses. */
  brightestAlong(start, direction, length) {
    const step = Math.min(...this.grid.spacing) / 2;
    let best = null;
    let most = -Infinity;
    for (let t = 0; t <= length; t += step) {
      const point = start.map((x, axis) => x + direction[axis] * t);
      const value = this.valueAt(point);
      if (value !== null && value > most) [most, best] = [value, point];
    }
    return best;
  }
}

/** One voxel from the middle of each block. */
function sampleOf(data, [n0, n1, n2]) {
  const shape = [n0, n1, n2].map((n) => Math.ceil(n / BLOCK));
  const largest = new data.constructor(shape[0] * shape[1] * shape[2]);
  const middle = (block, n) => Math.min(n - 1, block * BLOCK + BLOCK / 2);
  for (let i = 0, to = 0; i < shape[0]; i += 1) {
    for (let j = 0; j < shape[1]; j += 1) {
      const row = (middle(i, n0) * n1 + middle(j, n1)) * n2;
      for (let k = 0; k < shape[2]; k += 1, to += 1) largest[to] = data[row + middle(k, n2)];
    }
  }
  return { shape, largest };
}

function* blocksOf(data, [n0, n1, n2]) {
  const shape = [n0, n1, n2].map((n) => Math.ceil(n / BLOCK));
  const rows = new data.constructor(n0 * n1 * shape[2]);
  let smallest = data[0];
  const step = Math.ceil(STEP_VOXELS / n2);
  for (let row = 0; row < n0 * n1; row += 1) {
    smallest = Math.min(smallest, largestInRow(data, row * n2, n2, rows, row * shape[2]));
    if (row % step === step - 1) yield;
  }
  const planes = largestAlong(rows, n0, n1, shape[2]);
  const largest = largestAlong(planes, 1, n0, shape[1] * shape[2]);
  return { shape, largest, smallest, greatest: largest.reduce((a, b) => (b > a ? b : a)) };
}

// Enters the largest number of each block of a row, with one neighbour at either side, and returns the row's smallest. A function that
// is called for each row is compiled after the first few: one loop over all of them would run through half a volume before.
function largestInRow(data, start, length, rows, to) {
  let smallest = data[start];
  for (let first = 0, place = to; first < length; first += BLOCK, place += 1) {
    const end = start + Math.min(length, first + BLOCK);
    let most = data[start + Math.max(0, first - 1)];
    for (let at = start + first; at < end; at += 1) {
      const x = data[at];
      if (x > most) most = x;
      if (x < smallest) smallest = x;
    }
    if (first + BLOCK < length && data[end] > most) most = data[end];
    rows[place] = most;
  }
  return smallest;
}

// (outer, length, inner) → (outer, blocks of length, inner), each block with one neighbour at either side
function largestAlong(data, outer, length, inner) {
  const count = Math.ceil(length / BLOCK);
  const found = new data.constructor(outer * count * inner);
  for (let o = 0; o < outer; o += 1) {
    for (let block = 0; block < count; block += 1) {
      const to = (o * count + block) * inner;
      const first = Math.max(0, block * BLOCK - 1);
      const end = Math.min(length, (block + 1) * BLOCK + 1);
      for (let i = 0; i < inner; i += 1) {
        let most = data[(o * length + first) * inner + i];
        for (let n = first + 1; n < end; n += 1) {
          const x = data[(o * length + n) * inner + i];
          if (x > most) most = x;
        }
        found[to + i] = most;
      }
    }
  }
  return found;
}

/** The manifest's entry of an image's preview; of the image itself where it has none. */
export function previewOf(entry) {
  if (!entry.preview) return entry;
  const { factor, url, ...known } = entry.preview;
  return { ...entry, ...coarser(entry, factor), url, preview: { ...known, of: entry } };
}

/** Bytes by `fetch`: the browser undoes the server's Content-Encoding. */
export async function fetchBytes({ url }) {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status} ${answer.statusText}`);
  return answer.arrayBuffer();
}
