// Files are sent in bundles: many small ones, or pieces of a large one, in one request. What is sent twice is written
// once, so that after a broken connection the bundle is simply sent again.

const BUNDLE = 8 * 1024 ** 2; // bytes of one request
const PIECES = 500; // pieces of one request
const LISTED = 200; // files that are shown one by one
const LONGEST_WAIT = 30_000; // ms between two attempts
const KEY = "hevesy-import"; // an import that was not finished, so that it goes on when the same files are chosen again

const form = document.getElementById("upload");
const drop = document.getElementById("drop");
const whole = document.getElementById("whole");
const each = document.getElementById("each");
const said = document.getElementById("said");
const texts = form.dataset;
let stopped = false;

const say = (text) => { said.textContent = text; };
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const size = (bytes) => {
  const power = Math.min(4, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)));
  const unit = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"][power];
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, maximumFractionDigits: 1 }).format(bytes / 1024 ** power);
};

/** All files below what was dropped, each with its path. */
async function below(entry, path, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, name: path + file.name });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most a hundred at once
    if (!some.length) return;
    for (const inner of some) await below(inner, `${path}${entry.name}/`, found);
  }
}

/** One request of the API, tried again until it comes through or is refused. */
async function request(method, address, body) {
  for (let pause = 500; ; pause = Math.min(2 * pause, LONGEST_WAIT)) {
    if (stopped) throw new Error("");
    let answer;
    try {
      const headers = { "X-CSRFToken": form.csrfmiddlewaretoken.value, Accept: "application/json" };
      if (body && !(body instanceof Blob)) headers["Content-Type"] = "application/json";
      else if (body) headers["Content-Type"] = "application/octet-stream";
      answer = await fetch(address, { method, headers, body: body && !(body instanceof Blob) ? JSON.stringify(body) : body });
    } catch {
      answer = null;
    }
    if (answer?.ok) return answer.json();
    if (answer && answer.status < 500 && answer.status !== 429) {
      const refusal = await answer.json().catch(() => ({}));
      throw new Error(`${refusal.refused ?? answer.status} ${refusal.remedy ?? ""}`.trim());
    }
    say(texts.waiting);
    await wait(pause);
  }
}

/** Which files these are, to know them again; names and sizes only. */
function mark(files) {
  let sum = 0;
  for (const { file, name } of files) {
    for (const letter of `${name} ${file.size}`) sum = (Math.imul(sum, 31) + letter.codePointAt(0)) | 0;
  }
  return `${files.length} ${sum} ${form.deidentify.checked}`;
}

/** The import that these files belong to, and what of them has arrived. */
async function open(files) {
  const known = JSON.parse(localStorage.getItem(KEY) ?? "null");
  if (known?.mark === mark(files)) {
    try {
      const here = await request("GET", `${texts.api}/${known.id}/files`);
      say(texts.resumed);
      return { id: known.id, here: new Map(here.map((file) => [file.name, file.size])) };
    } catch {
      // it is finished or gone: begin another
    }
  }
  const made = await request("POST", texts.api, { identifier: form.identifier.value.trim(), deidentify: form.deidentify.checked });
  localStorage.setItem(KEY, JSON.stringify({ id: made.id, mark: mark(files) }));
  return { id: made.id, here: new Map() };
}

/** Pieces of all files in bundles that fit into a request. */
function* bundles(files, here) {
  let pieces = [], length = 0;
  for (const entry of files) {
    let offset = Math.min(here.get(entry.name) ?? 0, entry.file.size);
    if (offset === entry.file.size && here.has(entry.name)) continue;
    do {
      const end = Math.min(entry.file.size, offset + BUNDLE - length);
      pieces.push({ entry, offset, end });
      length += end - offset;
      offset = end;
      if (length >= BUNDLE || pieces.length >= PIECES) {
        yield pieces;
        pieces = [], length = 0;
      }
    } while (offset < entry.file.size);
  }
  if (pieces.length) yield pieces;
}

function body(pieces) {
  const parts = pieces.flatMap(({ entry, offset, end }) => [
    `${JSON.stringify({ name: entry.name, offset, length: end - offset })}\n`,
    entry.file.slice(offset, end),
  ]);
  return new Blob(parts, { type: "application/octet-stream" });
}

/** A line for each of the first files, with its own bar. */
function list(files) {
  each.replaceChildren(
    ...files.slice(0, LISTED).map((entry) => {
      const line = document.createElement("li");
      const name = document.createElement("span");
      name.textContent = entry.name;
      name.dir = "auto";
      entry.bar = document.createElement("progress");
      entry.bar.max = Math.max(entry.file.size, 1);
      entry.bar.value = 0;
      entry.bar.setAttribute("aria-label", entry.name);
      line.append(name, entry.bar);
      return line;
    }),
  );
}

function reach(entry, end) {
  if (entry.bar) entry.bar.value = entry.file.size ? end : 1;
}

/** Send everything, then have it imported and show the report. */
async function send(files) {
  if (!files.length) { document.getElementById("sending").hidden = false; say(texts.none); return; }
  stopped = false;
  document.getElementById("sending").hidden = false;
  drop.inert = true;
  list(files);
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  try {
    const { id, here } = await open(files);
    let bytes = 0, done = 0;
    for (const entry of files) {
      const there = here.get(entry.name);
      if (there === undefined) continue;
      bytes += there;
      done += there === entry.file.size ? 1 : 0;
      reach(entry, there);
    }
    for (const pieces of bundles(files, here)) {
      await request("PUT", `${texts.api}/${id}/files`, body(pieces));
      for (const { entry, offset, end } of pieces) {
        bytes += end - offset;
        done += end === entry.file.size ? 1 : 0;
        reach(entry, end);
      }
      whole.value = total ? bytes / total : 1;
      say(fill(texts.sending, { done, all: files.length, bytes: size(bytes), total: size(total) }));
    }
    await request("POST", `${texts.api}/${id}/finish`);
    localStorage.removeItem(KEY);
    say(texts.sent);
    location.assign(`${texts.report}${id}/`);
  } catch (error) {
    drop.inert = false;
    say(stopped ? "" : fill(texts.failed, { reason: error.message }));
  }
}

for (const input of form.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => send([...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name }))));
}
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  document.getElementById("sending").hidden = false;
  say(texts.collecting);
  const found = [];
  for (const entry of entries) await below(entry, "", found);
  send(found);
});
document.getElementById("stop").addEventListener("click", () => { stopped = true; });
