"""A study page in a real browser: how long until a person can work with a CT and a SPECT of 256³ voxels.

On a real site with its server and worker, over loopback, in headless Chromium that draws in software. Two studies: CT
and SPECT of 256³ voxels, whose page is to be interactive in 3 s; and a CT of 512 × 512 × 400 with a SPECT of 128³.

Interactive is: from the click to when every picture (the projection among them, at a third of its resolution) has been
drawn and can be read back, large volumes from their previews, and the cursor, moved thereafter by a key, has been
answered in all of them. Sharp is: every volume has been fetched in full and drawn, and its values are told. When the
projection has its full resolution stands beside. The lower bound of the same run: a blank page of the same site that
fetches the same bytes and does nothing with them. The browser is new, and has shown the worklist and nothing else.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests/web/jobs"))
from killing import Site, throw_away_site, wait_for  # the same real server as in the tests of killing

ROOT = Path(__file__).parents[1]
ROUNDS = 3
GOAL_S = 3.0
PATIENCE_MS = 180_000
_KINDS = {"GPU": "drawing", "renderer": "pages", "network.mojom.NetworkService": "network"}
#: noise of the SPECT, of its value, and how far it is correlated (standard deviation), as after a reconstruction
_NOISE, _NOISE_MM = 0.15, 4.0
FLAGS = ["--no-sandbox", "--disable-quic", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]

#: the last thing drawn has been drawn once a pixel of it can be read
_DRAWN = """const drawn = async (stage) => {
  const { viewer } = document.querySelector("[data-viewer]");
  await viewer.settled(stage);
  const { gl } = viewer.renderer;
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
};"""
_INTERACTIVE = f"""async () => {{
  {_DRAWN}
  const find = () => document.querySelector("[data-viewer][data-open]");
  while (!find()) await new Promise((wake) => setTimeout(wake, 5));
  const element = find();
  await drawn("drawn");
  const pictures = performance.now();
  const pane = element.querySelector(".hv-axial");
  const before = pane.closest(".hv-row").querySelector("output").textContent;
  pane.dispatchEvent(new KeyboardEvent("keydown", {{ key: "PageUp" }}));
  await drawn("drawn");
  if (pane.closest(".hv-row").querySelector("output").textContent === before) throw new Error("No answer");
  const interactive = performance.now();
  let [busiest, last, waiting] = [0, interactive, true];
  const channel = new MessageChannel();  // a message that answers itself comes as soon as the page is free
  channel.port1.onmessage = () => {{
    busiest = Math.max(busiest, performance.now() - last);
    last = performance.now();
    if (waiting) setTimeout(() => channel.port2.postMessage(null), 4);
  }};
  channel.port2.postMessage(null);
  await element.viewer.whole;
  waiting = false;
  await drawn("drawn");
  const sharp = performance.now();
  if (!/HU.*Bq/.test(element.querySelector(".hv-readout").textContent)) throw new Error("No values");
  const fetched = performance.getEntriesByType("resource").filter((r) => r.name.includes("/images/"));
  return {{
    pictures, interactive, sharp, busiest,
    began: Math.min(...fetched.map((r) => r.startTime)), fetched: Math.max(...fetched.map((r) => r.responseEnd)),
    sent: performance.getEntriesByType("resource").reduce((sum, r) => sum + r.transferSize, 0),
    images: fetched.map((r) => r.name),
  }};
}}"""
_REFINED = f"""async () => {{
  {_DRAWN}
  await drawn("refined");
  return performance.now();
}}"""
_WINDOW = f"""async () => {{
  {_DRAWN}
  const {{ viewer }} = document.querySelector("[data-viewer]");
  const took = [];
  for (let n = 0; n < 5; n += 1) {{
    const began = performance.now();
    viewer.setWindow("anatomy", -160 - n, 240 + 10 * n);
    await drawn("drawn");
    took.push(performance.now() - began);
  }}
  return Math.min(...took);
}}"""
_BARE = """async (addresses) => {
  const began = performance.now();
  const bytes = await Promise.all(addresses.map(async (one) => (await (await fetch(one)).arrayBuffer()).byteLength));
  return { took: performance.now() - began, bytes: bytes.reduce((a, b) => a + b) };
}"""


@dataclass(frozen=True, slots=True)
class Study:
    """Sizes of a study: voxels and spacings (mm) of its CT and its SPECT."""

    name: str
    ct: tuple[int, int, int]
    ct_mm: tuple[float, float, float]
    spect: tuple[int, int, int]
    spect_mm: tuple[float, float, float]


STUDIES = (
    Study("256³ CT + 256³ SPECT", (256, 256, 256), (1.6, 1.6, 1.6), (256, 256, 256), (1.6, 1.6, 1.6)),
    Study("512 × 512 × 400 CT + 128³ SPECT", (512, 512, 400), (0.8, 0.8, 1.0), (128, 128, 128), (3.2, 3.2, 3.2)),
)


def write_study(study: Study, folder: Path) -> None:
    """Write a patient's CT, with the noise that makes a CT hard to compress, and SPECT, both of formulas."""
    import numpy as np
    from scipy.ndimage import gaussian_filter

    from factories.dicom import ct, pet, write
    from factories.therapy_case import INJECTED, scan  # the tags that make a scan of a therapy

    rng = np.random.default_rng(1)
    tags = scan(24.0, 1)[0]
    shared = ("CollimatorType", "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime", "StudyDate")
    kept = {key: tags[key].value for key in (*shared, "StudyTime", "ActualFrameDuration")}
    injected = {"RadiopharmaceuticalInformationSequence": tags.RadiopharmaceuticalInformationSequence}

    body, hot = _shapes(study.ct, study.ct_mm)
    noise = rng.normal(0, 12, body.shape).astype(np.float32)
    stored = np.rint(np.where(body, 1064 + 3 * noise / 2 + 40 * hot, 24 + noise)).clip(0, 4095).astype(np.uint16)
    facts = {"SeriesDate": kept["SeriesDate"], "SeriesTime": kept["SeriesTime"], "StudyDate": f"{INJECTED:%Y%m%d}"}
    write(folder / "ct", ct(stored, spacing_mm=study.ct_mm, origin_mm=_origin(study.ct, study.ct_mm), **facts))

    body, hot = _shapes(study.spect, study.spect_mm)
    mean = np.where(body, 40.0, 0.0) + 2000.0 * hot
    sigma = [_NOISE_MM / size for size in reversed(study.spect_mm)]
    noise = gaussian_filter(rng.normal(0, 1, body.shape).astype(np.float32), sigma, mode="wrap")
    counts = np.rint(mean * (1 + _NOISE * noise / noise.std())).clip(0).astype(np.uint16)
    more = {"SeriesDescription": "SPECT", "SeriesInstanceUID": "1.2.3.10", "RescaleSlope": "150"}
    written = pet(
        counts, spacing_mm=study.spect_mm, origin_mm=_origin(study.spect, study.spect_mm), **kept, **injected, **more
    )
    write(folder / "spect", written)
    (folder / "case.yaml").write_text("registration: none\n", encoding="utf-8")


