// What is drawn over a picture: orientation, position, scale, colours, crosshair and the edges of regions.

import { COLOUR_MAPS, figures, ticks } from "./display.js";
import { letters, roundLength, scaled } from "./geometry.js";

const INSET = 8;
const LINE = 16;
const FONT = "12px system-ui, sans-serif";

/** Text that can be read on black and on white. */
function write(context, text, x, y, { align = "left", baseline = "top", dark = false } = {}) {
  Object.assign(context, { textAlign: align, textBaseline: baseline, lineWidth: 3, lineJoin: "round" });
  context.strokeStyle = dark ? "rgb(255 255 255 / 85%)" : "rgb(0 0 0 / 85%)";
  context.fillStyle = dark ? "#111" : "#f4f4f4";
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

/** The letters of the edges; the upper one stands `below` what is written there. */
export function drawOrientation(context, { right, up }, width, height, below, dark) {
  context.font = `600 ${FONT}`;
  write(context, letters(scaled(right, -1)), INSET, height / 2, { baseline: "middle", dark });
  write(context, letters(right), width - INSET, height / 2, { align: "right", baseline: "middle", dark });
  write(context, letters(up), width / 2, INSET + below, { align: "center", dark });
  write(context, letters(scaled(up, -1)), width / 2, height - INSET, { align: "center", baseline: "bottom", dark });
}

/** The lines of a caption; returns how far down, pixels, they stand in the middle of the picture. */
export function drawCaption(context, lines, width, dark) {
  context.font = FONT;
  lines.forEach((line, n) => write(context, line, INSET, INSET + LINE * n, { dark }));
  const reaching = lines.findLastIndex((line) => context.measureText(line).width > width / 2 - 2 * INSET);
  return LINE * (reaching + 1);
}

/** Which way and how far from the frame's origin a slice lies, as "H 120.5 mm". */
export function positionOf(into, point) {
  const axis = into.findIndex((x) => Math.abs(x) > 0.5);
  const value = point[axis];
  const direction = [0, 0, 0];
  direction[axis] = value < 0 ? -1 : 1;
  return `${letters(direction)} ${Math.abs(value).toFixed(1)} mm`;
}

export function drawScale(context, mmPerPixel, width, height, dark) {
  const length = roundLength((width / 4) * mmPerPixel);
  const pixels = length / mmPerPixel;
  const y = height - INSET - 3;
  for (const [style, thick] of [[dark ? "#fff" : "#000", 4], [dark ? "#111" : "#f4f4f4", 1.5]]) {
    context.strokeStyle = style;
    context.lineWidth = thick;
    context.beginPath();
    context.moveTo(INSET, y - 4);
    context.lineTo(INSET, y);
    context.lineTo(INSET + pixels, y);
    context.lineTo(INSET + pixels, y - 4);
    context.stroke();
  }
  context.font = FONT;
  write(context, length >= 10 ? `${length / 10} cm` : `${length} mm`, INSET + 4, y - 4, { baseline: "bottom", dark });
}

/** A colour bar at the right edge; `slot` counts bars from the edge. */
export function drawColourBar(context, { map, lower, upper, unit }, slot, width, height, dark) {
  const [thick, room] = [10, 64];
  const tall = Math.min(160, height / 2 - INSET - 56); // below the letter at the middle of the edge
  const x = width - INSET - thick - slot * room;
  const y = height - INSET - 18 - tall;
  const table = COLOUR_MAPS[map];
  for (let row = 0; row < tall; row += 1) {
    const entry = 4 * Math.round(255 * (1 - row / (tall - 1)));
    context.fillStyle = `rgb(${table[entry]} ${table[entry + 1]} ${table[entry + 2]})`;
    context.fillRect(x, y + row, thick, 1.5);
  }
  context.strokeStyle = dark ? "#444" : "#bbb";
  context.lineWidth = 1;
  context.strokeRect(x - 0.5, y - 0.5, thick + 1, tall + 1);
  context.font = "11px system-ui, sans-serif";
  for (const tick of ticks(lower, upper)) {
    const at = y + tall - (tall * (tick - lower)) / (upper - lower);
    write(context, figures(tick, 3).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""), x - 4, at, { align: "right", baseline: "middle", dark });
  }
  write(context, unit, x + thick, y - 6, { align: "right", baseline: "bottom", dark });
}

export function drawCrosshair(context, [x, y], width, height, dark) {
  const gap = 9;
  context.lineWidth = 1;
  context.strokeStyle = dark ? "rgb(0 90 160 / 80%)" : "rgb(90 200 255 / 80%)";
  context.beginPath();
  for (const [x0, y0, x1, y1] of [[0, y, x - gap, y], [x + gap, y, width, y], [x, 0, x, y - gap], [x, y + gap, x, height]]) {
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
  }
  context.stroke();
}

/** The edge of a region, over a dark line that keeps it visible on bright pictures; the chosen one is filled lightly. */
export function drawRegion(context, { edge, inside }, colour, chosen) {
  if (chosen) {
    context.save();
    context.globalAlpha = 0.18;
    context.fillStyle = colour;
    context.fill(inside);
    context.restore();
  }
  context.lineCap = "square";
  context.strokeStyle = "rgb(0 0 0 / 60%)";
  context.lineWidth = chosen ? 4 : 3;
  context.stroke(edge);
  context.strokeStyle = colour;
  context.lineWidth = chosen ? 2.2 : 1.4;
  context.stroke(edge);
}

/** A mark for a region's centre in a projection. */
export function drawMark(context, [x, y], colour, chosen) {
  context.beginPath();
  context.arc(x, y, chosen ? 7 : 5, 0, 2 * Math.PI);
  context.lineWidth = 3.5;
  context.strokeStyle = "rgb(0 0 0 / 60%)";
  context.stroke();
  context.lineWidth = chosen ? 2.2 : 1.5;
  context.strokeStyle = colour;
  context.stroke();
}

export function drawCircle(context, [x, y], radius, dashed = false) {
  context.save();
  if (dashed) context.setLineDash([5, 4]);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  for (const [style, thick] of [["rgb(0 0 0 / 70%)", 3], ["#fff", 1.2]]) {
    context.strokeStyle = style;
    context.lineWidth = thick;
    context.stroke();
  }
  context.restore();
}
