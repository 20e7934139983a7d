// The table of regions: a row for each name, through all time points. It follows the cursor, and the cursor follows it.

import { figures } from "./display.js";
import { button, labelled, make, select } from "./dom.js";
import { ROLES } from "./regions.js";

export class RegionTable {
  constructor(viewer) {
    this.viewer = viewer;
    this.scroll = make("div", { class: "hv-scroll", tabindex: 0, role: "group", "aria-label": viewer.text("Regions") });
    this.details = make("div", { class: "hv-details" });
    this.element = make("section", { class: "hv-regions", "aria-label": viewer.text("Regions") }, this.scroll, this.details);
    this.measured = new Map();
  }

  /** Forget what was measured in a region that has changed. */
  forget(region) {
    this.measured.delete(region);
  }

  #measure(region, volume) {
    if (volume.preview) return null; // means and maxima are those of the image itself
    if (!this.measured.has(region)) this.measured.set(region, new Map());
    const of = this.measured.get(region);
    if (!of.has(volume)) of.set(volume, region.measure(volume));
    return of.get(volume);
  }

  update() {
    const { viewer, scroll } = this;
    const focused = scroll.contains(document.activeElement) ? document.activeElement.dataset.row : undefined;
    const rows = new Map();
    for (const region of viewer.regions) rows.set(region.name, [...(rows.get(region.name) ?? []), region]);
    const body = make("tbody", {}, ...[...rows].map(([name, regions]) => this.#row(name, regions)));
    scroll.replaceChildren(make("table", {}, make("caption", {}, viewer.text("Regions")), make("thead", {}, this.#head()), body));
    this.mark();
    if (focused) scroll.querySelector(`[data-row="${CSS.escape(focused)}"]`)?.focus();
    // a name that is being typed is left alone
    if (this.detailed !== viewer.chosen || !this.details.contains(document.activeElement)) this.details.replaceChildren(...this.#details());
    this.detailed = viewer.chosen;
  }

  #head() {
    const { viewer } = this;
    const { unit } = viewer.display.activity;
    const cell = (text, span) => make("th", { scope: "col", colspan: span }, text);
    const times = viewer.shown.filter((t) => viewer.display.volumeOf("activity", t.index));
    const dose = viewer.display.has("dose") ? [cell(viewer.text("Mean dose, Gy"))] : [];
    return make(
      "tr", {}, cell(viewer.text("Show")), cell(viewer.text("Region")), cell(viewer.text("Role")), cell(viewer.text("Volume, mL")),
      ...times.map((t) => cell(`${viewer.text("Maximum")} ${t.label}, ${unit}`)), ...dose,
    );
  }

  #row(name, regions) {
    const { viewer } = this;
    const at = (timePoint) => regions.find((r) => r.shownAt(timePoint));
    const here = at(viewer.activeTime) ?? regions[0];
    const box = make("input", { type: "checkbox", checked: here.visible, "aria-label": `${viewer.text("Show")} ${name}`, onchange: () => viewer.setRegionsVisible(regions, box.checked) });
    const swatch = make("span", { class: "hv-swatch", "aria-hidden": "true" });
    swatch.style.backgroundColor = here.colour;
    const cells = viewer.shown
      .filter((t) => viewer.display.volumeOf("activity", t.index))
      .map((t) => {
        const volume = viewer.display.volumeOf("activity", t.index);
        const found = at(t.index) && this.#measure(at(t.index), volume);
        return make("td", {}, found ? figures(viewer.display.shown(volume, found.maximum), 3) : "–");
      });
    if (viewer.display.has("dose")) cells.push(make("td", {}, this.#dose(here)));
    return make(
      "tr", { "data-name": name }, make("td", {}, box, swatch),
      make("th", { scope: "row" }, button(name, () => viewer.choose(here), { "data-row": name })),
      make("td", { class: "hv-text" }, viewer.text(here.role)), make("td", {}, figures(here.volume_mL, 3)), ...cells,
    );
  }

  #dose(region) {
    const volume = this.viewer.display.volumeOf("dose", region.timePoint ?? this.viewer.activeTime);
    const found = volume && this.#measure(region, volume);
    return found ? figures(found.mean, 3) : "–";
  }

  /** Mark the chosen row and the rows that hold the cursor. */
  mark() {
    const { viewer } = this;
    const under = new Set(viewer.regionsAt(viewer.cursor, viewer.activeTime).map((r) => r.name));
    for (const row of this.element.querySelectorAll("tbody tr")) {
      row.classList.toggle("hv-under", under.has(row.dataset.name));
      row.classList.toggle("hv-chosen", row.dataset.name === viewer.chosen?.name);
      const named = row.querySelector("[data-row]");
      if (under.has(row.dataset.name)) named.setAttribute("aria-current", "location");
      else named.removeAttribute("aria-current");
    }
  }

  #details() {
    const { viewer } = this;
    if (!viewer.canEdit) return [];
    const add = ["lesion", "organ"].map((role) => button(`${viewer.text("New")} ${viewer.text(role)}`, () => viewer.create(role)));
    const region = viewer.chosen;
    if (!region) return add;
    const name = make("input", { type: "text", value: region.name, maxlength: 64, onchange: () => name.value.trim() && viewer.rename(region, name.value.trim()) });
    const role = select(ROLES.map((r) => [r, viewer.text(r)]), region.role, (chosen) => viewer.setRole(region, chosen));
    const remove = button(viewer.text("Delete"), () => viewer.remove(region));
    return [...add, labelled(viewer.text("Name"), name), labelled(viewer.text("Role"), role), remove];
  }
}