def _origin(shape: tuple[int, int, int], mm: tuple[float, float, float]) -> tuple[float, ...]:
    return tuple(-(n - 1) / 2 * size for n, size in zip(shape, mm, strict=True))


def _shapes(shape: tuple[int, int, int], mm: tuple[float, float, float]) -> tuple[Any, Any]:
    """Return a body (slices, rows, columns), and how hot it is: a blob for each lesion and organ."""
    import numpy as np

    x, y, z = (np.arange(n, dtype=np.float32) * s + o for n, s, o in zip(shape, mm, _origin(shape, mm), strict=True))
    z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]
    body = (x / 170) ** 2 + (y / 110) ** 2 + (z / 230) ** 4 < 1
    hot = sum(
        np.exp(-0.5 * (((x - a) / r) ** 2 + ((y - b) / r) ** 2 + ((z - c) / r) ** 2))
        for a, b, c, r in ((-60, 0, 40, 35), (60, 20, 0, 18), (-60, 30, -20, 18), (20, -40, 90, 9), (-90, 0, 120, 7))
    )
    return np.broadcast_to(body, (shape[2], shape[1], shape[0])), hot


def enter(folder: str) -> dict[str, str]:
    """In a process of the site: import a study, begin its administration, compute what its page shows, sign in."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from hevesy.web.site.accounts.models import Person
    from hevesy.web.site.store.importing import import_path
    from hevesy.web.site.store.models import Patient
    from hevesy.web.workbench import acts

    person, _ = Person.objects.get_or_create(username="physicist", defaults={"role": "physicist"})
    import_path(Path(folder), person)
    patient = Patient.objects.get()
    made = acts.begin_administration(person, patient, patient.studies.all(), None)
    jobs = [acts.ask_check(person, made), acts.ask_images(person, made)]
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return {"administration": str(made.pk), "cookie": session.session_key, "jobs": [str(one.pk) for one in jobs]}


@contextmanager
def entered(study: Study) -> Iterator[tuple[Site, dict[str, Any]]]:
    """Give a site that holds a study, its images ready for the viewer."""
    folder = Path(tempfile.mkdtemp(prefix="hevesy-study-"))
    try:
        write_study(study, folder)
        with throw_away_site(workers=1, paths=(ROOT,)) as site:
            site.start()
            known = site.call("benchmarks.viewer:enter", str(folder))
            wait_for(lambda: _done(site), 600, lambda: f"not done: {_states(site)}")
            yield site, known
            site.stop()
    finally:
        shutil.rmtree(folder)


def _states(site: Site) -> list[tuple[Any, ...]]:
    return site.query("SELECT kind, state, error FROM jobs_job")


def _done(site: Site) -> bool:
    states = _states(site)
    if failed := [one for one in states if one[1] == "failed"]:
        raise RuntimeError(f"A job failed: {failed}")
    return all(state == "done" for _, state, _ in states)


def opened(chromium: Any, site: Site, known: dict[str, Any], use: Callable[[Any], Any], path: str) -> Any:
    """Open a page of the site in a new context, whose cache is empty, and return what `use` makes of it."""
    context = chromium.new_context(base_url=site.address, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    cookie = {"name": "sessionid", "value": known["cookie"], "url": site.address}
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto("/", wait_until="networkidle")  # who opens a study comes from the worklist
    page.goto(path, wait_until="commit")
    found = use(page)
    if folder := os.environ.get("HEVESY_SCREENS"):
        page.screenshot(path=Path(folder) / f"benchmark-viewer-{Path(path).name}.png")
    context.close()
    return found


def browser_cpu(chromium: Any) -> Counter[str]:
    """Return the processor time of the browser's living processes, s: for each kind, and for all."""
    session = chromium.new_browser_cdp_session()
    told = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    found: Counter[str] = Counter()
    for one in told:
        found[_KINDS.get(one["type"], "other")] += one["cpuTime"]
        found["all"] += one["cpuTime"]
    return found


