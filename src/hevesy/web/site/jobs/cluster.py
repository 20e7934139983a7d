"""A job's function on a Dask cluster, for kinds that compute much; this machine follows it and writes what it says.

The cluster's workers have the same version of this software and see the same ``HEVESY_HOME`` at the same path. They are
sent a job's order (a kind, paths and identifiers), never an array, and write the result where it belongs.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from django.conf import settings

from hevesy.errors import BadConfiguration
from hevesy.web.site.jobs.task import Cancelled, Channel, Order, Task

#: s between two looks whether somebody asked to cancel
_LOOK = 1.0
#: states of a Dask worker in which nobody waits for a task any more
_UNWANTED = ("cancelled", "released", "forgotten", "error")

#: progress, step, log
_Words = tuple[float | None, str, str]


def run_there(order: Order, address: str, channel: Channel) -> tuple[dict[str, Any], bool]:
    """Have an order carried out by a cluster, and return its result and whether it was published.

    Raises
    ------
    BadConfiguration
        If Dask is not installed, or no cluster answers.
    Cancelled
        If somebody asked to cancel; the cluster is told.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise BadConfiguration("HEVESY_DASK is set without Dask.", "Install it: pip install 'hevesy[dask]'.") from None
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as fault:
        remedy = "Start it, or unset HEVESY_DASK to compute on this machine."
        raise BadConfiguration(f"No Dask cluster answers at {address}.", remedy) from fault
    with client:
        words: SimpleQueue[_Words] = SimpleQueue()
        topic = f"hevesy-{uuid4().hex}"
        client.subscribe_topic(topic, lambda event: words.put(tuple(event[1])))
        module = os.environ["DJANGO_SETTINGS_MODULE"]
        future = client.submit(_there, order, topic, str(settings.HOME.folder), module, key=topic, pure=False)
        try:
            _follow(future, words, channel)
            return future.result()  # type: ignore[no-any-return]
        finally:
            future.cancel()
            client.unsubscribe_topic(topic)


def _follow(future: Any, words: SimpleQueue[_Words], channel: Channel) -> None:
    """Pass on what the cluster says until the work is done; asking for news is how one hears of a wish to cancel."""
    last: _Words = (None, "", "")
    while not future.done():
        with suppress(Empty):
            last = words.get(timeout=_LOOK)
        channel.report(*last)


class _ClusterChannel:
    """Sends a task's words to whom the topic interests."""

    def __init__(self, topic: str) -> None:
        from distributed import get_worker

        self._worker = get_worker()
        self._topic = topic

    def report(self, progress: float | None, step: str, log: str) -> None:
        """Send progress, step and log; stop where nobody waits for the result any more."""
        task = self._worker.state.tasks.get(self._topic)
        if task is None or task.state in _UNWANTED:
            raise Cancelled
        self._worker.log_event(self._topic, (progress, step, log))


def _there(order: Order, topic: str, home: str, settings_module: str) -> tuple[dict[str, Any], bool]:
    """Carry out an order; this runs on a worker of the cluster."""
    os.environ.setdefault("HEVESY_HOME", home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings_module)
    import django

    django.setup()
    from hevesy.web.site.jobs import registry
    from hevesy.web.site.jobs.scratch import Scratch, name_of_this_process

    shared = Path(home)
    with Scratch(shared / "scratch", name_of_this_process()) as mine:
        task = Task(order, mine.folder, shared / "results", _ClusterChannel(topic))
        try:
            result = registry.kind(order.kind).run(task)
        except Cancelled:
            return {}, False  # nobody waits for it
        return result, task.published
