// What the charts of the workbench have in common: the page's own colours, and a size that follows the page.

/** A colour of the page, by the name of its variable. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draw a chart in an element, and again when the page changes its width or its colours. */
export function drawn(element, build) {
  let chart = null;
  const redraw = () => {
    chart?.destroy();
    chart = build(Math.max(260, element.clientWidth));
  };
  redraw();
  let width = element.clientWidth;
  new ResizeObserver(() => {
    if (Math.abs(element.clientWidth - width) < 2) return;
    width = element.clientWidth;
    redraw();
  }).observe(element);
  document.addEventListener("themechange", redraw);
  return redraw;
}

/** A number of an axis as the page writes it: no comma, which some read as the decimal one, and a space in long ones. */
function written(number) {
  const [whole, part] = String(Number(number.toPrecision(6))).split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  return part ? `${grouped}.${part}` : grouped;
}

/** An axis with its name in the page's colours. */
export const axis = (label) => ({
  label,
  values: (_, numbers) => numbers.map((one) => (one == null ? "" : written(one))),
  stroke: colour("--soft"),
  grid: { stroke: colour("--line"), width: 1 },
  ticks: { stroke: colour("--line"), width: 1 },
  font: "12px system-ui",
  labelFont: "12px system-ui",
});
