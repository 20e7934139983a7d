// Where things are. Points are patient coordinates (LPS: left, posterior, head positive), mm; an affine is four rows that take an
// array index to them, as in hevesy.core.Grid.

export const add = (a, b) => a.map((x, i) => x + b[i]);
export const sub = (a, b) => a.map((x, i) => x - b[i]);
export const scaled = (a, s) => a.map((x) => x * s);
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const norm = (a) => Math.hypot(...a);
export const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** An array index (fractions allowed) to a point, mm. */
export function toMm(affine, index) {
  return [0, 1, 2].map((r) => affine[r][0] * index[0] + affine[r][1] * index[1] + affine[r][2] * index[2] + affine[r][3]);
}

/** The affine that takes a point back to an array index. Refuses a singular one. */
export function inverted(affine) {
  const columns = [0, 1, 2].map((c) => [affine[0][c], affine[1][c], affine[2][c]]);
  const rows = [cross(columns[1], columns[2]), cross(columns[2], columns[0]), cross(columns[0], columns[1])];
  const determinant = dot(columns[0], rows[0]);
  if (!Number.isFinite(determinant) || Math.abs(determinant) < 1e-12) throw new RangeError("A grid's affine is singular.");
  const origin = [affine[0][3], affine[1][3], affine[2][3]];
  return [...rows.map((row) => [...scaled(row, 1 / determinant), -dot(row, origin) / determinant]), [0, 0, 0, 1]];
}

/** A grid with what is asked of it again and again. */
export function gridOf({ shape, affine }) {
  const spacing = [0, 1, 2].map((c) => norm([affine[0][c], affine[1][c], affine[2][c]]));
  const edges = [0, 1, 2].map((c) => [affine[0][c], affine[1][c], affine[2][c]]);
  return {
    shape,
    affine,
    inverse: inverted(affine),
    spacing,
    voxelVolume_mL: Math.abs(dot(edges[0], cross(edges[1], edges[2]))) / 1000,
  };
}

/** The grid of cubes of voxels, `factor` on a side; the last ones may reach beyond the grid. */
export function coarser({ shape, affine }, factor) {
  const middle = toMm(affine, [(factor - 1) / 2, (factor - 1) / 2, (factor - 1) / 2]);
  const rows = [0, 1, 2].map((r) => [...affine[r].slice(0, 3).map((step) => step * factor), middle[r]]);
  return { shape: shape.map((n) => Math.ceil(n / factor)), affine: [...rows, [0, 0, 0, 1]] };
}

/** The array index of the voxel that holds a point, or null outside the grid. */
export function voxelAt(grid, point) {
  const index = toMm(grid.inverse, point).map(Math.round);
  return index.every((i, axis) => i >= 0 && i < grid.shape[axis]) ? index : null;
}

/** The position of a voxel in the flat array: the last axis runs fastest (C order). */
export const flatIndex = (shape, i, j, k) => (i * shape[1] + j) * shape[2] + k;

/** A function from a voxel (i, j, k) of one grid to the flat index of the voxel of another that holds its centre, or -1: nothing is made on the way. */
export function between(from, to) {
  const columns = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((step) => sub(toMm(to.inverse, toMm(from.affine, step)), toMm(to.inverse, toMm(from.affine, [0, 0, 0]))));
  const [a, b, c] = columns;
  const [x, y, z] = toMm(to.inverse, toMm(from.affine, [0, 0, 0]));
  const [n0, n1, n2] = to.shape;
  return (i, j, k) => {
    const p = Math.round(x + i * a[0] + j * b[0] + k * c[0]);
    const q = Math.round(y + i * a[1] + j * b[1] + k * c[1]);
    const r = Math.round(z + i * a[2] + j * b[2] + k * c[2]);
    return p < 0 || q < 0 || r < 0 || p >= n0 || q >= n1 || r >= n2 ? -1 : (p * n1 + q) * n2 + r;
  };
}

/** The smallest and largest coordinates of the outer faces of a grid, or of the box of its voxels from `first` to before `end`, mm. */
export function boundsOf(grid, first = [0, 0, 0], end = grid.shape) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let corner = 0; corner < 8; corner += 1) {
    const index = first.map((start, axis) => ((corner >> axis) & 1 ? end[axis] : start) - 0.5);
    toMm(grid.affine, index).forEach((x, axis) => {
      low[axis] = Math.min(low[axis], x);
      high[axis] = Math.max(high[axis], x);
    });
  }
  return { low, high };
}

/** The bounds that hold all of several. */
export function around(bounds) {
  return {
    low: [0, 1, 2].map((a) => Math.min(...bounds.map((b) => b.low[a]))),
    high: [0, 1, 2].map((a) => Math.max(...bounds.map((b) => b.high[a]))),
  };
}

/** How far apart a grid's layers lie along a direction: the step of one slice, mm. */
export function stepAlong(grid, direction) {
  const along = grid.spacing.map((s, c) => {
    const axis = [0, 1, 2].map((r) => grid.affine[r][c] / s);
    return { s, share: Math.abs(dot(axis, direction)) };
  });
  return along.reduce((best, one) => (one.share > best.share ? one : best)).s;
}

// Radiological convention: axial seen from the feet, coronal from the front, so that the patient's right is at the viewer's left;
// sagittal seen from the patient's left.
export const PLANES = {
  axial: { right: [1, 0, 0], up: [0, -1, 0] },
  coronal: { right: [1, 0, 0], up: [0, 0, 1] },
  sagittal: { right: [0, 1, 0], up: [0, 0, 1] },
};

/** The frame of a plane or, for "mip", of a view that has turned about the long axis of the body; `into` points away from the viewer. */
export function frameOf(plane, turn = 0) {
  const { right, up } = PLANES[plane] ?? { right: [Math.cos(turn), Math.sin(turn), 0], up: [0, 0, 1] };
  return { right, up, into: cross(up, right) };
}

const NAMES = [["L", "R"], ["P", "A"], ["H", "F"]];
const NOTICEABLE = Math.sin(Math.PI / 8);

/** The letters of a direction: what part of the patient lies that way, the strongest first. */
export function letters(direction) {
  return direction
    .map((x, axis) => ({ size: Math.abs(x), name: NAMES[axis][x > 0 ? 0 : 1] }))
    .filter(({ size }) => size > NOTICEABLE)
    .sort((a, b) => b.size - a.size)
    .map(({ name }) => name)
    .join("");
}

/** The longest of 1, 2, 5 × 10ⁿ mm that is no longer than `limit`. */
export function roundLength(limit) {
  const power = 10 ** Math.floor(Math.log10(limit));
  return [5, 2, 1].map((m) => m * power).find((length) => length <= limit);
}
