// What the keys do, in a dialog.

import { button, make } from "./dom.js";

const KEYS = [
  ["← → ↑ ↓", "Move the cursor by one voxel; turn a projection"],
  ["Page Up, Page Down, wheel", "Previous and next slice"],
  ["+ −, Ctrl + wheel", "Zoom; 0 shows the whole body"],
  ["Shift + drag", "Move the picture"],
  ["Right drag", "Window: sideways its width, up and down its centre"],
  [", .", "Less and more opacity of the activity"],
  ["I", "Interpolate between voxels, or show them"],
  ["R", "Rotate the projections"],
  ["C", "Compare: checkerboard, split at the cursor, blend, off"],
  ["N, Esc", "Navigate"],
  ["B, E", "Brush, erase"],
  ["S, G", "Sphere with a threshold, grow from a voxel"],
  ["[ ]", "Smaller and larger radius"],
  ["Space, Enter", "Use the tool at the cursor"],
  ["Ctrl + Z, Ctrl + Shift + Z", "Undo, redo"],
];

export function helpDialog(text) {
  const rows = KEYS.map(([keys, does]) => make("tr", {}, make("th", { scope: "row" }, keys), make("td", {}, text(does))));
  const dialog = make(
    "dialog", { class: "hv-help", "aria-label": text("Keys") },
    make("table", {}, make("caption", {}, text("Keys, when a picture has the focus")), make("tbody", {}, ...rows)),
    button(text("Close"), () => dialog.close()),
  );
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}
