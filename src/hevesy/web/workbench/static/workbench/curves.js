// Time-activity curves: points with their bars, the fit with its band, dashed where nothing was measured.
// A point dragged off the chart, or its button, asks why it is left out.

import { axis, colour, drawn } from "./chart.js";

const COVERAGE = 1.96;
const FAR = 48; // px that a point is dragged before it is meant

/** Ask why a point is left out. */
function ask(region, name, scan) {
  const dialog = document.getElementById("leave-out");
  const form = dialog.querySelector("form");
  form.elements.region.value = region;
  form.elements.scan.value = scan;
  const which = dialog.querySelector("[data-which]");
  which.textContent = `${name}, ${which.dataset.which} ${scan}`;
  dialog.showModal();
}

/** The curve before and after the last measurement, its band, and the points, on one axis of times. */
function columns(region) {
  const curve = region.fit?.curve ?? { t_h: [], activity_MBq: [], lower95_MBq: [], upper95_MBq: [] };
  const times = [...new Set([...curve.t_h, ...region.points.map((p) => p.t_h)])].sort((a, b) => a - b);
  const at = (values) => {
    const known = new Map(curve.t_h.map((t, n) => [t, values[n]]));
    return times.map((t) => known.get(t) ?? null);
  };
  const until = region.fit?.measured_until_h ?? 0;
  const line = at(curve.activity_MBq);
  const points = new Map(region.points.map((p) => [p.t_h, p]));
  const where = (keep) => times.map((t) => (points.has(t) && keep(points.get(t)) ? points.get(t).activity_MBq : null));
  return [
    times,
    at(curve.lower95_MBq),
    at(curve.upper95_MBq),
    line.map((v, n) => (times[n] <= until + 1e-9 ? v : null)),
    line.map((v, n) => (times[n] >= until - 1e-9 ? v : null)),
    where((p) => !p.left_out),
    where((p) => p.left_out),
  ];
}

/** The highest value that the chart shows: points and curve, and the band as far as twice those. */
function highest(region) {
  const points = region.points.map((p) => p.activity_MBq + COVERAGE * p.u_MBq);
  const line = region.fit?.curve.activity_MBq ?? [];
  const high = Math.max(...points, ...line);
  return 1.06 * Math.min(Math.max(high, ...(region.fit?.curve.upper95_MBq ?? [0])), 2 * high);
}

/** Bars of each point, drawn over the curve. */
function bars(region) {
  return (chart) => {
    const { ctx } = chart;
    ctx.save();
    ctx.strokeStyle = colour("--ink");
    ctx.lineWidth = devicePixelRatio;
    for (const point of region.points) {
      const x = chart.valToPos(point.t_h, "x", true);
      const least = chart.scales.y.min;
      const [low, high] = [-1, 1].map((side) => Math.max(point.activity_MBq + side * COVERAGE * point.u_MBq, least));
      ctx.beginPath();
      ctx.moveTo(x, chart.valToPos(low, "y", true));
      ctx.lineTo(x, chart.valToPos(high, "y", true));
      ctx.stroke();
    }
    ctx.restore();
  };
}

/** A handle over each point that can be dragged off. */
function handles(region) {
  return (chart) => {
    chart.over.querySelectorAll(".point-handle").forEach((one) => one.remove());
    if (region.body) return;
    for (const point of region.points.filter((p) => !p.left_out)) {
      const handle = document.createElement("span"); // the table beside the chart has a button for the keyboard
      handle.className = "point-handle";
      handle.dataset.scan = point.scan;
      handle.style.left = `${chart.valToPos(point.t_h, "x")}px`;
      handle.style.top = `${chart.valToPos(point.activity_MBq, "y")}px`;
      handle.addEventListener("pointerdown", (event) => drag(event, handle, region, point.scan));
      chart.over.append(handle);
    }
  };
}

function drag(down, handle, region, scan) {
  down.preventDefault();
  down.stopPropagation();
  handle.setPointerCapture(down.pointerId);
  handle.classList.add("dragged");
  const move = (event) => {
    handle.style.transform = `translate(${event.clientX - down.clientX}px, ${event.clientY - down.clientY}px)`;
  };
  const up = (event) => {
    handle.removeEventListener("pointermove", move);
    handle.classList.remove("dragged");
    handle.style.transform = "";
    if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > FAR) ask(region.structure, region.name, scan);
  };
  handle.addEventListener("pointermove", move);
  handle.addEventListener("pointerup", up, { once: true });
}

function chartOf(element, region) {
  const build = (width) => {
    const log = document.getElementById("log").checked;
    const accent = colour("--accent");
    const high = highest(region);
    const options = {
      width,
      height: 320,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: (_, least, most) => [0, most] },
        y: log ? { distr: 3, range: [high / 1e4, high] } : { range: [0, high] },
      },
      axes: [axis(element.dataset.x), { ...axis(element.dataset.y), size: 62 }],
      bands: [{ series: [2, 1], fill: colour("--band") }],
      series: [
        {},
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
        { stroke: accent, width: 2, points: { show: false } },
        { stroke: accent, width: 2, dash: [6, 5], points: { show: false } },
        { stroke: colour("--ink"), width: 0, points: { show: true, size: 8, fill: colour("--ink") } },
        { stroke: colour("--ink"), width: 0, points: { show: true, size: 8, fill: colour("--page") } },
      ],
      hooks: { draw: [bars(region), handles(region)] },
    };
    const data = columns(region);
    const positive = log ? data.map((one, n) => (n ? one.map((v) => (v > 0 ? v : null)) : one)) : data;
    return new window.uPlot(options, positive, element);
  };
  return drawn(element, build);
}

/** Draw every chart of the page. */
function drawAll() {
  const regions = JSON.parse(document.getElementById("curves")?.textContent ?? "[]");
  const redraws = [...document.querySelectorAll("[data-curve]")].map((e) => chartOf(e, regions[Number(e.dataset.curve)]));
  document.getElementById("log")?.addEventListener("change", () => redraws.forEach((redraw) => redraw()));
}

/** Send a choice, and show the new fit where the old one stood: the page stays where it is. */
async function choose(event) {
  const form = event.target;
  if (!document.getElementById("curves") || !form.closest("main") || form.method !== "post") return;
  event.preventDefault();
  form.closest("dialog")?.close();
  const main = document.getElementById("main");
  const [log, place] = [document.getElementById("log").checked, scrollY];
  const focused = document.activeElement?.id;
  main.setAttribute("aria-busy", "true");
  const answer = await fetch(location.href, { method: "POST", body: new FormData(form) }).catch(() => null);
  const page = new DOMParser().parseFromString((await answer?.text()) ?? "", "text/html");
  const fresh = page.getElementById("main");
  if (!answer?.ok || !fresh?.querySelector("#curves")) {
    location.reload(); // it takes longer than a moment, or was refused: the page itself says so
    return;
  }
  main.replaceWith(document.adoptNode(fresh));
  document.getElementById("log").checked = log;
  drawAll();
  scrollTo(0, place);
  document.getElementById(focused)?.focus({ preventScroll: true });
}

drawAll();
document.addEventListener("submit", choose);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-leave-out]");
  if (button) ask(button.dataset.region, button.dataset.name, button.dataset.leaveOut);
});
