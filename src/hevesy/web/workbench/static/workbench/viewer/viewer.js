// The viewer: pictures of a patient at several times, linked by one cursor, with regions that can be edited.
// docs/reference/viewer.md holds the contract.

import { Controls } from "./controls.js";
import { CT_WINDOWS, windowEnds, withUnit } from "./display.js";
import { button, make } from "./dom.js";
import { Edits } from "./edits.js";
import { add, around, boundsOf, letters } from "./geometry.js";
import { listen } from "./gestures.js";
import { helpDialog } from "./help.js";
import { Display } from "./layers.js";
import { Loading } from "./loading.js";
import { placeOf } from "./motion.js";
import { Pane } from "./pane.js";
import { Renderer } from "./renderer.js";
import * as requests from "./requests.js";
import { RegionTable } from "./table.js";
import { fetchBytes } from "./volume.js";

const PLANES = ["axial", "coronal", "sagittal", "mip"];
const ZOOM = [0.25, 40];
const MARGIN = 1.06;
const SHOWN_AT_FIRST = 2;
const TURN_SECONDS = 8;
const REFINE_MS = 150;
const LOADING_MS = 300;

/**
 * Open a viewer in an element. Resolves once every volume on show can be looked at, large ones as previews, and `viewer.whole` once every
 * volume is there in full; rejects when one cannot be read or drawn.
 */
export async function openViewer(container, manifest, options = {}) {
  const viewer = new Viewer(container, manifest, options);
  try {
    await viewer.load();
  } catch (error) {
    viewer.notify(error.message);
    throw error;
  }
  viewer.whole = viewer.loadWhole();
  viewer.whole.catch((error) => viewer.notify(error.message)); // whoever waits for it hears of it, too
  return viewer;
}

class Viewer {
  constructor(container, manifest, { fetchVolume = fetchBytes, onCursor, onRegionChange, onEdit, gettext = (text) => text }) {
    Object.assign(this, { container, manifest, fetchVolume, onCursor, onRegionChange, text: gettext });
    this.timePoints = manifest.timePoints?.length ? manifest.timePoints : [{ index: 0, label: "" }];
    this.shownTimes = new Set(this.timePoints.slice(0, SHOWN_AT_FIRST).map((t) => t.index));
    this.activeTime = this.timePoints[0].index;
    Object.assign(this, { cursor: [0, 0, 0], centre: [0, 0, 0], turn: 0, magnification: 1, smooth: true, turning: false, loading: true });
    Object.assign(this, { tool: "navigate", brushRadius: 10, ball: true, method: "41%", threshold: 4 });
    this.regions = [];
    this.chosen = null;
    this.centres = new Map();
    this.settling = new Map();
    this.display = new Display();
    // asked for before anything else is made: a browser takes half a second to begin with WebGL, and images can come meanwhile
    this.images = new Loading(this);
    this.renderer = new Renderer();
    this.renderer.onRestored = () => this.redraw();
    this.canEdit = Boolean(onEdit);
    this.edits = new Edits({
      send: (edit) => onEdit(edit),
      changed: (region, reason) => this.regionChanged(region, reason),
      failed: (error) => this.notify(`${this.text("The edit was refused and taken back:")} ${error.message}`),
    });
    this.#build();
  }

