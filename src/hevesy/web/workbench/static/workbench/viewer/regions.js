// Regions: their masks, versions and what is measured in them.

import { between, gridOf, toMm, voxelAt } from "./geometry.js";
import { Mask } from "./mask.js";

export const ROLES = ["lesion", "organ", "body", "background"];

export class Region {
  /** @param entry one of the manifest's regions; @param data one byte for each voxel of its box. */
  constructor(entry, data) {
    Object.assign(this, { id: entry.id, name: entry.name, role: entry.role, colour: entry.colour });
    this.timePoint = entry.timePoint ?? null;
    this.version = entry.version ?? 0;
    this.visible = true;
    this.grid = gridOf(entry.grid);
    this.mask = maskOf(this.grid, entry, data);
  }

  contains(point) {
    const index = voxelAt(this.grid, point);
    return index !== null && this.mask.has(...index);
  }

  shownAt(timePoint) {
    return this.timePoint === null || this.timePoint === timePoint;
  }

  /** The voxel of the region nearest to its centre of gravity, mm: inside even where the region is bent. */
  centre() {
    let [a, b, c, count] = [0, 0, 0, 0];
    this.mask.each((i, j, k) => {
      a += i;
      b += j;
      c += k;
      count += 1;
    });
    if (!count) return null;
    const [u, v, w] = this.grid.spacing;
    let best = null;
    let least = Infinity;
    this.mask.each((i, j, k) => {
      const away = ((i - a / count) * u) ** 2 + ((j - b / count) * v) ** 2 + ((k - c / count) * w) ** 2;
      if (away >= least) return;
      least = away;
      best = [i, j, k];
    });
    return toMm(this.grid.affine, best);
  }

  get volume_mL() {
    let count = 0;
    for (const inside of this.mask.data) count += inside;
    return count * this.grid.voxelVolume_mL;
  }

  /** Mean and maximum of an image over the region's voxel centres (nearest voxel), or null where they do not meet. */
  measure(volume) {
    let count = 0;
    let sum = 0;
    let maximum = -Infinity;
    const place = between(this.grid, volume.grid);
    this.mask.each((i, j, k) => {
      const flat = place(i, j, k);
      if (flat < 0) return;
      const value = volume.valueOf(flat);
      count += 1;
      sum += value;
      if (value > maximum) maximum = value;
    });
    return count ? { mean: sum / count, maximum } : null;
  }
}

/** The mask of a manifest's region: of its box, or of its whole grid where it names none. */
export function maskOf(grid, { box }, data) {
  const whole = data ? grid.shape : [0, 0, 0];
  return new Mask(grid.shape, box?.offset ?? [0, 0, 0], box?.shape ?? whole, data ? Uint8Array.from(data, (x) => (x ? 1 : 0)) : undefined);
}
