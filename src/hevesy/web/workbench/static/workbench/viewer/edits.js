// Edits of regions: applied at once, sent one after another as numbered differences, undone by sending the difference back.

import { difference, runsOf } from "./mask.js";

export class Edits {
  /** @param send the caller's onEdit; @param changed called after each change with the region; @param failed called with what was refused. */
  constructor({ send, changed, failed }) {
    Object.assign(this, { send, changed, failed });
    this.done = [];
    this.undone = [];
    this.waiting = [];
    this.last = Promise.resolve();
  }

  get canUndo() {
    return this.done.length > 0;
  }

  get canRedo() {
    return this.undone.length > 0;
  }

  /** Record voxels that a stroke has changed: arrays of flat indices. */
  stroke(region, tool, { set, clear }) {
    if (!set.length && !clear.length) return;
    const change = { region, set: runsOf(set), clear: runsOf(clear) };
    this.done.push(change);
    this.undone = [];
    this.#queue(change, tool);
  }

  undo() {
    const change = this.done.pop();
    if (change) this.#again(change, "undo", this.undone, { ...change, set: change.clear, clear: change.set });
  }

  redo() {
    const change = this.undone.pop();
    if (change) this.#again(change, "redo", this.done, change);
  }

  #again(change, tool, onto, applied) {
    onto.push(change);
    apply(applied);
    this.#queue(applied, tool);
  }

  #queue(change, tool) {
    this.changed(change.region, tool);
    this.waiting.push(change);
    this.last = this.last.then(() => this.#deliver(change, tool));
  }

  async #deliver(change, tool) {
    if (!this.waiting.includes(change)) return; // taken back with an earlier one that was refused
    const { region, set, clear } = change;
    const base = region.version;
    try {
      const answer = await this.send({ tool, regionId: region.id, baseVersion: base, version: base + 1, set, clear });
      region.version = answer?.version ?? base + 1;
      this.waiting.shift();
    } catch (error) {
      this.#takeBack(error);
    }
  }

  /** Forget the history of a region that is gone. */
  forget(region) {
    this.done = this.done.filter((change) => change.region !== region);
    this.undone = this.undone.filter((change) => change.region !== region);
  }

  // What was drawn after a refused edit stands on it: all that the server has not taken goes, the newest first.
  #takeBack(error) {
    const touched = new Set();
    for (const change of this.waiting.splice(0).reverse()) {
      apply({ ...change, set: change.clear, clear: change.set });
      touched.add(change.region);
    }
    this.done = [];
    this.undone = [];
    for (const region of touched) this.changed(region, "refused");
    this.failed(error);
  }

  /** Ask the server; `take` turns its answer into {region, mask}, and what that changes can be undone. */
  request(edit, take) {
    const asked = this.last.then(async () => {
      const sent = edit();
      const answer = await this.send(sent);
      const taken = await take(answer);
      if (!taken?.mask) return taken?.region ?? null;
      const change = { region: taken.region, ...difference(taken.region.mask, taken.mask) };
      taken.region.mask = taken.mask;
      taken.region.version = answer.version ?? taken.region.version + 1;
      this.done.push(change);
      this.undone = [];
      this.changed(taken.region, sent.tool);
      return taken.region;
    });
    this.last = asked.catch((error) => this.failed(error));
    return this.last;
  }
}

function apply({ region, set, clear }) {
  region.mask.putRuns(clear, false);
  region.mask.putRuns(set, true);
}