  #build() {
    this.notice = make("div", { class: "hv-notice", role: "alert" });
    this.live = make("div", { class: "hv-live", "aria-live": "polite" });
    this.rows = make("div", { class: "hv-rows", dir: "ltr" });
    this.controls = new Controls(this);
    this.table = new RegionTable(this);
    this.element = make("div", { class: "hv-viewer" }, this.controls.element, this.notice, this.rows, this.table.element, this.live);
    this.container.replaceChildren(this.element);
    this.#layOut();
    this.observer = new ResizeObserver(() => this.schedule());
    this.observer.observe(this.rows);
  }

  get shown() {
    return this.timePoints.filter((t) => this.shownTimes.has(t.index));
  }

  #layOut() {
    for (const pane of this.panes ?? []) this.renderer.release(pane);
    this.panes = [];
    const rows = this.shown.map((time) => {
      const panes = PLANES.map((plane) => new Pane(this, plane, time));
      panes.forEach(listen);
      this.panes.push(...panes);
      const readout = make("output", { class: "hv-readout", "data-time": time.index });
      return make("section", { class: "hv-row", "aria-label": time.label, "data-time": time.index }, ...panes.map((p) => p.element), readout);
    });
    this.rows.classList.toggle("hv-single", rows.length === 1);
    this.rows.replaceChildren(this.renderer.canvas, ...rows);
  }

  /** Fetch and draw what is on show, each volume as it comes, and the regions. */
  async load() {
    await this.images.first();
    this.loading = false;
    this.update();
  }

  /** Fetch the rest, once that is drawn. */
  async loadWhole() {
    await this.settled("drawn");
    await this.images.whole();
  }

  /** Take a volume in; of a large one its preview came before. */
  show(volume) {
    this.renderer.have(volume);
    const preview = this.display.add(volume);
    if (preview) this.renderer.forget(preview);
    if (this.loading) this.#lookAt();
    this.update();
  }

  #lookAt() {
    this.bounds = around(this.display.volumes.map((v) => boundsOf(v.grid)));
    this.content = around(this.display.volumes.map((v) => v.content));
    this.fit();
    this.cursor = this.centre;
  }

  // ---- drawing

  schedule() {
    // while images come, what is there is drawn now and then: each frame takes from the time in which the next is unpacked
    if (this.loading) this.waiting ??= setTimeout(() => this.#schedule(), LOADING_MS);
    else this.#schedule();
  }

  #schedule() {
    clearTimeout(this.waiting);
    this.waiting = null;
    this.frame ??= requestAnimationFrame((now) => {
      this.frame = null;
      if (!this.loading || this.display.volumes.length) this.draw(now);
    });
  }

  draw(now = performance.now()) {
    if (this.turning) {
      this.turn += ((now - (this.turnedAt ?? now)) / 1000) * ((2 * Math.PI) / TURN_SECONDS);
      this.turnedAt = now;
      this.schedule();
    }
    if (this.renderer.fit()) for (const pane of this.panes) pane.drawn = null;
    // slices follow the hand; projections come after them, one a frame, because casting their rays is slow without a graphics processor
    for (const pane of this.panes) if (!pane.isProjection) pane.draw();
    if (this.loading) return;
    const wanting = this.panes.filter((pane) => pane.isProjection && pane.draw({ mayCast: false }));
    wanting.sort((a, b) => a.drawnAt - b.drawnAt)[0]?.draw({ coarse: true }); // the one that has waited longest, so that all turn
    if (wanting.length > 1) return this.schedule();
    this.#settle("drawn");
    this.#refine();
  }

  // Projections are drawn with a 27th of the samples first, and in full once nothing has changed for a moment
  #refine() {
    clearTimeout(this.refining);
    const coarse = this.turning ? null : this.panes.find((pane) => pane.isCoarse && pane.size[0]);
    if (!coarse) return this.#settle("refined");
    this.refining = setTimeout(() => {
      coarse.draw();
      this.#refine();
    }, REFINE_MS);
  }

  #settle(stage) {
    this.settling.get(stage)?.resolve();
    this.settling.delete(stage);
  }

  /** Resolves when every picture is `refined`, or once it is `drawn`, projections coarsely. */
  settled(stage = "refined") {
    if (!this.settling.has(stage)) this.settling.set(stage, Promise.withResolvers());
    this.schedule();
    return this.settling.get(stage).promise;
  }

  redraw() {
    for (const pane of this.panes) pane.drawn = null;
    this.schedule();
  }

  /** Bring every part of the page up to the state. */
  update() {
    this.controls.update();
    this.table.update();
    this.#tell();
    this.schedule();
  }

  /** Millimetres of a plane to one pixel of the page: as many as show the body, divided by the magnification. */
  mmPerPixelOf(plane) {
    const pane = this.panes.find((p) => p.plane === plane);
    const [width, height] = pane.size;
    const size = this.content ? this.content.high.map((h, a) => MARGIN * (h - this.content.low[a])) : [1, 1, 1];
    const across = { axial: size[0], coronal: size[0], sagittal: size[1], mip: Math.hypot(size[0], size[1]) / Math.SQRT2 }[plane];
    return Math.max(across / width, (plane === "axial" ? size[1] : size[2]) / height) / this.magnification;
  }

  // ---- looking around

  fit() {
    if (this.content) this.centre = this.content.low.map((l, a) => (l + this.content.high[a]) / 2);
    this.magnification = 1;
    this.schedule();
  }

  /** Magnify; what lies at `point` (the cursor, if none is given) stays where it is. */
  zoom(factor, point = this.cursor) {
    const wanted = Math.min(ZOOM[1], Math.max(ZOOM[0], this.magnification * factor));
    const share = 1 - this.magnification / wanted;
    this.centre = this.centre.map((c, a) => c + (point[a] - c) * share);
    this.magnification = wanted;
    this.schedule();
  }

  setCursor(point, timePoint = this.activeTime) {
    this.cursor = point.map((x, a) => Math.min(this.bounds.high[a], Math.max(this.bounds.low[a], x)));
    this.activeTime = timePoint;
    this.#tell();
    this.table.mark();
    this.schedule();
    this.onCursor?.(this.whatIsAt(this.cursor, timePoint));
  }

  moveCursor(by, timePoint) {
    this.setCursor(add(this.cursor, by), timePoint);
  }

  activate(timePoint) {
    if (this.activeTime === timePoint) return;
    this.activeTime = timePoint;
    this.update();
  }

  setTurn(turn) {
    this.turn = turn;
    this.schedule();
  }

  setTurning(turning) {
    this.turning = turning;
    this.turnedAt = null;
    this.controls.update();
    this.redraw();
  }

  toggleTimePoint(index) {
    if (!this.shownTimes.delete(index)) this.shownTimes.add(index);
    if (!this.shownTimes.size) this.shownTimes.add(index);
    if (!this.shownTimes.has(this.activeTime)) this.activeTime = this.shown[0].index;
    this.#layOut();
    this.update();
  }

  // ---- what is under the cursor

  /** Values, in their units, and regions at a point. */
  whatIsAt(point, timePoint) {
    const values = ["anatomy", "activity", "dose"].flatMap((layer) => {
      const volume = this.display.volumeOf(layer, timePoint);
      if (!volume) return [];
      const value = volume.preview ? null : volume.valueAt(point);
      const suv = value !== null && volume.suvFactor ? value * volume.suvFactor : null;
      return [{ volumeId: volume.id, kind: volume.kind, unit: volume.unit, value, suv }];
    });
    return { position_mm: point, timePoint, values, regionIds: this.regionsAt(point, timePoint).map((r) => r.id) };
  }

  regionsAt(point, timePoint) {
    return this.regions.filter((r) => r.shownAt(timePoint) && r.contains(point));
  }

  #tell() {
    const position = this.cursor.map((x, a) => {
      const direction = [0, 0, 0];
      direction[a] = x < 0 ? -1 : 1;
      return `${letters(direction)} ${Math.abs(x).toFixed(1)}`;
    });
    for (const row of this.rows.querySelectorAll(".hv-row")) {
      const time = Number(row.dataset.time);
      row.classList.toggle("hv-active", time === this.activeTime && this.shownTimes.size > 1);
      const { values, regionIds } = this.whatIsAt(this.cursor, time);
      const parts = values.flatMap(({ value, unit, suv }) => [withUnit(value, unit), ...(suv === null ? [] : [withUnit(suv, "SUV")])]);
      const names = this.regions.filter((r) => regionIds.includes(r.id)).map((r) => r.name);
      if (this.display.isPreviewed(time)) names.push(this.text("Preview: values come with the images"));
      const spans = [`${position.join("  ")} mm`, ...parts, ...names].map((text) => make("span", {}, text));
      const place = placeOf(this, time);
      if (place) spans.push(make("span", { class: "hv-place" }, place));
      row.querySelector(".hv-readout").replaceChildren(...spans);
      if (time === this.activeTime) this.#say([`${position.join(", ")} mm`, ...parts, ...names].join("; "));
    }
  }

  // a screen reader hears where the cursor came to rest, not every step
  #say(text) {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => (this.live.textContent = text), 400);
  }

  notify(text) {
    const close = button("×", () => this.notice.replaceChildren(), { "aria-label": this.text("Dismiss") });
    this.notice.replaceChildren(make("span", {}, text), close);
  }

  showHelp() {
    const dialog = helpDialog(this.text);
    this.element.append(dialog);
    dialog.showModal();
  }

  // ---- display

  setWindow(layer, lower, upper) {
    if (!(upper > lower)) return this.notify(this.text("A window must end above its start."));
    if (layer === "anatomy") Object.assign(this.display.anatomy, { preset: "custom", ends: [lower, upper] });
    else Object.assign(this.display[layer], { lower, upper });
    this.controls.update();
    return this.schedule();
  }

  setPreset(name) {
    if (CT_WINDOWS[name]) Object.assign(this.display.anatomy, { preset: name, ends: windowEnds(CT_WINDOWS[name]) });
    this.update();
  }

  setMap(layer, map) {
    this.display[layer].map = map;
    this.update();
  }

  setProjectionMap(map) {
    this.display.projectionMap = map;
    this.update();
  }

  setOpacity(layer, opacity) {
    this.display[layer].opacity = Math.min(1, Math.max(0, opacity));
    this.controls.update();
    this.schedule();
  }

  setVisible(layer, visible) {
    this.display[layer].visible = visible;
    this.update();
  }

  setUnit(unit) {
    this.display.unit = unit;
    this.update();
  }

  setSmooth(smooth) {
    this.smooth = smooth;
    this.update();
  }

  // ---- regions

  /** Choose a region and go to it; choosing it at another time point goes there. */
  choose(region, { move = true } = {}) {
    this.chosen = region;
    if (region.timePoint !== null && this.shownTimes.has(region.timePoint)) this.activeTime = region.timePoint;
    const centre = move && this.centreOf(region);
    if (centre) this.setCursor(centre, this.activeTime);
    this.update();
  }

  centreOf(region) {
    if (!this.centres.has(region)) this.centres.set(region, region.centre());
    return this.centres.get(region);
  }

  /** The chosen region as it is at a time point: itself, or its namesake there. */
  regionAt(timePoint) {
    if (!this.chosen || this.chosen.shownAt(timePoint)) return this.chosen;
    return this.regions.find((r) => r.name === this.chosen.name && r.shownAt(timePoint)) ?? null;
  }

  regionToEdit(timePoint) {
    const region = this.canEdit ? this.regionAt(timePoint) : null;
    if (!region) this.notify(this.text("Choose a region of this time point in the table, or make a new one, before editing."));
    return region;
  }

  addRegion(region) {
    this.regions.push(region);
    return region;
  }

  dropRegion(region) {
    this.regions = this.regions.filter((r) => r !== region);
    if (this.chosen === region) this.chosen = null;
  }

  regionChanged(region, reason) {
    this.centres.delete(region);
    this.table.forget(region);
    this.update();
    const { id, name, role, timePoint, version } = region;
    this.onRegionChange?.({ reason, id, name, role, timePoint, version, volume_mL: region.volume_mL });
  }

  setRegionsVisible(regions, visible) {
    for (const region of regions) region.visible = visible;
    this.schedule();
  }

  setTool(tool) {
    this.tool = this.canEdit ? tool : "navigate";
    this.element.dataset.tool = this.tool;
    this.controls.update();
    this.schedule();
  }

  setBrushRadius(radius) {
    this.brushRadius = Math.min(200, Math.max(0.5, radius));
    this.controls.update();
    this.schedule();
  }

  setBall(ball) {
    this.ball = ball;
  }

  setMethod(method) {
    this.method = method;
    this.controls.update();
  }

  setThreshold(threshold) {
    this.threshold = threshold;
  }

  applyTool(pane) {
    if (this.tool === "sphere") return this.askSphere(this.cursor, this.brushRadius, pane.timePoint);
    return this.tool === "grow" ? requests.askGrowth(this, this.cursor, pane.timePoint) : null;
  }

  askSphere(centre, radius, timePoint) {
    return requests.askSphere(this, centre, radius, timePoint);
  }

  askInterpolation() {
    return requests.askInterpolation(this);
  }

  create(role) {
    return requests.create(this, role);
  }

  rename(region, name) {
    return requests.rename(this, region, name);
  }

  setRole(region, role) {
    return requests.setRole(this, region, role);
  }

  remove(region) {
    return requests.remove(this, region);
  }

  /** The image whose voxels the cursor steps through. */
  stepVolume(timePoint) {
    return ["activity", "anatomy", "dose"].map((layer) => this.display.volumeOf(layer, timePoint)).find(Boolean);
  }

  stepGrid(timePoint) {
    return this.stepVolume(timePoint).whole;
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.saying);
    clearTimeout(this.refining);
    clearTimeout(this.waiting);
    this.observer.disconnect();
    this.renderer.destroy();
    this.container.replaceChildren();
  }
}
