"""The process that computes one job: ``python -m hevesy.web.site.jobs.child PARENT JOB WORKER ATTEMPT SCRATCH``."""

from __future__ import annotations

import faulthandler
import os
import sys
from pathlib import Path
from uuid import UUID

from hevesy.web.site.jobs import guard


def main(arguments: list[str]) -> None:
    """Carry out one claimed job; its standard input is the worker's lifeline."""
    parent, job, worker, attempt, scratch = arguments
    lifeline = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what the job starts reads nothing
    guard.die_with_parent(int(parent), lifeline)
    faulthandler.enable()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hevesy.web.site.settings")
    import django

    django.setup()
    from hevesy.web.site.jobs.carrying_out import carry_out
    from hevesy.web.site.jobs.claims import Claim, Lost

    try:
        carry_out(Claim(UUID(job), worker, int(attempt)), Path(scratch))
    except Lost:
        sys.exit("The job is no longer this worker's.")


if __name__ == "__main__":
    main(sys.argv[1:])
