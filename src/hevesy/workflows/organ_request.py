"""Which organs shall be found that no person drew, and how; light, for pages that only ask."""

from __future__ import annotations

from dataclasses import dataclass

from hevesy.errors import UnknownName
from hevesy.stages.segmentation.total_segmentator import CLASSES, LIMIT_S, PROGRAM
from hevesy.workflows.case import Case

__all__ = ["BY_UPTAKE", "GROUPS", "PROGRAM", "TOTAL_SEGMENTATOR", "UPTAKE", "USUAL", "Asked"]

UPTAKE, TOTAL_SEGMENTATOR = "uptake", "totalsegmentator"
#: what may be asked for by one word → organs
GROUPS = {"kidneys": ("left kidney", "right kidney"), "lungs": ("left lung", "right lung")}
BY_UPTAKE = ("left kidney", "right kidney", "liver", "spleen")
USUAL = ("kidneys", "liver", "spleen")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which organs, and how.

    Parameters
    ----------
    organs : tuple of str
        Organs and keys of `GROUPS`.
    by : str
        ``uptake`` or ``totalsegmentator``.
    fast : bool
        With TotalSegmentator: its 3 mm model.
    limit_s : float
        With TotalSegmentator: the longest that it may take.

    Raises
    ------
    UnknownName
        If there is no such way, or no such organ that it finds.
    """

    organs: tuple[str, ...] = USUAL
    by: str = UPTAKE
    fast: bool = True
    limit_s: float = LIMIT_S

    def __post_init__(self) -> None:
        if self.by not in (UPTAKE, TOTAL_SEGMENTATOR):
            raise UnknownName(f"Organs are not found by '{self.by}'.", f"There are: {UPTAKE}, {TOTAL_SEGMENTATOR}.")
        known = tuple(CLASSES) if self.by == TOTAL_SEGMENTATOR else BY_UPTAKE
        for name in self.names:
            if name not in known:
                raise UnknownName(f"No '{name}' is found by {self.by}.", f"There are: {', '.join(known)}.")

    @classmethod
    def of(cls, case: Case) -> Asked | None:
        """Return what a case asks for; None where it asks for nothing."""
        said = case.get("organs")
        if said is None:
            return None
        limit_s = float(said.get("limit_min", LIMIT_S / 60)) * 60
        return cls(tuple(said.get("find", USUAL)), said.get("by", UPTAKE), said.get("model", "3 mm") == "3 mm", limit_s)

    @property
    def names(self) -> tuple[str, ...]:
        """The organs, each group as its members."""
        return tuple(dict.fromkeys(one for asked in self.organs for one in GROUPS.get(asked, (asked,))))
