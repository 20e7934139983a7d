// Pointer and keyboard, on every pane.

import { norm, scaled, stepAlong, sub } from "./geometry.js";
import { Stroke } from "./brush.js";
import { compareNext } from "./compare.js";

const CLICK_PIXELS = 4;
const TURN = Math.PI / 18;

export function listen(pane) {
  const { element } = pane;
  let drag = null;
  const at = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  element.addEventListener("pointerdown", (event) => {
    element.focus();
    element.setPointerCapture(event.pointerId);
    drag = begin(pane, event, at(event));
    event.preventDefault();
  });
  element.addEventListener("pointermove", (event) => {
    drag?.move(at(event));
    if (!drag) hint(pane, at(event));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    element.addEventListener(end, (event) => {
      drag?.end?.(at(event));
      drag = null;
    });
  }
  element.addEventListener("pointerleave", () => {
    if (!drag) show(pane, null);
  });
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("wheel", (event) => turnWheel(pane, event, at(event)), { passive: false });
  element.addEventListener("keydown", (event) => press(pane, event));
  element.addEventListener("focus", () => pane.viewer.activate(pane.timePoint));
}

function show(pane, circle) {
  pane.circle = circle;
  pane.viewer.schedule();
}

function hint(pane, [x, y]) {
  const { tool, brushRadius } = pane.viewer;
  if (!pane.isProjection && (tool === "brush" || tool === "erase")) show(pane, { centre: pane.pointAt(x, y), radius: brushRadius });
  else if (pane.circle) show(pane, null);
}

function begin(pane, event, start) {
  const { viewer } = pane;
  if (event.button === 2) return dragWindow(viewer, pane, start);
  if (event.button === 1 || event.shiftKey) return dragPan(viewer, pane, start);
  if (pane.isProjection) return dragTurn(viewer, pane, start);
  if (viewer.tool === "brush" || viewer.tool === "erase") return dragStroke(viewer, pane, start);
  if (viewer.tool === "sphere") return dragSphere(viewer, pane, start);
  const move = ([x, y]) => viewer.setCursor(pane.pointAt(x, y), pane.timePoint);
  move(start);
  return { move, end: () => viewer.tool === "grow" && viewer.applyTool(pane) };
}

function dragPan(viewer, pane, start) {
  const from = viewer.centre;
  const origin = pane.pointAt(...start);
  const shift = ([x, y]) => {
    const here = viewer.centre;
    viewer.centre = from;
    viewer.centre = sub(from, sub(pane.pointAt(x, y), origin));
    if (here !== viewer.centre) viewer.schedule();
  };
  return { move: shift };
}

// left to right widens, top to bottom darkens, as on a scanner's console
function dragWindow(viewer, pane, start) {
  const [layer] = pane.layers;
  if (!layer) return null;
  const { lower, upper } = layer;
  const width = upper - lower;
  return {
    move: ([x, y]) => {
      const wider = width * Math.exp((x - start[0]) / 200);
      const level = (lower + upper) / 2 + ((y - start[1]) / 300) * width;
      if (layer.volume.layer === "anatomy") viewer.setWindow("anatomy", level - wider / 2, level + wider / 2);
      else viewer.setWindow(layer.volume.layer, 0, layer.volume.layer === "activity" ? viewer.display.shown(layer.volume, wider) : wider);
    },
  };
}

function dragTurn(viewer, pane, start) {
  const from = viewer.turn;
  let moved = false;
  return {
    move: ([x, y]) => {
      moved ||= norm(sub([x, y, 0], [...start, 0])) > CLICK_PIXELS;
      if (moved) viewer.setTurn(from - ((x - start[0]) * Math.PI) / 300);
    },
    end: ([x, y]) => {
      if (!moved) pickBrightest(viewer, pane, x, y);
    },
  };
}

function pickBrightest(viewer, pane, x, y) {
  const [layer] = pane.layers;
  if (!layer) return;
  const { into } = pane.frame;
  const reach = norm(layer.volume.grid.shape.map((n, axis) => n * layer.volume.grid.spacing[axis]));
  const point = layer.volume.brightestAlong(sub(pane.pointAt(x, y), scaled(into, reach)), into, 2 * reach);
  if (point) viewer.setCursor(point, pane.timePoint);
}

function dragStroke(viewer, pane, start) {
  const stroke = beginStroke(viewer, pane);
  if (!stroke) return null;
  const move = ([x, y]) => {
    stroke.to(pane.pointAt(x, y));
    show(pane, { centre: pane.pointAt(x, y), radius: viewer.brushRadius });
  };
  move(start);
  return { move, end: () => viewer.edits.stroke(stroke.region, viewer.tool, stroke.change) };
}

function beginStroke(viewer, pane) {
  const region = viewer.regionToEdit(pane.timePoint);
  if (!region) return null;
  const into = viewer.ball ? null : pane.frame.into;
  return new Stroke(region, { inside: viewer.tool === "brush", radius: viewer.brushRadius, into });
}

function dragSphere(viewer, pane, start) {
  const centre = pane.pointAt(...start);
  const radius = (x, y) => Math.max(viewer.brushRadius, norm(sub(pane.pointAt(x, y), centre)));
  viewer.setCursor(centre, pane.timePoint);
  return {
    move: ([x, y]) => show(pane, { centre, radius: radius(x, y), dashed: true }),
    end: ([x, y]) => {
      show(pane, null);
      viewer.askSphere(centre, radius(x, y), pane.timePoint);
    },
  };
}

function turnWheel(pane, event, [x, y]) {
  event.preventDefault();
  const way = Math.sign(event.deltaY);
  if (event.ctrlKey) pane.viewer.zoom(1.1 ** -way, pane.pointAt(x, y));
  else if (pane.isProjection) pane.viewer.setTurn(pane.viewer.turn + way * TURN);
  else moveSlice(pane, way);
}

function moveSlice(pane, slices) {
  const { into } = pane.frame;
  pane.viewer.moveCursor(scaled(into, slices * stepAlong(pane.viewer.stepGrid(pane.timePoint), into)), pane.timePoint);
}

function moveInPlane(pane, direction) {
  pane.viewer.moveCursor(scaled(direction, stepAlong(pane.viewer.stepGrid(pane.timePoint), direction)), pane.timePoint);
}

const KEYS = {
  ArrowLeft: (pane) => (pane.isProjection ? pane.viewer.setTurn(pane.viewer.turn - TURN) : moveInPlane(pane, scaled(pane.frame.right, -1))),
  ArrowRight: (pane) => (pane.isProjection ? pane.viewer.setTurn(pane.viewer.turn + TURN) : moveInPlane(pane, pane.frame.right)),
  ArrowUp: (pane) => moveInPlane(pane, pane.frame.up),
  ArrowDown: (pane) => moveInPlane(pane, scaled(pane.frame.up, -1)),
  PageUp: (pane) => !pane.isProjection && moveSlice(pane, -1),
  PageDown: (pane) => !pane.isProjection && moveSlice(pane, 1),
  "+": (pane) => pane.viewer.zoom(1.2),
  "=": (pane) => pane.viewer.zoom(1.2),
  "-": (pane) => pane.viewer.zoom(1 / 1.2),
  0: (pane) => pane.viewer.fit(),
  n: (pane) => pane.viewer.setTool("navigate"),
  Escape: (pane) => pane.viewer.setTool("navigate"),
  b: (pane) => pane.viewer.setTool("brush"),
  e: (pane) => pane.viewer.setTool("erase"),
  s: (pane) => pane.viewer.setTool("sphere"),
  g: (pane) => pane.viewer.setTool("grow"),
  "[": (pane) => pane.viewer.setBrushRadius(pane.viewer.brushRadius / 1.25),
  "]": (pane) => pane.viewer.setBrushRadius(pane.viewer.brushRadius * 1.25),
  " ": (pane) => dabAtCursor(pane),
  Enter: (pane) => dabAtCursor(pane),
  ",": (pane) => pane.viewer.setOpacity("activity", pane.viewer.display.activity.opacity - 0.1),
  ".": (pane) => pane.viewer.setOpacity("activity", pane.viewer.display.activity.opacity + 0.1),
  i: (pane) => pane.viewer.setSmooth(!pane.viewer.smooth),
  c: (pane) => compareNext(pane.viewer),
  r: (pane) => pane.viewer.setTurning(!pane.viewer.turning),
  "?": (pane) => pane.viewer.showHelp(),
};

function press(pane, event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") event.shiftKey ? pane.viewer.edits.redo() : pane.viewer.edits.undo();
    else if (key === "y") pane.viewer.edits.redo();
    else return;
  } else if (KEYS[key] && !event.altKey) {
    KEYS[key](pane);
  } else return;
  event.preventDefault();
}

/** The tool at the cursor: editing without a pointer. */
function dabAtCursor(pane) {
  const { viewer } = pane;
  if (pane.isProjection) return;
  if (viewer.tool === "brush" || viewer.tool === "erase") {
    const stroke = beginStroke(viewer, pane);
    stroke?.to(viewer.cursor);
    if (stroke) viewer.edits.stroke(stroke.region, viewer.tool, stroke.change);
  } else viewer.applyTool(pane);
}

