// Opens the viewer in a page: its manifest comes from the server, and edits go there.

import { openViewer } from "./viewer/viewer.js";

const csrf = () => JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";

/** Read an answer, or throw the words in which the server refuses. */
async function read(answer) {
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error([body.refused, body.remedy].filter(Boolean).join(" ") || answer.statusText);
  return body;
}

async function send(address, edit) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf() };
  const answer = await read(await fetch(address, { method: "POST", headers, body: JSON.stringify(edit) }));
  document.body.dispatchEvent(new CustomEvent("regions-changed")); // for what the page says of each region
  return answer;
}

const words = JSON.parse(document.getElementById("viewer-words")?.textContent ?? "{}");
const gettext = (text) => words[text] ?? text;

for (const element of document.querySelectorAll("[data-viewer]")) {
  const manifest = await read(await fetch(element.dataset.viewer));
  const edit = element.dataset.edit;
  const options = { gettext, ...(edit ? { onEdit: (asked) => send(edit, asked) } : {}) };
  const viewer = await openViewer(element, manifest, options);
  if (manifest.volumes.some((volume) => volume.kind === "dose")) {
    viewer.setVisible("dose", true); // the page is about the dose, so the pictures show it
    if (viewer.regions.length) viewer.choose(viewer.regions[0]);
  }
  element.viewer = viewer;
  element.dataset.open = "";
  await viewer.whole;
  element.dataset.ready = "";
}
