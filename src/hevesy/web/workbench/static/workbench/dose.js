// Cumulative dose-volume histograms of all regions on one chart.

import { axis, colour, drawn } from "./chart.js";

const INK = ["--accent", "--bad", "--good", "--warn", "--soft", "--ink"];
const DASHES = [[], [8, 4], [2, 3]];

const element = document.getElementById("dvh");
const regions = JSON.parse(document.getElementById("regions")?.textContent ?? "[]").filter((r) => r.dose_volume_histogram);

/** The share of the volume (%) that receives at least each of many doses, by straight lines between those known. */
function resampled(histogram, doses) {
  const { dose_Gy: x, volume_fraction: y } = histogram;
  let n = 0;
  return doses.map((dose) => {
    if (dose > x.at(-1)) return 0;
    while (n < x.length - 2 && x[n + 1] < dose) n += 1;
    const share = x[n + 1] > x[n] ? (dose - x[n]) / (x[n + 1] - x[n]) : 0;
    return 100 * (y[n] + Math.min(Math.max(share, 0), 1) * (y[n + 1] - y[n]));
  });
}

if (element && regions.length) {
  const most = Math.max(...regions.map((r) => r.dose_volume_histogram.dose_Gy.at(-1)));
  const doses = Array.from({ length: 401 }, (_, n) => (most * n) / 400);
  const data = [doses, ...regions.map((r) => resampled(r.dose_volume_histogram, doses))];
  drawn(element, (width) => {
    const lines = regions.map((region, n) => ({
      label: region.name,
      stroke: colour(INK[n % INK.length]),
      dash: DASHES[Math.floor(n / INK.length) % DASHES.length],
      width: 2,
      points: { show: false },
      value: (_, v) => (v == null ? "–" : `${v.toFixed(1)}%`),
    }));
    const options = {
      width,
      height: 340,
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false }, y: { range: [0, 102] } },
      axes: [axis(element.dataset.x), axis(element.dataset.y)],
      series: [{ label: "Gy", value: (_, v) => (v == null ? "–" : v.toPrecision(3)) }, ...lines],
    };
    return new window.uPlot(options, data, element);
  });
}
