"""A patient made of formulas, and a server that shows it to the viewer under a strict content security policy."""

import json
import mimetypes
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from hevesy.core import Grid

WEB = Path(__file__).parents[2] / "src/hevesy/web"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Viewer</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/site/site.css"><link rel="stylesheet" href="/static/workbench/viewer/viewer.css">
<script type="module" src="/page.js"></script></head>
<body><main><h1>Viewer</h1><div id="host"></div></main></body></html>"""
SCRIPT = """
import { openViewer } from "/static/workbench/viewer/viewer.js";
window.heard = { cursor: [], regions: [], violations: [] };
const breach = (event) => window.heard.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
document.addEventListener("securitypolicyviolation", breach);
const manifest = await (await fetch("/manifest.json")).json();
const onEdit = async (edit) => {
  const answer = await fetch("/edit", { method: "POST", body: JSON.stringify(edit) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
};
const heard = { onCursor: (at) => window.heard.cursor.push(at), onRegionChange: (r) => window.heard.regions.push(r) };
try {
  window.viewer = await openViewer(document.getElementById("host"), manifest, { ...heard, onEdit });
} catch (error) {
  window.refused = error.message;
}
document.documentElement.dataset.state = window.refused ? "refused" : "open";
"""


def slope(point):
    """A value that differs along every axis, so that no flip or exchange of axes goes unseen (HU; point in mm)."""
    x, y, z = np.moveaxis(np.asarray(point, float), -1, 0)
    return 40 + 1.5 * x - 0.7 * y + 0.4 * z


def sampled(grid, formula):
    """A formula of position at every voxel centre of a grid."""
    return formula(grid.to_mm(np.stack(np.indices(grid.shape), -1)))


def volume(identity, kind, grid, values, **more):
    """An entry of the manifest and its bytes."""
    unit = {"ct": "HU", "dose": "Gy"}.get(kind, "Bq/mL")
    entry = {
        "id": identity, "name": identity, "kind": kind, "unit": unit,
        "shape": grid.shape, "affine": grid.affine.tolist(), "dtype": str(values.dtype),
        "url": f"/volume/{identity}", **more,
    }  # fmt: skip
    return entry, np.ascontiguousarray(values).tobytes()


def region(identity, grid, mask, **more):
    """An entry of the manifest and the bytes of the box that holds the mask."""
    where = np.argwhere(mask)
    first, last = where.min(0), where.max(0) + 1
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    entry = {
        "id": identity, "name": identity, "role": "lesion", "colour": "#ff4fa3", "version": 3,
        "url": f"/region/{identity}",
        "grid": {"shape": grid.shape, "affine": grid.affine.tolist()},
        "box": {"offset": first.tolist(), "shape": (last - first).tolist()}, **more,
    }  # fmt: skip
    return entry, mask[box].astype(np.uint8).tobytes()


class Study:
    """What the server shows, and the edits that it has been sent."""

    def __init__(self, volumes, regions=(), time_points=("0 h",)):
        self.bytes = {f"/volume/{e['id']}": data for e, data in volumes}
        self.bytes |= {f"/region/{e['id']}": data for e, data in regions}
        self.manifest = {
            "volumes": [e for e, _ in volumes],
            "regions": [e for e, _ in regions],
            "timePoints": [{"index": n, "label": label} for n, label in enumerate(time_points)],
        }
        self.withheld = {}
        self.edits = []
        self.answer = lambda edit: {}

    def get(self, path):
        """(content type, body, encoding) of a path, or None."""
        if path in self.bytes:
            if path in self.withheld:
                assert self.withheld[path].wait(60)
            return "application/octet-stream", zlib.compress(self.bytes[path], 1), "deflate"
        made = {
            "/": ("text/html", PAGE), "/page.js": ("text/javascript", SCRIPT),
            "/manifest.json": ("application/json", json.dumps(self.manifest)),
        }  # fmt: skip
        if path in made:
            return made[path][0], made[path][1].encode(), None
        file = WEB / path.split("/")[2] / path[1:] if path.startswith("/static/") else WEB
        if ".." not in path and file.is_file():
            return mimetypes.guess_type(file.name)[0], file.read_bytes(), None
        return None


class Handler(BaseHTTPRequestHandler):
    """Serves the study of its server."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        found = self.server.study.get(self.path)
        if not found:
            return self.reply(404, "text/plain", b"no such page")
        kind, body, encoding = found
        return self.reply(200, kind, body, encoding)

    def do_POST(self):
        edit = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.study.edits.append(edit)
        try:
            answer = self.server.study.answer(edit)
        except ValueError as refusal:
            return self.reply(409, "text/plain", str(refusal).encode())
        return self.reply(200, "application/json", json.dumps(answer).encode())

    def reply(self, status, kind, body, encoding=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def serve(study):
    """Start a server on a free port of loopback; its address, and the server to shut down."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.study = study
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/", server


def regular(shape, spacing, centre=(0.0, 0.0, 0.0)):
    """A grid along the patient's axes about a centre, mm."""
    origin = np.asarray(centre) - (np.array(shape) - 1) / 2 * np.asarray(spacing)
    return Grid.regular(shape, spacing, tuple(origin))
