"""When an image was acquired, and the instant to which its activity refers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hevesy.errors import ContradictoryInformation, ImpossibleTiming


@dataclass(frozen=True, slots=True)
class Timing:
    """An acquisition's place in time.

    Parameters
    ----------
    start : datetime
        Start of the acquisition.
    duration_s : float
        Its length, s; 0 for an instant.
    decay_corrected_to : datetime or None
        The instant to which the values are decay-corrected; None where they are the mean over
        the acquisition, uncorrected.

    Raises
    ------
    ImpossibleTiming
        If the duration is negative or not finite.
    ContradictoryInformation
        If one time has a time zone and another has none.
    """

    start: datetime
    duration_s: float = 0.0
    decay_corrected_to: datetime | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.duration_s < float("inf"):
            raise ImpossibleTiming(f"An acquisition cannot last {self.duration_s} s.")
        if self.decay_corrected_to is not None:
            seconds_between(self.start, self.decay_corrected_to)

    @property
    def end(self) -> datetime:
        """End of the acquisition."""
        return self.start + timedelta(seconds=self.duration_s)


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Return the seconds from one instant to another; negative when the second comes first.

    Raises
    ------
    ContradictoryInformation
        If only one of the two has a time zone.
    """
    if (earlier.tzinfo is None) != (later.tzinfo is None):
        raise ContradictoryInformation(
            f"{earlier.isoformat()} and {later.isoformat()} cannot be compared:"
            " one has a time zone, the other has none.",
            "Give both in one form.",
        )
    return (later - earlier).total_seconds()
