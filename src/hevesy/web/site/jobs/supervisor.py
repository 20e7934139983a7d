"""The workers that one server starts: kept alive while it lives, gone when it is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from hevesy.web.site.jobs.guard import Lifeline

#: environment variable that tells a worker which file descriptor its server's lifeline is
LIFELINE = "HEVESY_LIFELINE"
#: s that a worker has to hand back its job; then it is killed
_PATIENCE = 10.0
#: s to wait before a worker that died young is started again, doubled each time up to the second
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
#: s after which a worker counts as well
_WELL = 20.0


def threads_for(workers: int) -> int:
    """Return how many threads each of some workers should compute with on this machine."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, processors // max(1, workers))


@dataclass(slots=True)
class _Place:
    """One worker's place: who is in it, and when the next one may start."""

    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait: float = _FIRST_WAIT

    def is_vacant(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def may_start(self, now: float) -> bool:
        if now - self.started >= _WELL:
            self.wait = _FIRST_WAIT
        return now - self.started >= self.wait


class Workers:
    """Processes of one kind, started again when they die.

    Parameters
    ----------
    count : int
        How many.
    *command : str
        What each runs, after ``hevesy``; a worker where it is not given.
    """

    def __init__(self, count: int, *command: str) -> None:
        self._command = command or ("worker", "--threads", str(threads_for(count)))
        self._places = [_Place() for _ in range(count)]
        self._lifeline = Lifeline()
        self._stop = threading.Event()
        # the kernel ends a worker with the thread that started it, so one thread starts them all and outlives them
        self._thread = threading.Thread(target=self._keep, name="workers", daemon=True)

    def start(self) -> None:
        """Start them."""
        self._thread.start()

    def stop(self) -> None:
        """Let each hand back its job, and wait until all are gone."""
        self._stop.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._stop.wait(0.2):
            for place in self._places:
                now = time.monotonic()
                if place.is_vacant() and place.may_start(now):
                    place.process, place.started, place.wait = self._start(), now, min(2 * place.wait, _LONGEST_WAIT)
        self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "hevesy", *self._command],
            stdin=subprocess.DEVNULL,
            pass_fds=(self._lifeline.end,),
            start_new_session=True,  # Ctrl+C is the server's to hear
            env=os.environ | {LIFELINE: str(self._lifeline.end)},
        )

    def _end(self) -> None:
        living = [place.process for place in self._places if place.process is not None and place.process.poll() is None]
        for process in living:
            process.terminate()
        deadline = time.monotonic() + _PATIENCE
        for process in living:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._lifeline.close()
