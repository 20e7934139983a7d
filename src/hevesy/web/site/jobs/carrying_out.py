"""One attempt at a job, in the process that computes: run its function, and write how it ended."""

from __future__ import annotations

import json
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError

from hevesy.errors import HevesyError
from hevesy.web.site.jobs import registry
from hevesy.web.site.jobs.claims import Claim
from hevesy.web.site.jobs.cluster import run_there
from hevesy.web.site.jobs.models import Job
from hevesy.web.site.jobs.task import Cancelled, Order, Task

#: what a person reads of a fault that is not theirs
_FAULT = "The computation failed by a fault of the software. The administrator finds what happened in the job's log."
_MEMORY = "The computation needs more memory than this machine has."


class DatabaseChannel:
    """Writes a task's words into its job's row, and looks there whether somebody asked to cancel.

    Parameters
    ----------
    claim : Claim
        The hold on the job.
    """

    def __init__(self, claim: Claim) -> None:
        self._claim = claim

    def report(self, progress: float | None, step: str, log: str) -> None:
        """Write progress, step and log; a database that is busy for long loses a word, never the work."""
        try:
            self._claim.report(progress, step, log)
            asked = self._claim.cancel_asked()
        except OperationalError:
            return
        if asked:
            raise Cancelled


def carry_out(claim: Claim, scratch: Path) -> None:
    """Run the function of a claimed job and end the job: done, failed or cancelled."""
    job = Job.objects.get(pk=claim.job)
    order = Order(job.kind, job.arguments, job.fingerprint, job.submitted_by_id)
    try:
        result, published = _run(order, claim, scratch)
        json.dumps(result, allow_nan=False)
        claim.finish(result, published)
    except Cancelled:
        claim.end_cancelled()
    except HevesyError as refusal:
        claim.fail(str(refusal), traceback.format_exc())
    except MemoryError:
        claim.fail(_MEMORY, traceback.format_exc())
    except Exception:
        claim.fail(_FAULT, traceback.format_exc())


def _run(order: Order, claim: Claim, scratch: Path) -> tuple[dict[str, Any], bool]:
    """Return the result of an order, and whether it was published: computed here, or on the cluster if it is heavy."""
    kind = registry.kind(order.kind)
    channel = DatabaseChannel(claim)
    if kind.prepare:
        found = kind.prepare(Task(order, scratch, settings.HOME.results, channel))
        order = replace(order, arguments=order.arguments | found)
    if kind.effort is registry.Effort.HEAVY and settings.DASK:
        return run_there(order, settings.DASK, channel)
    task = Task(order, scratch, settings.HOME.results, channel)
    if claim.attempt > 1:
        task.log(f"Begun again (attempt {claim.attempt}).")
    result = kind.run(task)
    task.flush()
    return result, task.published
