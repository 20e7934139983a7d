// One picture: a plane or a projection of one time point.

import { captionOf, tilesOf } from "./compare.js";
import { COLOUR_MAPS } from "./display.js";
import { make } from "./dom.js";
import { add, dot, frameOf, scaled, sub } from "./geometry.js";
import { pathsOf, sectionOf } from "./outline.js";
import * as overlay from "./overlay.js";

const BLACK = [0, 0, 0];

export class Pane {
  constructor(viewer, plane, timePoint) {
    Object.assign(this, { viewer, plane, timePoint: timePoint.index, label: timePoint.label, drawn: null, drawnAt: 0, isCoarse: false, circle: null, sections: new WeakMap() });
    this.marks = make("canvas", { class: "hv-marks" });
    const name = viewer.text({ axial: "Axial", coronal: "Coronal", sagittal: "Sagittal", mip: "Projection" }[plane]);
    this.title = `${name} · ${timePoint.label}`;
    this.element = make("div", { class: `hv-pane hv-${plane}`, tabindex: 0, role: "application", "aria-label": this.title }, this.marks);
  }

  get isProjection() {
    return this.plane === "mip";
  }

  get frame() {
    return frameOf(this.plane, this.viewer.turn);
  }

  /** The middle of the picture on the plane through the cursor, mm. */
  get centre() {
    const { into } = this.frame;
    const { centre, cursor } = this.viewer;
    return this.isProjection ? centre : add(centre, scaled(into, dot(sub(cursor, centre), into)));
  }

  get mmPerPixel() {
    return this.viewer.mmPerPixelOf(this.plane);
  }

  get size() {
    return [this.element.clientWidth, this.element.clientHeight];
  }

  /** The point of the plane under a pixel of the pane, mm. */
  pointAt(x, y) {
    const [width, height] = this.size;
    const { right, up } = this.frame;
    const { mmPerPixel } = this;
    return add(this.centre, add(scaled(right, (x - width / 2) * mmPerPixel), scaled(up, (height / 2 - y) * mmPerPixel)));
  }

  pixelOf(point) {
    const [width, height] = this.size;
    const { right, up } = this.frame;
    const away = sub(point, this.centre);
    const { mmPerPixel } = this;
    return [width / 2 + dot(away, right) / mmPerPixel, height / 2 - dot(away, up) / mmPerPixel];
  }

  get layers() {
    return this.isProjection ? this.viewer.display.projectionOf(this.timePoint) : this.viewer.display.layersOf(this.timePoint);
  }

  /** Draw what has changed, or was drawn coarsely before; says whether it would have to cast rays and was not allowed to. */
  draw({ mayCast = true, coarse = false } = {}) {
    const [width, height] = this.size;
    if (!width || !height) return false;
    const { layers, mmPerPixel, viewer } = this;
    const background = backgroundOf(layers[0]);
    const { renderer, smooth } = viewer;
    const tiles = tilesOf(layers, this.pixelOf(viewer.cursor), [width, height]);
    const view = { tiles, frame: this.frame, centre: this.centre, width_mm: width * mmPerPixel, height_mm: height * mmPerPixel, background };
    const key = JSON.stringify([view, smooth, layers.map(({ volume, ...rest }) => [volume.mark, rest])]);
    const stale = key !== this.drawn;
    if (stale && this.isProjection && !mayCast) return true;
    if (stale || (this.isCoarse && mayCast && !coarse)) {
      const place = renderer.placeOf(this.element);
      if (this.isProjection && layers.length) this.isCoarse = renderer.drawProjection(this, place, view, layers[0], coarse);
      else renderer.drawSlice(place, view, layers, smooth);
      Object.assign(this, { drawn: key, drawnAt: performance.now() });
    }
    this.#drawMarks(width, height, background[0] > 0.5);
    return false;
  }

  #drawMarks(width, height, dark) {
    const sharpness = window.devicePixelRatio || 1;
    fit(this.marks, width * sharpness, height * sharpness);
    const context = this.marks.getContext("2d");
    context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
    context.clearRect(0, 0, width, height);
    const { viewer, frame } = this;
    for (const region of viewer.regions) if (region.visible && region.shownAt(this.timePoint)) this.#drawRegion(context, region);
    overlay.drawCrosshair(context, this.pixelOf(viewer.cursor), width, height, dark);
    const position = this.isProjection ? "" : overlay.positionOf(frame.into, viewer.cursor);
    const below = overlay.drawCaption(context, [this.title, position, captionOf(viewer, this.layers)].filter(Boolean), width, dark);
    overlay.drawOrientation(context, frame, width, height, below, dark);
    overlay.drawScale(context, this.mmPerPixel, width, height, dark);
    if (this.isProjection || this.plane === "axial") {
      viewer.display.barsOf(this.layers).forEach((bar, slot) => overlay.drawColourBar(context, bar, slot, width, height, dark));
    }
    if (this.circle) overlay.drawCircle(context, this.pixelOf(this.circle.centre), this.circle.radius / this.mmPerPixel, this.circle.dashed);
  }

  #drawRegion(context, region) {
    const chosen = region === this.viewer.chosen;
    if (this.isProjection) {
      const centre = region.role === "lesion" && this.viewer.centreOf(region);
      if (centre) overlay.drawMark(context, this.pixelOf(centre), region.colour, chosen);
      return;
    }
    const found = this.#sectionOf(region);
    if (!found) return;
    const { section, paths } = found;
    const [x, y] = this.pixelOf(section.origin);
    const across = this.pixelOf(add(section.origin, section.across))[0] - x;
    const down = this.pixelOf(add(section.origin, section.down))[1] - y;
    const placed = ([name, path]) => {
      const moved = new Path2D();
      moved.addPath(path, new DOMMatrix([across, 0, 0, down, x, y]));
      return [name, moved];
    };
    overlay.drawRegion(context, Object.fromEntries(Object.entries(paths).map(placed)), region.colour, chosen);
  }

  // A region's outline in this plane, found anew only where the plane or the region has changed
  #sectionOf(region) {
    const { frame, viewer } = this;
    const key = `${dot(viewer.cursor, frame.into)} ${region.mask.changes}`;
    const known = this.sections.get(region.mask);
    if (known?.key === key) return known.found;
    const section = sectionOf(region.mask, region.grid, frame, viewer.cursor);
    const found = section && { section, paths: pathsOf(section) };
    this.sections.set(region.mask, { key, found });
    return found;
  }
}

// outside the volume a picture looks as its scale's lowest value does, so that inverse grey is white throughout
function backgroundOf(layer) {
  if (!layer || layer.volume.layer === "anatomy") return BLACK;
  return [...COLOUR_MAPS[layer.map].subarray(0, 3)].map((c) => c / 255);
}

function fit(canvas, width, height) {
  const [w, h] = [Math.max(1, Math.round(width)), Math.max(1, Math.round(height))];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
}
