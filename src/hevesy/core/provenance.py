"""Where a thing came from and what was done to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: what was done, and with which settings."""

    operation: str
    settings: MappingProxyType[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Provenance:
    """Origin and history.

    Parameters
    ----------
    source : str
        What the thing was read or made from, such as a series instance UID or a file name.
    steps : tuple of Step
        What was done since, oldest first.
    notes : tuple of str
        What a reader must know, such as which of two contradicting tags was believed and why.
    """

    source: str = ""
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    def then(self, operation: str, **settings: Any) -> Provenance:
        """Return this provenance with one more step."""
        step = Step(operation, MappingProxyType(settings))
        return Provenance(self.source, (*self.steps, step), self.notes)

    def noting(self, *notes: str) -> Provenance:
        """Return this provenance with more notes."""
        return Provenance(self.source, self.steps, (*self.notes, *notes))
