"""The words in what was computed of a case: which of them stay once its images name nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hevesy.stages.imaging.deidentification import DUMMY
from hevesy.stages.imaging.descriptors import is_known
from hevesy.stages.imaging.identity import DATE_OR_UID
from hevesy.stages.imaging.series import Series, digest
from hevesy.workflows.shared_case import Renaming

#: a name, a version or a unit that the software wrote
_TOKEN = re.compile(r"[\w.,+/·³°()%\- ]{1,64}")
_VERSION = re.compile(r"\d{1,3}(\.\d{1,3}){1,3}([-+.]?[a-z]{1,4}\d{0,3})?")
#: a paper, whose number may look like a date
_CITED = re.compile(r"\bdoi 10\.\d{4,6}/[\w./-]+")
_QUOTED = re.compile(r"'([^']*)'")
#: a file, whose name a person chose
_FILE = re.compile(r"\b(?!(?:case\.yaml|results\.json)\b)[\w-]+\.[A-Za-z]{2,5}\b")


class Words:
    """What becomes of the words of results.json.

    Attributes
    ----------
    case : Renaming
        What goes by another name in the images.
    regions : dict of str to str
        What each region of the results was called, and is called now; no two alike.
    left_out : int
        Sentences that may quote a person's words, and were left out.
    """

    def __init__(self, case: Renaming, record: Mapping[str, Any]) -> None:
        self.case = case
        self.left_out = 0
        self.regions: dict[str, str] = {}
        for number, region in enumerate((*record["regions"], record["whole_body"]), start=1):
            wanted = case.regions.get(region["name"], case.cleaned(region["name"]))
            taken = wanted in self.regions.values()
            self.regions[region["name"]] = f"region {number}" if taken else wanted
        said = {one.description for one in case.series} | set(_words_of_persons(record))
        self._known = {text: self.label(text) for text in said if text} | self.regions
        changed = sorted((text for text, now in self._known.items() if text != now), key=len, reverse=True)
        either = "|".join(map(re.escape, changed))
        self._changed = re.compile(rf"(?<!\w)(?:{either})(?!\w)") if either else None

    def region(self, name: str) -> str:
        """Return what a region is called now."""
        return self.regions.get(name, self.case.cleaned(name))

    def label(self, text: str) -> str:
        """Return what stays of words that a person may have written."""
        return self.case.cleaned(text)

    def uid(self, text: str) -> str:
        """Return the UID that stands for another; what is none, such as the name of a file, goes."""
        return self.case.pseudonyms.uid(text) if re.fullmatch(r"[\d.]+", text) else DUMMY

    def token(self, text: str) -> str:
        """Return a name, a version or a unit as it is; anything that is none goes."""
        named = self.case.identity.is_named_in(text) or DATE_OR_UID.search(text)
        return text if not text or (_TOKEN.fullmatch(text) and not named) else DUMMY

    def version(self, text: str) -> str:
        """Return a version as it is; some look like a date."""
        return text if _VERSION.fullmatch(text) else DUMMY

    def sentence(self, text: str) -> str | None:
        """Return a sentence of the software with names as they are now; None if it may quote a person's words."""
        made = text if self._changed is None else self._changed.sub(lambda found: self._known[found[0]], text)
        told = _CITED.sub(" ", made)
        named = self.case.identity.is_named_in(told) or DATE_OR_UID.search(told) or _FILE.search(told)
        if named or not all(self._is_harmless(quoted) for quoted in _QUOTED.findall(made)):
            self.left_out += 1
            return None
        return made

    def _is_harmless(self, quoted: str) -> bool:
        return quoted in self._known.values() or all(is_known(word) for word in re.findall(r"[^\W_]+", quoted))

    def inputs(
        self, inputs: Iterable[dict[str, Any]], copies: Sequence[tuple[Series, Sequence[Path]]]
    ) -> list[dict[str, Any]]:
        """Return the inputs with the digests of the files of the copy; those that are not in it are left out."""
        uids = {one.get("uid") for one in inputs}
        now = {digest(one.files): digest(files) for one, files in copies if one.uid in uids}
        return [{**one, "sha256": now[one["sha256"]]} for one in inputs if one["sha256"] in now]


def _words_of_persons(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a person may have written, and a sentence of the software may quote."""
    yield record["radiopharmaceutical"]
    yield from (point["label"] for point in record["time_points"])
    yield from (
        point["left_out"] for region in record["regions"] for point in region["activity_MBq"] if "left_out" in point
    )
