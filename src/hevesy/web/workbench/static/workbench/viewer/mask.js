// Which voxels of a grid belong to a region. Only the box that holds them is kept, as in hevesy.core.Region, because ten regions on a
// CT's grid would not fit a browser.

import { flatIndex } from "./geometry.js";

const MARGIN = 16;

export class Mask {
  /** @param shape of the grid; @param offset, size of the box; @param data one byte a voxel of the box, last axis fastest. */
  constructor(shape, offset = [0, 0, 0], size = [0, 0, 0], data = new Uint8Array(size[0] * size[1] * size[2])) {
    if (data.length !== size[0] * size[1] * size[2]) throw new RangeError(`A mask of ${size.join(" × ")} voxels came as ${data.length} bytes.`);
    if (offset.some((o, axis) => o < 0 || o + size[axis] > shape[axis])) throw new RangeError("A mask reaches outside its grid.");
    Object.assign(this, { shape, offset, size, data, changes: 0 });
  }

  #place(i, j, k) {
    const { offset, size } = this;
    const a = i - offset[0];
    const b = j - offset[1];
    const c = k - offset[2];
    return a < 0 || b < 0 || c < 0 || a >= size[0] || b >= size[1] || c >= size[2] ? -1 : (a * size[1] + b) * size[2] + c;
  }

  has(i, j, k) {
    const place = this.#place(i, j, k);
    return place >= 0 && this.data[place] !== 0;
  }

  /** Put a voxel in or out; says whether that changed it. */
  put(i, j, k, inside) {
    if (this.has(i, j, k) === inside) return false;
    if (this.#place(i, j, k) < 0) this.#growTo([i, j, k]);
    this.data[this.#place(i, j, k)] = inside ? 1 : 0;
    this.changes += 1;
    return true;
  }

  #growTo(index) {
    const empty = this.data.length === 0;
    const first = index.map((i, a) => Math.max(0, Math.min(empty ? i : this.offset[a], i - MARGIN)));
    const last = index.map((i, a) => Math.min(this.shape[a], Math.max(empty ? i : this.offset[a] + this.size[a], i + 1 + MARGIN)));
    const grown = new Mask(this.shape, first, last.map((e, a) => e - first[a]));
    const row = this.size[2];
    for (let start = 0; start < this.data.length; start += row) {
      const j = (start / row) % this.size[1];
      const i = Math.floor(start / (row * this.size[1]));
      grown.data.set(this.data.subarray(start, start + row), grown.#place(i + this.offset[0], j + this.offset[1], this.offset[2]));
    }
    Object.assign(this, { offset: grown.offset, size: grown.size, data: grown.data });
  }

  /** Call back with (i, j, k) of every voxel inside. */
  each(callback) {
    const [m, n, o] = this.size;
    for (let a = 0, place = 0; a < m; a += 1) {
      for (let b = 0; b < n; b += 1) {
        for (let c = 0; c < o; c += 1, place += 1) {
          if (this.data[place]) callback(a + this.offset[0], b + this.offset[1], c + this.offset[2]);
        }
      }
    }
  }

  /** The flat indices, on the whole grid, of the voxels inside, rising. */
  flat() {
    const found = [];
    this.each((i, j, k) => found.push(flatIndex(this.shape, i, j, k)));
    return found;
  }

  /** Put runs of flat indices in or out. */
  putRuns(runs, inside) {
    const [, n1, n2] = this.shape;
    for (const [start, length] of runs) {
      for (let flat = start; flat < start + length; flat += 1) {
        this.put(Math.floor(flat / (n1 * n2)), Math.floor(flat / n2) % n1, flat % n2, inside);
      }
    }
  }
}

/** Flat indices as runs [first, length], rising. */
export function runsOf(flat) {
  const runs = [];
  let end = -1;
  for (const index of Float64Array.from(flat).sort()) {
    if (index === end) runs[runs.length - 1][1] += 1;
    else runs.push([index, 1]);
    end = index + 1;
  }
  return runs;
}

/** What takes one mask to another: {set, clear}, as runs. */
export function difference(before, after) {
  const had = new Set(before.flat());
  const has = after.flat();
  const kept = new Set(has);
  return { set: runsOf(has.filter((i) => !had.has(i))), clear: runsOf([...had].filter((i) => !kept.has(i))) };
}
