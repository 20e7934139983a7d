// What each time point shows, and in which colours and windows.

import { CT } from "./compare.js";
import { CT_WINDOWS, figures, windowEnds } from "./display.js";

const ORDER = ["anatomy", "activity", "dose"];
const MU_WINDOW = [0, 0.2];

export class Display {
  constructor() {
    this.volumes = [];
    this.anatomy = { visible: true, preset: "soft tissue", ends: windowEnds(CT_WINDOWS["soft tissue"]) };
    this.activity = { visible: true, map: "hot metal", unit: "kBq/mL", lower: 0, upper: 1, opacity: 0.6 };
    this.dose = { visible: false, map: "isodose", lower: 0, upper: 1, opacity: 0.5 };
    this.projectionMap = "inverse grey";
    this.comparison = { mode: "off", partner: null };
  }

  /** Take an image in; returns the preview whose place it takes. Windows are set once: by then a person may have changed them. */
  add(volume) {
    const place = this.volumes.findIndex((v) => v.id === volume.id);
    if (place >= 0) return this.volumes.splice(place, 1, volume)[0];
    this.volumes.push(volume);
    if (volume.layer === "activity") this.#widen(volume);
    if (volume.layer === "dose") {
      this.dose.upper = Math.max(this.dose.upperFound ?? 0, roundUp(volume.range[1]));
      this.dose.upperFound = this.dose.upper;
    }
    return null;
  }

  // At first the window ends where one voxel in 500 of the body is brighter: a hot bladder shall not hide the lesions.
  #widen(volume) {
    if (this.activity.upperFound === undefined && volume.suvFactor) this.activity.unit = "SUV";
    const upper = roundUp(brightOf(volume) * this.#factor(volume));
    this.activity.upperFound = Math.max(this.activity.upperFound ?? 0, upper);
    this.activity.upper = this.activity.upperFound;
  }

  /** The volume of a layer at a time point: its own, or the one that serves all. */
  volumeOf(layer, timePoint) {
    const ofLayer = this.volumes.filter((v) => v.layer === layer);
    return ofLayer.find((v) => v.timePoint === timePoint) ?? ofLayer.find((v) => v.timePoint === null);
  }

  /** Whether a time point shows a preview of an image that is on its way. */
  isPreviewed(timePoint) {
    return ORDER.some((layer) => this.volumeOf(layer, timePoint)?.preview);
  }

  has(layer) {
    return this.volumes.some((v) => v.layer === layer);
  }

  get units() {
    const active = this.volumes.filter((v) => v.layer === "activity");
    return active.length && active.every((v) => v.suvFactor) ? ["SUV", "kBq/mL"] : ["kBq/mL"];
  }

  set unit(unit) {
    const volume = this.volumes.find((v) => v.layer === "activity");
    const was = volume ? this.#factor(volume) : 1;
    this.activity.unit = unit;
    const change = volume ? this.#factor(volume) / was : 1;
    for (const end of ["lower", "upper"]) this.activity[end] = Number(figures(this.activity[end] * change, 3));
  }

  // displayed unit per Bq/mL
  #factor(volume) {
    return this.activity.unit === "SUV" && volume.suvFactor ? volume.suvFactor : 1e-3;
  }

  /** A value of an activity image in the unit chosen for display. */
  shown(volume, value) {
    return volume.layer === "activity" ? value * this.#factor(volume) : value;
  }

  /** Layers of a slice, bottom first. */
  layersOf(timePoint) {
    return this.#compared(timePoint) ?? this.#fused(timePoint);
  }

  // The activity of a time point against another's, or against the CT; null where there is nothing to compare
  #compared(timePoint) {
    const { mode, partner } = this.comparison;
    const own = this.volumeOf("activity", timePoint);
    const other = partner === CT ? this.volumeOf("anatomy", timePoint) : this.volumeOf("activity", partner);
    if (mode === "off" || !own || !other || own === other) return null;
    const [first, second] = [own, other].map((volume) => ({ ...this.#layer(volume, true), ...this.#evened(volume), mode }));
    if (mode !== "blend") return [{ ...first, side: 1 }, { ...second, side: 2 }];
    const [below, above] = partner === CT ? [second, first] : [{ ...first, map: "grey" }, { ...second, map: "hot metal" }];
    return [below, { ...above, opacity: 0.5 }];
  }

  // What washes out or decays is shown as bright as at its brightest time: places are compared, not heights
  #evened(volume) {
    if (volume.layer !== "activity") return {};
    const scale = brightOf(volume) / Math.max(...this.volumes.filter((v) => v.layer === "activity").map(brightOf));
    const { lower, upper } = this.#layer(volume, true);
    const map = this.comparison.partner === CT ? this.activity.map : this.projectionMap;
    return { scale, map, lower: lower * scale, upper: upper * scale };
  }

  #fused(timePoint) {
    const found = ORDER.filter((layer) => this[layer].visible)
      .map((layer) => this.volumeOf(layer, timePoint))
      .filter(Boolean);
    return found.map((volume, n) => this.#layer(volume, n === 0));
  }

  projectionOf(timePoint) {
    const volume = this.volumeOf("activity", timePoint) ?? this.volumeOf("dose", timePoint) ?? this.volumeOf("anatomy", timePoint);
    return volume ? [{ ...this.#layer(volume, true), ...(volume.layer === "anatomy" ? {} : { map: this.projectionMap }) }] : [];
  }

  #layer(volume, isBottom) {
    const cover = isBottom ? { opacity: 1, start: 0, rise: 0 } : { opacity: this[volume.layer].opacity, start: 0.02, rise: 0.15 };
    if (volume.layer === "anatomy") {
      const [lower, upper] = volume.kind === "mu" ? MU_WINDOW : this.anatomy.ends;
      return { volume, map: "grey", lower, upper, unit: volume.unit, ...cover };
    }
    const { map, lower, upper } = this[volume.layer];
    const factor = volume.layer === "activity" ? this.#factor(volume) : 1;
    const start = volume.layer === "dose" && !isBottom ? { start: 0.1, rise: 0.05 } : {};
    return { volume, map, lower: lower / factor, upper: upper / factor, ...cover, ...start };
  }

  /** The colour bars of layers that need one: anatomy's grey is told by its window. */
  barsOf(layers) {
    return layers
      .filter(({ volume }) => volume.layer !== "anatomy")
      .map(({ volume, map, scale = 1 }) => {
        const { lower, upper, unit } = this[volume.layer];
        return { map, lower: lower * scale, upper: upper * scale, unit: unit ?? volume.unit };
      });
  }
}

/** The value, in the image's unit, above which one voxel in 200 of what is not air lies. */
function brightOf(volume) {
  const known = volume.preview?.bright;
  volume.bright ??= (known === undefined ? bright(volume) : known * volume.slope) || 1;
  return volume.bright;
}

function bright(volume) {
  const sample = [];
  const stride = Math.max(1, Math.floor(volume.data.length / 400000));
  const floor = volume.range[1] * 0.005;
  for (let flat = 0; flat < volume.data.length; flat += stride) {
    const value = volume.valueOf(flat);
    if (value > floor) sample.push(value);
  }
  const sorted = Float64Array.from(sample).sort();
  return sorted[Math.floor(sorted.length * 0.995)] ?? volume.range[1];
}

/** The next number up of 1, 1.5, 2, 3, 4, 5, 6, 8 × 10ⁿ. */
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((m) => m * power).find((x) => x >= value * (1 - 1e-9));
}
