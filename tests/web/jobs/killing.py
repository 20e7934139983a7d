"""A real site on a throw-away folder, whose processes are killed at random moments while jobs run.

Other areas add their own kinds: `killed_at_random("my_kinds:submit", "my_kinds:check", ...)`, where both functions
run in a process that sees the site's database, the first returns the ids of the jobs that it submitted, and the second
raises where what they left is not as it should be.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the benchmarks: the tests have it there
from factories.databases import Database, database_of

HERE = Path(__file__).parent
SOURCE = Path(__file__).parents[3] / "src"
#: s after which what should be gone must be gone, and what should be there must be there
GONE, THERE = 5.0, 180.0
#: what each process of a site is told by, in its command line
SERVER, WORKER, CHILD = "hevesy\0serve", "hevesy\0worker", "hevesy.web.site.jobs.child"
#: crashes of one job that are its own fault and not ours: a third would make it fail, as it should
CRASHES_TO_SPARE = 2


class Site:
    """`hevesy serve` as a process of its own, with a folder that is thrown away.

    Parameters
    ----------
    database : Database
        Where its rows and its folder are.
    workers : int
        Worker processes.
    settings : str
        The settings module, found in `paths`.
    paths : tuple of Path
        Folders with applications and functions of the tests.
    **environment : str
        Further variables of the environment.
    """

    def __init__(
        self,
        database: Database,
        workers: int = 1,
        settings: str = "kill_settings",
        paths: tuple[Path, ...] = (),
        **environment: str,
    ) -> None:
        self.database, self.home = database, database.home
        self._workers = workers
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = os.environ | {
            **database.environment,
            "DJANGO_SETTINGS_MODULE": settings,
            "PYTHONPATH": os.pathsep.join(map(str, (SOURCE, HERE, *paths))),
            "HEVESY_DISK_GB": "",
            **environment,
        }

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = [sys.executable, "-m", "hevesy", "serve", "--port", str(self.port), "--workers", str(self._workers)]
        with (self.home.parent / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        wait_for(self._answers, THERE, "The site does not answer")

    def stop(self) -> int:
        """Ask the server to stop as Ctrl+C does, and return its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(30)

    def abandon(self) -> None:
        """Kill whatever is left of it."""
        for number in self.processes():
            os.kill(number, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def call(self, function: str, *arguments: Any) -> Any:
        """Call ``module:function`` in a process of the site, and return what it returns, by way of JSON."""
        command = [sys.executable, str(HERE / "call.py"), function, json.dumps(arguments)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database."""
        return self.database.query(sql, *values)

    def processes(self) -> dict[int, str]:
        """Return the living processes of this site, id to command line, whoever their parent is."""
        mark = f"HEVESY_HOME={self.home}\0".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes() + b"\0":
                        found[int(entry.name)] = (entry / "cmdline").read_bytes().decode(errors="replace")
                except OSError:  # gone meanwhile
                    continue
        return {number: command for number, command in found.items() if command}  # a zombie has no command line

    def server_cpu(self) -> float:
        """Return the processor time that the server has taken so far, s."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self, kind: str, choose: Callable[[list[int]], int]) -> bool:
        """Kill one process of a kind, and return whether there was one; a dead server leaves no process behind."""
        victims = sorted(n for n, command in self.processes().items() if kind in command and self._may_die(command))
        if not victims:
            return False
        os.kill(choose(victims), signal.SIGKILL)
        if kind == SERVER:
            assert self._process is not None
            self._process.wait()
            wait_for(lambda: not self.processes(), GONE, lambda: f"Orphans: {self.processes()}")
        return True

    def _may_die(self, command: str) -> bool:
        if CHILD not in command:
            return True
        job = command.split("\0")[4].replace("-", "")
        return self.query("SELECT crashes FROM jobs_job WHERE id = ?", job)[0][0] < CRASHES_TO_SPARE

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "The server ended by itself."
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


@dataclass(slots=True)
class Outcome:
    """What was killed, and how often each job was begun."""

    killed: Counter[str] = field(default_factory=Counter)
    at_work: int = 0
    attempts: list[int] = field(default_factory=list)
    seconds: float = 0.0


@contextmanager
def throw_away_site(workers: int = 1, server: str | None = None, **options: Any) -> Iterator[Site]:
    """Give a site that is not started, and leave neither a process nor a file nor a database of it."""
    with tempfile.TemporaryDirectory(prefix="hevesy-killed-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        with database_of(home, server) as database:
            site = Site(database, workers, **options)
            try:
                yield site
            finally:
                site.abandon()


def killed_at_random(submit: str, check: str, *, kills: int, seed: int, workers: int = 2, **options: Any) -> Outcome:
    """Kill processes of a working site, start it again, and assert that nothing is lost, doubled or half made.

    Parameters
    ----------
    submit : str
        ``module:function`` that submits jobs and returns their ids.
    check : str
        ``module:function`` that is given these ids after all is done.
    kills, seed : int
        How many processes are killed, and what makes moments and victims the same again.
    """
    rng = random.Random(seed)
    outcome = Outcome()
    began = time.monotonic()
    with throw_away_site(workers, **options) as site:
        site.start()
        jobs = site.call(submit)
        while outcome.killed.total() < kills:
            time.sleep(rng.uniform(0.2, 2.5))
            _kill_one(site, rng, outcome)
        wait_for(lambda: not _open(site), 4 * THERE, lambda: f"Not ended: {_open(site)}")
        assert site.stop() == 0
        assert site.processes() == {}
        outcome.attempts = _assert_sound(site, jobs)
        site.call(check, jobs)
    outcome.seconds = time.monotonic() - began
    return outcome


def _kill_one(site: Site, rng: random.Random, outcome: Outcome) -> None:
    victim = rng.choice((SERVER, WORKER, CHILD))
    at_work = bool(site.query("SELECT 1 FROM jobs_job WHERE state = 'running'"))
    if site.kill(victim, rng.choice):
        outcome.killed[victim.split("\0")[-1].split(".")[-1]] += 1
        outcome.at_work += at_work
    if victim == SERVER:
        site.start()


def _open(site: Site) -> list[tuple[Any, ...]]:
    return site.query("SELECT id, state, attempts, worker FROM jobs_job WHERE state IN ('waiting', 'running')")


def _assert_sound(site: Site, jobs: list[str]) -> list[int]:
    """Assert that every job is done, that results are whole and no more, and that the database is sound."""
    rows = site.query("SELECT id, state, attempts, fingerprint, published, error, fault FROM jobs_job")
    by_id = {row[0]: row for row in rows}
    for job in jobs:
        row = by_id[job.replace("-", "")]
        assert row[1] == "done", row
    published = {row[3] for row in rows if row[4]}
    assert {folder.name for folder in (site.home / "results").iterdir()} == published
    left = sorted(str(path.relative_to(site.home)) for path in (site.home / "scratch").rglob("*"))
    assert left == [], left
    site.database.assert_sound()
    return [row[2] for row in rows]


def wait_for(condition: Callable[[], bool], seconds: float, why: str | Callable[[], str]) -> None:
    """Wait until a condition holds; fail with a reason where it does not in time."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, why if isinstance(why, str) else why()
        time.sleep(0.05)
