// The bar of controls above the pictures. Each group is rebuilt from the viewer's state when that changes from elsewhere.

import { compare, MODES, partners } from "./compare.js";
import { COLOUR_MAPS, CT_WINDOWS, figures } from "./display.js";
import { button, labelled, make, number, range, select } from "./dom.js";

const TOOLS = [["navigate", "Navigate"], ["brush", "Brush"], ["erase", "Erase"], ["sphere", "Sphere"], ["grow", "Grow"]];
export const METHODS = [
  ["41%", "41% of maximum"], ["50%", "50% of maximum"], ["suv", "Fixed SUV"], ["percist", "PERCIST"], ["gradient", "Gradient"],
];

export class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    this.element = make("div", { class: "hv-controls", role: "toolbar", "aria-label": viewer.text("Display and editing") });
  }

  update() {
    const { activeElement } = document;
    const holdsFocus = this.element.contains(activeElement);
    // a field that is being typed in or dragged is left alone: rebuilding it would take it from under the hand
    if (holdsFocus && activeElement.matches("input:not([type=checkbox])")) {
      activeElement.addEventListener("blur", () => setTimeout(() => this.update()), { once: true });
      this.#toggles();
      return;
    }
    const { key } = holdsFocus ? activeElement.dataset : {};
    const { display } = this.viewer;
    const groups = [
      display.has("anatomy") && this.#anatomy(),
      display.has("activity") && this.#activity(),
      display.has("dose") && this.#dose(),
      this.#view(),
      partners(this.viewer).length && this.#comparison(),
      this.viewer.canEdit && this.#tools(),
    ];
    this.element.replaceChildren(...groups.filter(Boolean));
    if (key) this.element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  #group(title, ...children) {
    const group = make("fieldset", { class: "hv-group" }, make("legend", {}, this.viewer.text(title)), ...children);
    group.querySelectorAll("button, input, select").forEach((control, n) => (control.dataset.key = `${title} ${n}`));
    return group;
  }

  #shown(layer) {
    const { viewer } = this;
    const words = viewer.text("Show");
    const box = make("input", { type: "checkbox", "aria-label": words, title: words, checked: viewer.display[layer].visible, onchange: () => viewer.setVisible(layer, box.checked) });
    return box;
  }

  #anatomy() {
    const { viewer } = this;
    const { preset, ends } = viewer.display.anatomy;
    const options = [...Object.keys(CT_WINDOWS), ...(CT_WINDOWS[preset] ? [] : ["custom"])].map((name) => [name, viewer.text(name)]);
    const end = (n) => number(Math.round(ends[n]), { step: 10 }, (x) => viewer.setWindow("anatomy", n ? ends[0] : x, n ? x : ends[1]));
    return this.#group(
      "CT", this.#shown("anatomy"),
      labelled(viewer.text("Window"), select(options, CT_WINDOWS[preset] ? preset : "custom", (name) => viewer.setPreset(name))),
      labelled(viewer.text("from"), end(0)), labelled(viewer.text("to HU"), end(1)),
    );
  }

  #coloured(layer, title, unit) {
    const { viewer } = this;
    const shown = viewer.display[layer];
    if (!shown.visible) return this.#group(title, this.#shown(layer));
    const maps = Object.keys(COLOUR_MAPS).map((name) => [name, viewer.text(name)]);
    return this.#group(
      title, this.#shown(layer),
      labelled(viewer.text("Colours"), select(maps, shown.map, (map) => viewer.setMap(layer, map))),
      labelled(viewer.text("from"), number(Number(figures(shown.lower, 3)), { min: 0 }, (x) => viewer.setWindow(layer, x, shown.upper))),
      labelled(viewer.text("to"), number(Number(figures(shown.upper, 3)), { min: 0 }, (x) => viewer.setWindow(layer, shown.lower, x))),
      unit,
      labelled(viewer.text("Opacity"), range(shown.opacity, {}, (x) => viewer.setOpacity(layer, x))),
    );
  }

  #activity() {
    const { viewer } = this;
    const units = select(viewer.display.units.map((u) => [u, u]), viewer.display.activity.unit, (unit) => viewer.setUnit(unit));
    units.setAttribute("aria-label", viewer.text("Unit"));
    return this.#coloured("activity", "Activity", units);
  }

  #dose() {
    return this.#coloured("dose", "Absorbed dose", make("span", { class: "hv-unit" }, "Gy"));
  }

  #comparison() {
    const { viewer } = this;
    const { mode, partner } = viewer.display.comparison;
    const modes = MODES.map((one) => [one, viewer.text(one)]);
    const others = partners(viewer);
    const chosen = others.find(([value]) => String(value) === String(partner))?.[0];
    const pick = (value) => compare(viewer, mode, others.find(([one]) => String(one) === value)[0]);
    const how = select(modes, mode, (one) => compare(viewer, one));
    how.setAttribute("aria-label", viewer.text("Compare"));
    return this.#group("Compare", how, ...(mode === "off" ? [] : [labelled(viewer.text("with"), select(others, chosen, pick))]));
  }

  #view() {
    const { viewer } = this;
    const maps = Object.keys(COLOUR_MAPS).map((name) => [name, viewer.text(name)]);
    const times = viewer.timePoints.map((t) =>
      button(t.label, () => viewer.toggleTimePoint(t.index), { "aria-pressed": String(viewer.shownTimes.has(t.index)), "data-time": t.index }),
    );
    return this.#group(
      "View",
      ...(times.length > 1 ? [make("span", { class: "hv-buttons", role: "group", "aria-label": viewer.text("Time points") }, ...times)] : []),
      labelled(viewer.text("Projection"), select(maps, viewer.display.projectionMap, (map) => viewer.setProjectionMap(map))),
      button(viewer.text("Rotate"), () => viewer.setTurning(!viewer.turning), { "aria-pressed": String(viewer.turning), "data-toggle": "turning" }),
      button(viewer.text("Smooth"), () => viewer.setSmooth(!viewer.smooth), { "aria-pressed": String(viewer.smooth), "data-toggle": "smooth" }),
      button(viewer.text("Fit"), () => viewer.fit()),
      button(viewer.text("Keys"), () => viewer.showHelp()),
    );
  }

  #tools() {
    const { viewer } = this;
    const tools = TOOLS.map(([tool, text]) =>
      button(viewer.text(text), () => viewer.setTool(tool), { "aria-pressed": String(viewer.tool === tool), "data-tool": tool }),
    );
    const methods = METHODS.map(([value, text]) => [value, viewer.text(text)]);
    const ball = make("input", { type: "checkbox", checked: viewer.ball, onchange: () => viewer.setBall(ball.checked) });
    return this.#group(
      "Edit",
      make("span", { class: "hv-buttons", role: "group", "aria-label": viewer.text("Tool") }, ...tools),
      labelled(viewer.text("Radius, mm"), number(Number(figures(viewer.brushRadius, 3)), { min: 0.5, max: 200 }, (x) => viewer.setBrushRadius(x))),
      labelled(viewer.text("Ball"), ball),
      labelled(viewer.text("Threshold"), select(methods, viewer.method, (m) => viewer.setMethod(m))),
      ...(viewer.method === "suv" ? [labelled("SUV", number(viewer.threshold, { min: 0 }, (x) => viewer.setThreshold(x)))] : []),
      button(viewer.text("Interpolate slices"), () => viewer.askInterpolation(), { disabled: !viewer.chosen, "data-needs": "region" }),
      button(viewer.text("Undo"), () => viewer.edits.undo(), { disabled: !viewer.edits.canUndo, "data-edit": "undo" }),
      button(viewer.text("Redo"), () => viewer.edits.redo(), { disabled: !viewer.edits.canRedo, "data-edit": "redo" }),
    );
  }

  // What may change while a control has the focus
  #toggles() {
    const { viewer, element } = this;
    const press = (selector, on) => element.querySelectorAll(selector).forEach((b) => b.setAttribute("aria-pressed", String(on(b))));
    press("[data-tool]", (b) => b.dataset.tool === viewer.tool);
    press("[data-time]", (b) => viewer.shownTimes.has(Number(b.dataset.time)));
    press("[data-toggle]", (b) => viewer[b.dataset.toggle]);
    for (const b of element.querySelectorAll("[data-edit]")) b.disabled = b.dataset.edit === "undo" ? !viewer.edits.canUndo : !viewer.edits.canRedo;
    for (const b of element.querySelectorAll("[data-needs]")) b.disabled = !viewer.chosen;
  }
}
