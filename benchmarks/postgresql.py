"""The whole web test suite on PostgreSQL, browsers and processes and kills among it, beside the same tests on SQLite.

Area by area, first on one and then on the other; the server of PostgreSQL is started for each area and thrown away.
What asks for no database, as the viewer without the site around it, runs on both all the same.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from factories.postgresql import INSTALLED, cluster  # the same server as in the tests

ROOT = Path(__file__).parents[1]
WEB = ROOT / "tests/web"
#: they start a PostgreSQL of their own, and one of them the tests that are run here
LEFT_OUT = ("test_postgresql.py", "jobs/test_postgresql.py")


@dataclass(slots=True)
class Outcome:
    """What came of tests: counts, what was skipped and why, what failed, and what it took."""

    passed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu_s: float = 0.0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.passed + other.passed,
            self.skipped + other.skipped,
            self.failed + other.failed,
            self.seconds + other.seconds,
            self.cpu_s + other.cpu_s,
        )

    def __str__(self) -> str:
        counts = f"{self.passed} passed, {self.skipped.total()} skipped, {len(self.failed)} failed"
        return f"{counts} in {self.seconds:.0f} s ({self.cpu_s:.0f} s of processors)"


def areas() -> list[str]:
    """Return the folders of `tests/web` with tests, and "" for the files beside them."""
    return ["", *sorted({path.parent.name for path in WEB.glob("*/test_*.py")})]


def run(area: str, database: str) -> Outcome:
    """Run the tests of an area on a database: an address of PostgreSQL, or nothing for SQLite."""
    tests = [WEB / area] if area else sorted(WEB.glob("test_*.py"))
    with tempfile.TemporaryDirectory(prefix="hevesy-bench-") as folder:
        told = Path(folder) / "told.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={told}", *tests]
        command += [f"--ignore={WEB / left_out}" for left_out in LEFT_OUT]
        environment = os.environ | {"HEVESY_DATABASE": database, "HEVESY_HOME": f"{folder}/home"}
        subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False)
        return outcome(ElementTree.parse(told).getroot())


def outcome(told: ElementTree.Element) -> Outcome:
    """Count what pytest told."""
    counted = Outcome()
    for case in told.iter("testcase"):
        skipped = case.find("skipped")
        if skipped is not None:
            counted.skipped[skipped.get("message", "")] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            counted.failed.append(f"{case.get('classname')}::{case.get('name')}")
        else:
            counted.passed += 1
    return counted


def timed(area: str, on_postgresql: bool) -> Outcome:
    """Run the tests of an area; the server's processors count, and its making and throwing away."""
    began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with cluster() if on_postgresql else nullcontext("") as address:
        counted = run(area, address)
    counted.seconds = time.monotonic() - began
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    counted.cpu_s = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return counted


def compare(area: str) -> tuple[Outcome, Outcome]:
    """Run the tests of an area on SQLite and on PostgreSQL, and print both."""
    found = timed(area, False), timed(area, True)
    show(area or "the pages together", found)
    return found


def show(what: str, found: tuple[Outcome, Outcome]) -> None:
    """Print what came of tests on both."""
    lite, postgres = found
    print(f"{what}:\n  SQLite      {lite}\n  PostgreSQL  {postgres}")
    times, work = postgres.seconds / lite.seconds, postgres.cpu_s / lite.cpu_s
    print(f"  PostgreSQL takes {times:.2f} times as long as SQLite, and {work:.2f} times the processors", flush=True)
    for name, one in (("SQLite", lite), ("PostgreSQL", postgres)):
        for reason, count in sorted(one.skipped.items()):
            print(f"  skipped on {name}: {count}, {reason}")
        for failed in one.failed:
            print(f"  FAILED on {name}: {failed}")


def main() -> None:
    """Print counts and times of each area and of all."""
    if INSTALLED is None:
        print("PostgreSQL is not installed (Debian: postgresql)")
        return
    both = [compare(area) for area in areas()]
    lite, postgres = Outcome(), Outcome()
    for one, other in both:
        lite, postgres = lite + one, postgres + other
    show("all", (lite, postgres))
    assert not lite.failed and not postgres.failed, "Tests failed."
