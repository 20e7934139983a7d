// Where a region's edge lies in a picture: along voxel faces, which is what is counted, and not along a smoothed curve.

import { dot, scaled, sub, add, toMm } from "./geometry.js";

/**
 * The cells of a plane's lattice that a mask covers.
 * @returns {origin, across, down, columns, rows, filled}: a cell's corner lies at origin + column·across + row·down, mm; null where the
 * region does not meet the plane.
 */
export function sectionOf(mask, grid, { right, up, into }, point) {
  if (!mask.data.length) return null;
  const down = scaled(up, -1);
  const aligned = alignment(grid, [right, down, into]);
  const step = aligned ? [grid.spacing[aligned[0]], grid.spacing[aligned[1]]] : [0, 0].map(() => Math.min(...grid.spacing) / 2);
  const box = boxAlong(mask, grid, [right, down, into], aligned ? 0 : 0.5);
  const level = dot(point, into);
  if (level < box.low[2] || level > box.high[2]) return null;
  const columns = Math.max(1, Math.round((box.high[0] - box.low[0]) / step[0]));
  const rows = Math.max(1, Math.round((box.high[1] - box.low[1]) / step[1]));
  const across = scaled(right, step[0]);
  const descent = scaled(down, step[1]);
  const origin = add(add(scaled(right, box.low[0]), scaled(down, box.low[1])), scaled(into, level));
  const filled = fill(mask, grid, { origin, across, descent, columns, rows });
  return filled && { origin, across, down: descent, columns, rows, filled };
}

// The array axis that runs along each direction, or null for a grid that lies askew to the picture.
function alignment(grid, directions) {
  const axes = directions.map((direction) =>
    [0, 1, 2].findIndex((c) => {
      const axis = [0, 1, 2].map((r) => grid.affine[r][c] / grid.spacing[c]);
      return Math.abs(dot(axis, direction)) > 1 - 1e-6;
    }),
  );
  return axes.includes(-1) ? null : axes;
}

function boxAlong(mask, grid, directions, margin) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let corner = 0; corner < 8; corner += 1) {
    const index = mask.offset.map((o, axis) => o + ((corner >> axis) & 1 ? mask.size[axis] - 0.5 + margin : -0.5 - margin));
    const point = toMm(grid.affine, index);
    directions.forEach((direction, n) => {
      low[n] = Math.min(low[n], dot(point, direction));
      high[n] = Math.max(high[n], dot(point, direction));
    });
  }
  return { low, high };
}

function fill(mask, grid, { origin, across, descent, columns, rows }) {
  const filled = new Uint8Array(columns * rows);
  const corner = toMm(grid.inverse, origin);
  const perColumn = sub(toMm(grid.inverse, add(origin, across)), corner);
  const perRow = sub(toMm(grid.inverse, add(origin, descent)), corner);
  let any = false;
  for (let r = 0, cell = 0; r < rows; r += 1) {
    const [x, y, z] = [0, 1, 2].map((a) => corner[a] + (r + 0.5) * perRow[a] + 0.5 * perColumn[a]);
    for (let c = 0; c < columns; c += 1, cell += 1) {
      if (!mask.has(Math.round(x + c * perColumn[0]), Math.round(y + c * perColumn[1]), Math.round(z + c * perColumn[2]))) continue;
      filled[cell] = 1;
      any = true;
    }
  }
  return any ? filled : null;
}

/** The edges and the inside of a section, as paths whose unit is a cell. */
export function pathsOf({ columns, rows, filled }) {
  const edge = new Path2D();
  const inside = new Path2D();
  const at = (c, r) => c >= 0 && r >= 0 && c < columns && r < rows && filled[r * columns + c] === 1;
  for (let r = 0; r <= rows; r += 1) {
    runs(columns, (c) => at(c, r) !== at(c, r - 1), (from, to) => {
      edge.moveTo(from, r);
      edge.lineTo(to, r);
    });
    runs(columns, (c) => at(c, r), (from, to) => inside.rect(from, r, to - from, 1));
  }
  for (let c = 0; c <= columns; c += 1) {
    runs(rows, (r) => at(c, r) !== at(c - 1, r), (from, to) => {
      edge.moveTo(c, from);
      edge.lineTo(c, to);
    });
  }
  return { edge, inside };
}

function runs(length, holds, found) {
  let start = -1;
  for (let i = 0; i <= length; i += 1) {
    const now = i < length && holds(i);
    if (now && start < 0) start = i;
    if (!now && start >= 0) {
      found(start, i);
      start = -1;
    }
  }
}
