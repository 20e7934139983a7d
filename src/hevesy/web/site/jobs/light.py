"""Jobs that take a moment, in a process that stays: what somebody waits for is not behind what computes for hours.

Run as ``python -m hevesy.web.site.jobs.light PARENT``.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import signal
import subprocess
import sys
import time
from threading import Event

from hevesy.web.site.jobs import guard

#: s between two looks for a light job: of the worker for the first, and of the process that it starts for the next
_LOOK, _NEXT_LOOK = 0.25, 0.1
#: s that the process stays after its last job
_STAYS = 600.0
#: s after which a job that should take a moment is given up, with the process; well before its lease runs out
_LONGEST = 20.0
#: s that the process has to end by itself
_GRACE = 3.0


class LightLane:
    """The process for light jobs beside a worker: started when one waits, gone when none has come for long.

    Parameters
    ----------
    environment : dict of str
        What the process is given besides that of the worker.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._lifeline = guard.Lifeline()
        self._process: subprocess.Popen[bytes] | None = None
        self._look_at = 0.0

    def look(self) -> None:
        """Start the process where a light job waits and there is none; to be called often."""
        from hevesy.web.site.jobs import claims

        now = time.monotonic()
        if now < self._look_at or (self._process is not None and self._process.poll() is None):
            return
        self._look_at = now + _LOOK
        if claims.waiting(light=True).exists():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hevesy.web.site.jobs.light", str(os.getpid())],
                stdin=self._lifeline.end,
                start_new_session=True,
                env=self._environment | os.environ,
            )

    def end(self) -> None:
        """End the process, in peace where it can."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._lifeline.close()


def work(stop: Event) -> None:
    """Do one light job after another until stopped, or until none has come for long."""
    from django.conf import settings

    from hevesy.web.site.jobs import claims, scratch
    from hevesy.web.site.jobs.carrying_out import carry_out

    name, last = scratch.name_of_this_process(), time.monotonic()
    with scratch.Scratch(settings.HOME.scratch, name) as mine:
        while not stop.is_set() and time.monotonic() - last < _STAYS:
            claim = claims.claim(name, light=True)
            if claim is None:
                stop.wait(_NEXT_LOOK)
                continue
            folder = mine.folder / f"{claim.job}-{claim.attempt}"
            folder.mkdir()
            faulthandler.dump_traceback_later(_LONGEST, exit=True)
            try:
                carry_out(claim, folder)
            except claims.Lost:
                pass  # another has it, or it was ended otherwise
            finally:
                faulthandler.cancel_dump_traceback_later()
                shutil.rmtree(folder, ignore_errors=True)
            last = time.monotonic()


def main(arguments: list[str]) -> None:
    """Work beside the worker that started this process; its standard input is the worker's lifeline."""
    lifeline = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    guard.die_with_parent(int(arguments[0]), lifeline)
    faulthandler.enable()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hevesy.web.site.settings")
    import django

    django.setup()
    work(stop)


if __name__ == "__main__":
    main(sys.argv[1:])
