"""Where the scans lie in the viewer: moved as the measurement of their regions moved them, or as their headers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hevesy.errors import ContradictoryInformation
from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.store.models import Administration
from hevesy.web.workbench.tasks import MEASURE


@dataclass(frozen=True, slots=True)
class Placing:
    """How each scan was moved onto the reference.

    Parameters
    ----------
    registration : str or None
        The measurement that moved them, by the id of its job; None where they lie as their headers say.
    motions : mapping of str to mapping
        For each series its motion, as `hevesy.workflows.alignment.described_motions` has it.
    """

    registration: str | None = None
    motions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def motion(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the motion of a volume or region of the manifest; an empty one where it was not moved.

        A CT moves as the scans that it was taken with, and not at all where the reference is one of them.
        """
        own = entry.get("movesWith") or [entry.get("seriesUid")]
        found = [self.motions[uid] for uid in own if uid in self.motions]
        return next((one for one in found if one.get("how") == "reference"), found[0] if found else {})

    def shown(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return a volume or region of the manifest where it lies in the viewer."""
        from hevesy.workflows.alignment import grid_in_reference

        if "grid" in entry:
            return {**entry, "grid": grid_in_reference(entry["grid"], self.motion(entry))}
        return grid_in_reference(entry, self.motion(entry))

    def point_in(self, entry: Mapping[str, Any], point_mm: Sequence[float]) -> tuple[float, float, float]:
        """Return where a point of the viewer lies in the volume that it was pointed at in, mm."""
        from hevesy.workflows.alignment import point_in_scan

        return point_in_scan(point_mm, self.motion(entry))


def newest(administration: Administration, series: Sequence[str]) -> Placing:
    """Return how the last measurement of these scans, with the registration that is now asked for, moved them."""
    wanted = administration.settings.get("registration", "rigid")
    for job in _measurements(administration).order_by("-ended_at"):
        found = _placing(job)
        if found.motions.keys() == set(series) and job.arguments["settings"].get("registration", "rigid") == wanted:
            return found
    return Placing()


def named(administration: Administration, registration: str | None) -> Placing:
    """Return how a measurement moved the scans, where an edit says which the viewer showed.

    Raises
    ------
    ContradictoryInformation
        If it is there no more.
    """
    if registration is None:
        return Placing()
    job = _measurements(administration).filter(pk=registration).first()
    if job is None:
        raise ContradictoryInformation("The registration that was shown is there no more.", "Open the page again.")
    return _placing(job)


def _measurements(administration: Administration) -> Any:
    return Job.objects.filter(kind=MEASURE, state=State.DONE, arguments__administration=str(administration.pk))


def _placing(job: Job) -> Placing:
    from hevesy.workflows.alignment import described_motions

    result = job.result or {}
    uids = [scan["series_uid"] for scan in result.get("scans", ())]
    return Placing(str(job.pk), dict(zip(uids, described_motions(result), strict=False)))
