// A stroke of the brush or the eraser.

import { add, flatIndex, scaled, stepAlong, sub, toMm } from "./geometry.js";

export class Stroke {
  /** @param into normal of the picture for a disc one slice thick, or null for a ball. */
  constructor(region, { inside, radius, into }) {
    Object.assign(this, { region, inside, radius, into, changed: [] });
    this.halfStep = into ? stepAlong(region.grid, into) / 2 : Infinity;
    this.previous = null;
  }

  /** Paint from the last point to this one. */
  to(point) {
    const from = this.previous ?? point;
    const way = sub(point, from);
    const steps = Math.max(1, Math.ceil(Math.hypot(...way) / (this.radius / 2)));
    for (let n = this.previous ? 1 : 0; n <= steps; n += 1) this.#dab(add(from, scaled(way, n / steps)));
    this.previous = point;
  }

  #dab(centre) {
    const { grid, mask } = this.region;
    const middle = toMm(grid.inverse, centre);
    // the rows of the inverse say how many voxels the ball spans along each axis, also in an askew grid
    const reach = [0, 1, 2].map((a) => this.radius * Math.hypot(...grid.inverse[a].slice(0, 3)) + 1);
    const [first, last] = [
      middle.map((m, a) => Math.max(0, Math.floor(m - reach[a]))),
      middle.map((m, a) => Math.min(grid.shape[a] - 1, Math.ceil(m + reach[a]))),
    ];
    const c = [0, 1, 2].map((row) => grid.affine[row][2]);
    for (let i = first[0]; i <= last[0]; i += 1) {
      for (let j = first[1]; j <= last[1]; j += 1) {
        const start = sub(toMm(grid.affine, [i, j, 0]), centre);
        for (let k = first[2]; k <= last[2]; k += 1) {
          const touched = this.#touches(start[0] + k * c[0], start[1] + k * c[1], start[2] + k * c[2]);
          if (touched && mask.put(i, j, k, this.inside)) this.changed.push(flatIndex(grid.shape, i, j, k));
        }
      }
    }
  }

  #touches(x, y, z) {
    const squared = x * x + y * y + z * z;
    if (!this.into) return squared <= this.radius ** 2;
    const depth = x * this.into[0] + y * this.into[1] + z * this.into[2];
    // half open, so that a plane midway between two layers paints one of them
    return depth >= -this.halfStep && depth < this.halfStep && squared - depth ** 2 <= this.radius ** 2;
  }

  /** What the stroke has changed, as arrays of flat indices. */
  get change() {
    return this.inside ? { set: this.changed, clear: [] } : { set: [], clear: this.changed };
  }
}
