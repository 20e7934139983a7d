"""What a search of an archive finds, whatever it speaks."""

from __future__ import annotations

from dataclasses import dataclass

#: studies of one search
FOUND = 100


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """A study that an archive holds."""

    uid: str
    patient: str
    identifier: str
    description: str
    date: str
    modalities: str
    objects: str
