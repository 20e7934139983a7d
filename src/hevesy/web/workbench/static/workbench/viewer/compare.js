// Two images in one picture: tiles in turn, one beside the other at the cursor, or one through the other.

export const MODES = ["off", "checkerboard", "split", "blend"];
export const CT = "ct";
/** Side of a tile, pixels of the page. */
const TILE = 48;

/** What an image may be compared with: [value, words] of each. */
export function partners(viewer) {
  const { display, text, timePoints } = viewer;
  const times = timePoints.length > 1 ? timePoints.map((t) => [t.index, t.label]) : [];
  return [...times, ...(display.has("anatomy") && display.has("activity") ? [[CT, text("CT")]] : [])];
}

/** Compare in a mode; at first with the reference of the registration, or the CT where there is one time point. */
export function compare(viewer, mode, partner = viewer.display.comparison.partner) {
  const known = partners(viewer).map(([value]) => value);
  const reference = viewer.timePoints.find((t) => t.motion?.how === "reference")?.index;
  const chosen = [partner, reference, ...known].find((value) => known.includes(value)) ?? null;
  viewer.display.comparison = { mode: chosen === null ? "off" : mode, partner: chosen };
  viewer.update();
}

export function compareNext(viewer) {
  compare(viewer, MODES[(MODES.indexOf(viewer.display.comparison.mode) + 1) % MODES.length]);
}

/** Which part of a picture shows which side: {mode, size, origin}, pixels of the page from its middle; null without sides. */
export function tilesOf(layers, [x, y], [width, height]) {
  const mode = MODES.indexOf(layers.find((layer) => layer.side)?.mode);
  return mode < 1 ? null : { mode, size: TILE, origin: [x - width / 2, height / 2 - y] };
}

/** What a picture that compares says of itself, or nothing. */
export function captionOf(viewer, layers) {
  if (!layers[0]?.mode) return "";
  const { partner } = viewer.display.comparison;
  return `${viewer.text("with")} ${partner === CT ? viewer.text("CT") : viewer.timePoints.find((t) => t.index === partner)?.label}`;
}
