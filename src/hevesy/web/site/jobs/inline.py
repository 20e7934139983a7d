"""Jobs carried out in this very process, for tests and scripts: no worker, no child, no cancelling from outside."""

from __future__ import annotations

from django.conf import settings

from hevesy.web.site.jobs import claims, scratch
from hevesy.web.site.jobs.carrying_out import carry_out


def carry_out_waiting() -> int:
    """Carry out every job that waits, also those submitted meanwhile, and return how many there were."""
    name = scratch.name_of_this_process()
    count = 0
    with scratch.Scratch(settings.HOME.scratch, name) as mine:
        while (claim := claims.claim(name)) is not None:
            folder = mine.folder / str(claim.job)
            folder.mkdir()
            carry_out(claim, folder)
            count += 1
    return count
