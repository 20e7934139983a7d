// How numbers become colours and words.

const ramp = (...stops) => {
  const table = new Uint8Array(256 * 4);
  for (let i = 0; i < 256; i += 1) {
    const at = i / 255;
    const next = Math.max(1, stops.findIndex(([x]) => x >= at));
    const [x0, ...low] = stops[next - 1];
    const [x1, ...high] = stops[next];
    low.forEach((c, channel) => {
      table[4 * i + channel] = Math.round(c + ((high[channel] - c) * (at - x0)) / (x1 - x0));
    });
    table[4 * i + 3] = 255;
  }
  return table;
};

// hot metal: black, red, yellow, white, each primary rising in turn; viridis through 9 of its published colours
export const COLOUR_MAPS = {
  grey: ramp([0, 0, 0, 0], [1, 255, 255, 255]),
  "inverse grey": ramp([0, 255, 255, 255], [1, 0, 0, 0]),
  "hot metal": ramp([0, 0, 0, 0], [0.5, 255, 0, 0], [0.75, 255, 255, 0], [1, 255, 255, 255]),
  viridis: ramp(
    [0, 68, 1, 84], [0.125, 71, 44, 122], [0.25, 59, 81, 139], [0.375, 44, 113, 142], [0.5, 33, 144, 141],
    [0.625, 39, 173, 129], [0.75, 92, 200, 99], [0.875, 170, 220, 50], [1, 253, 231, 37],
  ),
  // dose: blue through green and yellow to red, the order in which isodoses are read
  isodose: ramp([0, 20, 40, 160], [0.3, 0, 160, 200], [0.55, 40, 180, 60], [0.75, 250, 220, 30], [1, 215, 25, 30]),
};

/** CT windows [centre, width], HU. */
export const CT_WINDOWS = {
  "soft tissue": [40, 400],
  lung: [-600, 1500],
  bone: [500, 2000],
  liver: [60, 160],
};

export const windowEnds = ([centre, width]) => [centre - width / 2, centre + width / 2];

const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];

/** A number to `digits` figures, without an exponent. */
export function figures(value, digits = 4) {
  if (value === 0) return "0";
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 9));
}

/** A value with its unit, as a person reads it. */
export function withUnit(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "HU") return `${Math.round(value)} HU`;
  if (unit === "SUV") return `SUV ${value.toFixed(2)}`;
  if (unit === "Gy") return `${figures(value, 3)} Gy`;
  if (unit !== "Bq/mL") return `${figures(value)} ${unit}`;
  const [size, prefix] = PREFIXES.find(([s]) => Math.abs(value) >= s) ?? [1, ""];
  return `${figures(value / size)} ${prefix}Bq/mL`;
}

/** Ticks of a colour bar: round numbers from low to high. */
export function ticks(low, high) {
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high * (1 + 1e-9); n += 1) found.push(n * step);
  return found;
}
