"""A worker: claims a job, lets a child process compute it, and lives on whatever becomes of the child."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, connection

from hevesy.web.site.jobs import claims, guard, housekeeping, scratch
from hevesy.web.site.jobs.claims import Claim, Lost
from hevesy.web.site.jobs.light import LightLane

_log = logging.getLogger(__name__)

#: s between two looks: for a job while idle, at the child, for a wish to cancel, for jobs of the dead
_LOOK, _WATCH, _CANCEL, _TAKE_UP = 0.5, 0.1, 1.0, 5.0
#: s between two renewals of the lease; a fifth of it, so that a busy database costs no job
_RENEW = claims.LEASE.total_seconds() / 5
#: s that a child has to see for itself that it is to stop
_GRACE = 3.0
#: variables by which libraries are told how many threads to use
_THREADS = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


class Worker:
    """Does one job after another until it is told to stop.

    Parameters
    ----------
    threads : int
        Threads that each job may compute with.
    """

    def __init__(self, threads: int) -> None:
        self.name = scratch.name_of_this_process()
        self._threads = dict.fromkeys(_THREADS, str(threads))
        self._lane = LightLane(self._threads)
        self._stop = Event()
        self._take_up_at = 0.0
        self._is_dead = partial(scratch.is_dead, settings.HOME.scratch)

    def stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Hand back what is being done and return from `run`; fit for a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Work until stopped."""
        with scratch.Scratch(settings.HOME.scratch, self.name) as mine:
            while not self._stop.is_set():
                try:
                    busy = self._once(mine.folder)
                except DatabaseError:
                    _log.exception("The database does not answer; trying again.")
                    connection.close()
                    busy = False
                if not busy:
                    self._stop.wait(_LOOK)
            self._lane.end()

    def _once(self, folder: Path) -> bool:
        if time.monotonic() >= self._take_up_at:
            claims.take_up(self._is_dead)
            scratch.clear(settings.HOME.scratch)
            housekeeping.tidy_when_due()
            self._take_up_at = time.monotonic() + _TAKE_UP
        self._lane.look()
        claim = claims.claim(self.name, light=False)
        if claim is None:
            return False
        Attempt(claim, folder, self._threads).see_through(self._stop, self._lane.look)
        return True


class Attempt:
    """A child process at work on a claimed job, and the folder that it works in.

    Parameters
    ----------
    claim : Claim
        The hold on the job.
    folder : Path
        The worker's own scratch folder.
    threads : dict of str
        Variables that say how many threads the child may compute with.
    """

    def __init__(self, claim: Claim, folder: Path, threads: dict[str, str]) -> None:
        self._claim = claim
        self._threads = threads
        self._folder = folder / f"{claim.job}-{claim.attempt}"
        self._words = folder / f"{claim.job}-{claim.attempt}.stderr"

    def see_through(self, stop: Event, meanwhile: Callable[[], None]) -> None:
        """Start the child, watch it to its end, and leave no process and no file of it behind.

        Parameters
        ----------
        stop : Event
            Set when the worker is to stop.
        meanwhile : callable
            What is to be looked after while the child computes; called often.
        """
        self._folder.mkdir()
        lifeline = guard.Lifeline()
        child = self._start(lifeline)
        sentinel = guard.start_guard(child.pid, lifeline)
        try:
            self._watch(child, stop, meanwhile)
        except Lost:
            pass  # another worker has it, or it was ended otherwise
        finally:
            guard.kill_group(child.pid)
            child.wait()
            lifeline.over()
            sentinel.wait()
            lifeline.close()
            self._clear()

    def _start(self, lifeline: guard.Lifeline) -> subprocess.Popen[bytes]:
        claim = self._claim
        words = (str(os.getpid()), str(claim.job), claim.worker, str(claim.attempt), str(self._folder))
        with self._words.open("wb") as stderr:
            return subprocess.Popen(
                [sys.executable, "-m", "hevesy.web.site.jobs.child", *words],
                stdin=lifeline.end,
                stderr=stderr,
                start_new_session=True,
                env=self._threads | os.environ | {"TMPDIR": str(self._folder)},
            )

    def _watch(self, child: subprocess.Popen[bytes], stop: Event, meanwhile: Callable[[], None]) -> None:
        """Renew the claim while the child lives; end it when asked to; say how it died if it did not say so itself."""
        renew_at = look_at = 0.0
        kill_at = float("inf")
        while not guard.has_ended(child):
            now = time.monotonic()
            if stop.is_set():
                self._claim.release()
                return
            if now >= kill_at:
                self._claim.end_cancelled()
                return
            try:
                meanwhile()
                if now >= renew_at:
                    self._claim.renew()
                    renew_at = now + _RENEW
                if now >= look_at:
                    look_at = now + _CANCEL
                    if self._claim.cancel_asked():
                        kill_at = min(kill_at, now + _GRACE)
            except DatabaseError:
                _log.exception("The database does not answer; the job goes on.")
                connection.close()
            stop.wait(_WATCH)
        self._claim.crashed(self._last_words(child.wait()))  # Lost, where the child has ended the job as it should

    def _last_words(self, status: int) -> str:
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        return f"The process ended by {how}.\n{self._words.read_text(encoding='utf-8', errors='replace')}"

    def _clear(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._words.unlink(missing_ok=True)