def measured(chromium: Any, site: Site, known: dict[str, Any]) -> dict[str, Any]:
    """Open the study page once, and fetch the same bytes alone."""
    page = f"/administrations/{known['administration']}/regions"
    server = site.server_cpu()

    def use(page: Any) -> dict[str, Any]:
        found = page.evaluate(_INTERACTIVE)
        cpu = browser_cpu(chromium)
        return {**found, "cpu": cpu, "refined": page.evaluate(_REFINED), "window": page.evaluate(_WINDOW)}

    found = opened(chromium, site, known, use, page)
    server = site.server_cpu() - server
    bare = opened(chromium, site, known, lambda page: page.evaluate(_BARE, found["images"]), "/health")
    return {**found, "server": server, "bare": bare["took"], "unpacked": bare["bytes"]}


def main() -> None:
    """Print how long the study page takes."""
    from playwright.sync_api import sync_playwright

    for study in STUDIES:
        began = time.perf_counter()
        with entered(study) as (site, known), sync_playwright() as driver:
            print(f"{study.name}: imported and made ready in {time.perf_counter() - began:.0f} s", flush=True)
            for number in range(ROUNDS):
                # a new browser each time: nothing is compiled, cached or warm
                chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
                idle = browser_cpu(chromium)
                one = measured(chromium, site, known)
                print(f"  {number + 1}: {_line(one, one['cpu'] - idle)}", flush=True)
                chromium.close()


def _line(one: dict[str, Any], cpu: Counter[str]) -> str:
    moments = ("pictures", "interactive", "sharp", "refined", "began", "fetched", "bare", "window")
    s = {key: one[key] / 1e3 for key in moments}
    goal = f" (goal for 256³ {GOAL_S:.0f} s)"
    return (
        f"all pictures {s['pictures']:.2f} s, interactive {s['interactive']:.2f} s{goal}, "
        f"busy for at most {one['busiest']:.0f} ms until sharp at {s['sharp']:.2f} s, "
        f"projection in full {s['refined']:.2f} s; CPU s until sharp: "
        f"{', '.join(f'{kind} {took:.2f}' for kind, took in cpu.items())}, server {one['server']:.2f}; "
        f"images asked for at {s['began']:.2f} s, there at {s['fetched']:.2f} s; {one['sent'] / 1e6:.1f} MB sent, "
        f"{one['unpacked'] / 1e6:.0f} MB unpacked; the same bytes alone {s['bare']:.2f} s "
        f"(ratio of sharp {one['sharp'] / one['bare']:.1f}); window change {one['window']:.0f} ms"
    )
