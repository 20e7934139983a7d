"""Facts that a person supplies where a header lacks them or is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hevesy.stages.imaging.decay_tags import Reference


@dataclass(frozen=True, slots=True)
class Supplied:
    """What `case.yaml` says about one series; each fact that is given replaces the header's.

    Parameters
    ----------
    start : datetime or None
        Start of the acquisition.
    duration_s : float or None
        Its length, s.
    decay_corrected_to : {"administration", "start", "none"} or datetime or None
        The instant to which activity is decay-corrected.
    administered_at : datetime or None
        Instant of the administration.
    half_life_s : float or None
        Physical half-life of the nuclide, s.
    units : str or None
        What stands for Units (0054,1001): BQML, GML, CNTS or PROPCNTS.
    """

    start: datetime | None = None
    duration_s: float | None = None
    decay_corrected_to: Reference | datetime | None = None
    administered_at: datetime | None = None
    half_life_s: float | None = None
    units: str | None = None


#: nothing is supplied: the header speaks for itself
NOTHING = Supplied()
