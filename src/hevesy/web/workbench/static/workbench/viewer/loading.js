// How a viewer's images come: first what is on show, large images as previews; then those images whole; then the other time points.

import { Region } from "./regions.js";
import { previewOf, Volume } from "./volume.js";

export class Loading {
  /** Asks for what is on show, so that it comes while the viewer is made. */
  constructor(viewer) {
    this.viewer = viewer;
    const { volumes, regions = [] } = viewer.manifest;
    this.volumes = volumes;
    this.regions = regions;
    const shown = volumes.filter((entry) => entry.timePoint == null || viewer.shownTimes.has(entry.timePoint)).map(previewOf);
    this.coming = shown.map((entry) => [entry, viewer.fetchVolume(entry)]);
  }

  /** Resolves when what is on show, and every region, can be drawn. */
  async first() {
    const { viewer } = this;
    const shown = this.coming.map(async ([entry, bytes]) => viewer.show(new Volume(entry, await bytes)));
    this.coming = null;
    const drawn = this.regions.map(async (entry) => new Region(entry, entry.url && new Uint8Array(await viewer.fetchVolume(entry))));
    [viewer.regions] = await Promise.all([Promise.all(drawn), ...shown]);
  }

  /** Resolves when every volume is there whole. */
  async whole() {
    const had = (wanted) => this.volumes.filter(({ id }) => this.viewer.display.volumes.some((v) => v.id === id && Boolean(v.preview) === wanted));
    const [previewed, whole] = [had(true), new Set(had(false))];
    for (const entries of [previewed, this.volumes.filter((entry) => !whole.has(entry) && !previewed.includes(entry))]) {
      await Promise.all(entries.map((entry) => this.#take(entry)));
    }
  }

  // A whole volume is made ready bit by bit, so that the page answers meanwhile
  async #take({ preview, ...entry }) {
    const { viewer } = this;
    const volume = new Volume(entry, await viewer.fetchVolume(entry));
    await Promise.all([viewer.renderer.bring(volume), volume.findBlocks()]);
    viewer.show(volume);
  }
}
