// What the viewer asks of the server about regions, and what it does with the answer.

import { maskOf, Region } from "./regions.js";

/** Ask for a region's voxels within a sphere by a threshold; without a region the server makes one. */
export function askSphere(viewer, centre, radius, timePoint) {
  const volume = viewer.display.volumeOf("activity", timePoint);
  if (!volume) return viewer.notify(viewer.text("There is no activity image at this time point to threshold."));
  const region = viewer.regionAt(timePoint);
  return ask(viewer, {
    tool: "sphere", regionId: region?.id ?? null, volumeId: volume.id, timePoint, centreMm: centre, radiusMm: radius,
    method: viewer.method, ...(viewer.method === "suv" ? { threshold: viewer.threshold } : {}),
  });
}

/** Ask for the voxels that belong together with the one at a point. */
export function askGrowth(viewer, seed, timePoint) {
  const volume = viewer.display.volumeOf("activity", timePoint);
  const region = volume && viewer.regionToEdit(timePoint);
  return region && ask(viewer, { tool: "grow", regionId: region.id, volumeId: volume.id, seedMm: seed, method: viewer.method });
}

export const askInterpolation = (viewer) => viewer.chosen && ask(viewer, { tool: "interpolate", regionId: viewer.chosen.id });

export function create(viewer, role) {
  const volume = viewer.display.volumeOf("activity", viewer.activeTime) ?? viewer.stepVolume(viewer.activeTime);
  const taken = new Set(viewer.regions.map((r) => r.name));
  let n = 1;
  while (taken.has(`${role} ${n}`)) n += 1;
  return ask(viewer, { tool: "create", name: `${role} ${n}`, role, volumeId: volume.id, timePoint: viewer.activeTime });
}

export const rename = (viewer, region, name) => alter(viewer, region, { tool: "rename", regionId: region.id, name }, () => (region.name = name));

export const setRole = (viewer, region, role) => alter(viewer, region, { tool: "role", regionId: region.id, role }, () => (region.role = role));

export const remove = (viewer, region) =>
  alter(viewer, region, { tool: "delete", regionId: region.id, baseVersion: region.version }, () => {
    viewer.edits.forget(region);
    viewer.dropRegion(region);
  });

function alter(viewer, region, edit, done) {
  return viewer.edits.request(() => edit, (answer) => {
    done();
    if (answer?.version) region.version = answer.version;
    viewer.regionChanged(region, edit.tool);
    return { region };
  });
}

async function ask(viewer, edit) {
  const known = () => viewer.regions.find((r) => r.id === edit.regionId);
  const region = await viewer.edits.request(
    // places are those of the scans as they were moved when the page was opened
    () => ({ ...edit, baseVersion: known()?.version ?? 0, ...(viewer.manifest.registration ? { registration: viewer.manifest.registration } : {}) }),
    async (answer) => {
      const target = known() ?? viewer.addRegion(new Region(answer.region));
      if (!answer.mask) return { region: target };
      const data = answer.mask.data ?? new Uint8Array(await viewer.fetchVolume(answer.mask));
      return { region: target, mask: maskOf(target.grid, answer.mask, data) };
    },
  );
  if (region) viewer.choose(region, { move: false });
  return region;
}
