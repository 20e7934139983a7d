"""What a job's function is given: its arguments, a place to work, and a way to say how far it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hevesy.web.site.jobs.publishing import publish

if TYPE_CHECKING:
    from hevesy.web.site.accounts.models import Person

#: s between two writes of progress within one step
_PAUSE = 0.5
#: writes of new steps that may come at once, and how many per second in the long run
_BURST, _RATE = 20.0, 2.0


class Cancelled(BaseException):
    """Somebody asked to cancel the job. Not for the job's own code to catch."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, in a form that can be sent to another machine."""

    kind: str
    arguments: dict[str, Any]
    fingerprint: str
    #: primary key of who submitted it
    person: int | None = None


class Channel(Protocol):
    """Where a task's words go."""

    def report(self, progress: float | None, step: str, log: str) -> None:
        """Pass them on; raise `Cancelled` where somebody asked to cancel."""


class Task:
    """One attempt at a job, as its function sees it.

    Parameters
    ----------
    order : Order
        What is to be done.
    scratch : Path
        An empty folder, emptied afterwards, on the disk of the results.
    results : Path
        The folder of all results.
    channel : Channel
        Where progress and log go.
    """

    def __init__(self, order: Order, scratch: Path, results: Path, channel: Channel) -> None:
        self.arguments = order.arguments
        self.fingerprint = order.fingerprint
        self.scratch = scratch
        self.published = False
        self._order = order
        self._target = results / order.fingerprint
        self._channel = channel
        self._progress: float | None = None
        self._step = ""
        self._lines: list[str] = []
        self._told_at = self._counted_at = 0.0
        self._credit = _BURST

    @cached_property
    def person(self) -> Person | None:
        """Who submitted the job first."""
        from hevesy.web.site.accounts.models import Person

        return None if self._order.person is None else Person.objects.filter(pk=self._order.person).first()

    def progress(self, fraction: float | None, step: str = "") -> None:
        """Say how far the work is: call it as often as convenient, it writes no more than is useful.

        Parameters
        ----------
        fraction : float or None
            0 to 1; None where that cannot be told.
        step : str
            What is being done; the step before stays where it is empty.

        Raises
        ------
        Cancelled
            If somebody asked to cancel the job.
        """
        new_step = bool(step) and step != self._step
        self._progress = None if fraction is None else min(max(float(fraction), 0.0), 1.0)
        self._step = step or self._step
        now = time.monotonic()
        self._credit = min(_BURST, self._credit + (now - self._counted_at) * _RATE)
        self._counted_at = now
        # a new step may be the last word for an hour, so it does not wait; thousands of them do
        if now - self._told_at >= _PAUSE or (new_step and self._credit >= 1.0):
            self.flush()

    def log(self, line: str) -> None:
        """Add a line to the job's log, with the time."""
        self._lines.append(f"{datetime.now().astimezone():%H:%M:%S} {line}")
        if time.monotonic() - self._told_at >= _PAUSE:
            self.flush()

    def flush(self) -> None:
        """Pass on what has been said so far."""
        self._told_at = time.monotonic()
        self._credit -= 1.0
        self._channel.report(self._progress, self._step, "\n".join(self._lines))

    def publish(self, folder: Path) -> Path:
        """Move a finished folder under `scratch` to the results, in one step, and return where it is now."""
        place = publish(folder, self._target)
        self.published = True
        return place
