"""Fifty people who page through patients and studies at once, on a real server with 300 patients.

Twice: each asks for the next page as soon as the last one is there, and each looks at a page for a second before.
The goal is the 95th percentile under 0.5 s without an error, on two processors that the client shares.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/web/jobs"))
from killing import Site, throw_away_site  # the same real server as in the tests of killing

PEOPLE, PATIENTS, PAGES = 50, 300, 20
#: links in a page that a person may follow from the worklist
_LINK = re.compile(rb'href="(/(?!account|static|api|language|theme)[^"#]*)"')


@dataclass(slots=True)
class Load:
    """What the pages took, s, and what went wrong."""

    took: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    paths: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    bytes_max: int = 0

    def note(self, path: str, status: int, took: float, size: int) -> None:
        """Add one page."""
        self.took.append(took)
        self.paths.setdefault(re.sub(r"[0-9a-f-]{36}|\d+", "·", path.partition("?")[0]), []).append(took)
        self.bytes_max = max(self.bytes_max, size)
        if status not in (200, 302):
            self.faults.append(f"{status} {path}")


async def get(host: tuple[str, int], streams: list, path: str, cookie: str) -> tuple[int, bytes]:
    """Ask for a page over a connection that is kept, and return status and body."""
    if not streams:
        streams[:] = await asyncio.open_connection(*host)
    reader, writer = streams
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {host[0]}:{host[1]}\r\nCookie: sessionid={cookie}\r\nAccept: text/html\r\n\r\n"
    )
    writer.write(head.encode())
    lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    told = dict(line.lower().split(b": ", 1) for line in lines[1:] if b": " in line)
    if told.get(b"transfer-encoding") == b"chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(told[b"content-length"]))
    return int(lines[0].split()[1]), body


async def person(number: int, site: Site, cookie: str, think: float, load: Load) -> None:
    """Begin at the worklist, and follow one link after another."""
    streams: list = []
    path, links = "/", [b"/"]
    await asyncio.sleep(think * number / PEOPLE)
    for step in range(PAGES):
        began = time.perf_counter()
        status, body = await get(("127.0.0.1", site.port), streams, path, cookie)
        load.note(path, status, time.perf_counter() - began, len(body))
        links = sorted(set(_LINK.findall(body))) or links
        path = "/" if step % 4 == 3 else links[(7 * number + 3 * step) % len(links)].decode().replace("&amp;", "&")
        await asyncio.sleep(think)
    streams[1].close()


def under_load(site: Site, cookies: list[str], think: float) -> Load:
    """Let everybody begin, and return what it took."""
    load = Load()

    async def everybody() -> None:
        await asyncio.gather(*(person(n, site, cookie, think, load) for n, cookie in enumerate(cookies)))

    began = time.perf_counter()
    asyncio.run(everybody())
    load.seconds = time.perf_counter() - began
    return load


def main() -> None:
    """Print how long pages take."""
    with throw_away_site(workers=1, settings="kill_settings") as site:
        site.start()
        cookies = site.call("effects.crowd:fill", PEOPLE, PATIENTS)
        under_load(site, cookies[:2], 0.0)  # templates compiled
        for think in (0.0, 1.0):
            cpu, own = site.server_cpu(), time.process_time()
            load = under_load(site, cookies, think)
            cpu, own = site.server_cpu() - cpu, time.process_time() - own
            cuts = statistics.quantiles(load.took, n=100)
            print(
                f"{PEOPLE} people, {think:.0f} s at a page: {len(load.took)} pages in {load.seconds:.1f} s "
                f"({len(load.took) / load.seconds:.0f}/s), median {1e3 * cuts[49]:.0f} ms, "
                f"p95 {1e3 * cuts[94]:.0f} ms, greatest {1e3 * max(load.took):.0f} ms, errors {len(load.faults)}, "
                f"largest page {load.bytes_max / 1e3:.0f} kB; server {1e3 * cpu / len(load.took):.1f} CPU-ms a page, "
                f"client {1e3 * own / len(load.took):.1f}"
            )
            for path, took in sorted(load.paths.items()):
                print(f"  {path}: {len(took)}, median {1e3 * statistics.median(took):.0f} ms")
            for fault in sorted(set(load.faults))[:5]:
                print(f"  {fault}")
        site.stop()
