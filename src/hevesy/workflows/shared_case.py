"""The case.yaml of a case whose images name nobody: the same case, with its dates, UIDs and names as theirs are now."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hevesy.errors import BadConfiguration, IdentityRemains, UnsupportedObject
from hevesy.stages.imaging import header
from hevesy.stages.imaging.deidentification import DUMMY
from hevesy.stages.imaging.descriptors import clean_descriptor
from hevesy.stages.imaging.identity import Identity, Pseudonyms
from hevesy.stages.imaging.series import Series
from hevesy.workflows.case import parse_instant

Path = tuple[str, ...]
#: where case.yaml holds dates, names of series, words that a person wrote, and files beside it; * for any name
DATES = (("created",), ("administration", "time"), ("scans", "start"))
SERIES = (("scans", "series"), ("scans", "structures"), ("planar", "series"), ("whole_body", "scans"))
WORDS = (
    ("administration", "radiopharmaceutical"),
    ("scans", "label"),
    ("regions", "*", "name"),
    ("regions", "*", "leave_out", "reason"),
)
FILES = (("half_lives",), ("whole_body", "counter"), ("recovery", "spheres"))
#: sequences of drawings, and the element of their items that names a region
DRAWINGS = {"StructureSetROISequence": "ROIName", "SegmentSequence": "SegmentLabel"}
#: what ``scans: structures:`` says besides a name
NOTHING_DRAWN = "none"


@dataclass(frozen=True, slots=True)
class Renaming:
    """What goes by another name once the images of one patient name nobody.

    Parameters
    ----------
    pseudonyms : Pseudonyms
        What stands for dates and UIDs.
    patient : str
        The pseudonym of the patient.
    identity : Identity
        What names the patient.
    series : tuple of Series
        The series as they were.
    regions : mapping of str to str
        What a region was called, and what it is called now.
    """

    pseudonyms: Pseudonyms
    patient: str
    identity: Identity
    series: tuple[Series, ...]
    regions: Mapping[str, str] = field(default_factory=dict)

    def settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of the case as its images are now; numbers and choices are those that were.

        Raises
        ------
        UnsupportedObject
            If they name a file, which may name the patient.
        BadConfiguration
            If they name a series that there is not, or several, or if two regions would have one name.
        IdentityRemains
            If a name or an identifier would be left in them.
        """
        if len(set(self.regions.values())) < len(self.regions):
            raise BadConfiguration("Two regions would have one name without what names the patient.", "Rename one.")
        made: dict[str, Any] = self._changed(settings, ())
        if any(self.identity.is_named_in(text) for text in _texts(made)):
            raise IdentityRemains("case.yaml would still hold a name or an identifier of the patient.", "Change it.")
        return made

    def _changed(self, value: Any, path: Path) -> Any:
        if isinstance(value, Mapping):
            if path == ("regions",):
                return {
                    self.regions.get(name, self.cleaned(name)): self._changed(v, (*path, "*"))
                    for name, v in value.items()
                }
            return {key: self._changed(each, (*path, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self._changed(each, path) for each in value]
        return self._renamed(value, path) if isinstance(value, str) else value

    def _renamed(self, text: str, path: Path) -> str:
        if path in FILES:
            raise UnsupportedObject(
                f"case.yaml names a file ({'.'.join(path)}), which may name the patient; it is not de-identified.",
                "Leave it out with --leave-out.",
            )
        if path in DATES:
            return self.moved(text, ".".join(path))
        if path in SERIES and text != NOTHING_DRAWN:
            return self._series(text)
        return self.cleaned(text) if path in WORDS else text

    def _series(self, wanted: str) -> str:
        """Return the UID that the one series of a name has now; descriptions may have lost their words."""
        found = [one.uid for one in self.series if _is_called(one, wanted)]
        if len(found) != 1:
            raise BadConfiguration(
                f"case.yaml names '{wanted}', which {len(found)} series are called.", "Name its UID."
            )
        return self.pseudonyms.uid(found[0])

    def moved(self, instant: str, where: str) -> str:
        """Return an instant as ISO 8601 by the patient's days earlier; `where` it stands is said of a wrong one."""
        return (parse_instant(instant, where) - timedelta(days=self.pseudonyms.days(self.patient))).isoformat()

    def cleaned(self, text: str) -> str:
        """Return what stays of words that a person wrote."""
        made = clean_descriptor(self.identity.removed_from(text))
        return made if made and not self.identity.is_named_in(made) else DUMMY


def renamed_regions(before: Sequence[Any], after: Sequence[Any]) -> dict[str, str]:
    """Return what the regions of a drawing were called, and what they are called now."""
    return {
        header.text(was, name): header.text(now, name)
        for old, new in zip(before, after, strict=True)
        for sequence, name in DRAWINGS.items()
        for was, now in zip(header.items(old, sequence), header.items(new, sequence), strict=True)
    }


def _is_called(series: Series, wanted: str) -> bool:
    uids = (series.uid, *(header.text(head, "SOPInstanceUID") for head in series.headers[:1]))
    return wanted in uids or fnmatch.fnmatchcase(series.description, wanted)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from (str(key), *_texts(each))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
