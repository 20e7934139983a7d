"""What has changed of jobs, told to the pages that follow them: one look at the database for all of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DatabaseError, connection
from django.template.loader import render_to_string
from django.utils import translation

from hevesy.web.site.jobs.models import OPEN, Job, State
from hevesy.web.site.jobs.templatetags.job_tags import percent

#: s between two looks at the database
_LOOK = 1.0
#: s after which a line is sent though nothing is new, so that nobody on the way hangs up
_SIGN_OF_LIFE = 15.0
#: s after which a page has to ask anew, and to show again who it is
_LONGEST = 600.0

_Row = dict[str, Any]


def message(job: Job) -> _Row:
    """Return what a page is told of a job, in the language that is active."""
    return {
        "state": job.state,
        "ended": job.state not in OPEN,
        "said": _said(job),
        "html": render_to_string("jobs/live.html", {"job": job, "open_log": True}),
    }


def _said(job: Job) -> str:
    """Return what is read aloud: where the job stands, its step, and quarters of the way."""
    if job.state != State.RUNNING:
        return f"{job.get_state_display()}. {job.error}".strip()
    quarter = "" if not job.progress else f" {percent(job.progress) // 25 * 25}%"
    return f"{job.get_state_display()}: {job.step}{quarter}"


class Watch:
    """Looks at the jobs that somebody follows, once a second for all, while there are any."""

    def __init__(self) -> None:
        self._followed: dict[UUID, int] = {}
        self._jobs: dict[UUID, Job] = {}
        self._looked = asyncio.Condition()
        self._looking: asyncio.Task[None] | None = None

    async def follow(self, job: UUID) -> AsyncIterator[Job | None]:
        """Yield the job after every look; None where it is there no more."""
        self._followed[job] = self._followed.get(job, 0) + 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        try:
            while True:
                async with self._looked:
                    await self._looked.wait()
                yield self._jobs.get(job)
        finally:
            self._followed[job] -= 1
            if not self._followed[job]:
                del self._followed[job]

    async def _look_on(self) -> None:
        """Look until nobody follows any job; in one thread, with one connection."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "watch") as thread:
            try:
                while self._followed:
                    try:
                        self._jobs = await loop.run_in_executor(thread, _read, list(self._followed))
                    except DatabaseError:  # busy; the next look will tell
                        await loop.run_in_executor(thread, _close)
                    else:
                        async with self._looked:
                            self._looked.notify_all()
                    await asyncio.sleep(_LOOK)
            finally:
                thread.submit(_close)


def _read(jobs: list[UUID]) -> dict[UUID, Job]:
    return Job.objects.in_bulk(jobs)


def _close() -> None:
    connection.close()  # looked up here: `connection` is another one in every thread


_WATCHES: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


async def events(job: UUID, language: str) -> AsyncIterator[bytes]:
    """Yield server-sent events of a job, as long as there is something to tell."""
    watch = _WATCHES.setdefault(asyncio.get_running_loop(), Watch())
    last, told_at, begun = "", time.monotonic(), time.monotonic()
    yield b"retry: 2000\n\n"
    async for row in watch.follow(job):
        if row is None:
            return
        with translation.override(language):
            told = message(row)
        text = json.dumps(told)
        if text != last:
            last, told_at = text, time.monotonic()
            yield f"data: {text}\n\n".encode()
        elif time.monotonic() - told_at > _SIGN_OF_LIFE:
            told_at = time.monotonic()
            yield b": still here\n\n"
        if told["ended"] or time.monotonic() - begun > _LONGEST:
            return
