"""An administration as a case: its settings, the files that belong to it, and a folder that recipes read."""

from __future__ import annotations

import fnmatch
import hashlib
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.folders import lay_out
from hevesy.web.site.store.models import Administration, Attachment, Instance, Series
from hevesy.web.workbench.models import RegionSet
from hevesy.workflows.case import FILE_NAME, Case, load_case, write_settings

#: what is drawn, and is set aside once regions were drawn here
_DRAWN = ("RTSTRUCT", "SEG")
#: what was computed elsewhere, and is no input
_COMPUTED = ("RTDOSE", "SR", "RWV")


def regions_of(administration: Administration) -> RegionSet | None:
    """Return the newest version of the regions drawn here, or None where those that came with the images count."""
    return RegionSet.objects.filter(administration=administration).first()


def instances_of(administration: Administration, drawn: RegionSet | None) -> QuerySet[Instance]:
    """Return the objects that the case is made from; structures that came along only where none were drawn here."""
    left_out = [*_COMPUTED, *(_DRAWN if drawn else ())]
    there = Instance.objects.filter(series__study__administrations=administration)
    return there.exclude(series__modality__in=left_out).select_related("series").order_by("uid")


def attachments_of(administration: Administration) -> list[Attachment]:
    """Return the files beside the images that settings may name: the newest of each name, without any case.yaml."""
    there = Attachment.objects.filter(patient=administration.course.patient)
    named = {one.name: one for one in there.exclude(Q(name=FILE_NAME) | Q(name__endswith=f"/{FILE_NAME}"))}
    return list(named.values())


def digest_of(administration: Administration, *, as_it_came: bool = False) -> str:
    """Return the SHA-256 of everything besides the settings that a result depends on; with or without what was drawn.

    Parameters
    ----------
    administration : Administration
        What it is the digest of.
    as_it_came : bool
        Leave out what was drawn here.
    """
    drawn = None if as_it_came else regions_of(administration)
    files = [*instances_of(administration, drawn).values_list("uid", "sha256")]
    files += [(one.name, one.sha256) for one in attachments_of(administration)]
    if drawn is not None:
        kept = ("name", "role", "seriesUid", "sha256")
        files += [("region", repr([one.get(key) for key in kept] + [str(drawn.at)])) for one in drawn.regions]
    return hashlib.sha256(repr(sorted(files)).encode()).hexdigest()


def settings_of(administration: Administration) -> dict[str, Any]:
    """Return the settings that count: those given, with the regions drawn here in place of those that came.

    A SEG that is drawn on a series belongs to its scan without being named; on every other scan nothing is drawn.
    """
    given: dict[str, Any] = dict(administration.settings)
    drawn = regions_of(administration)
    if drawn is None or "scans" not in given:
        return given
    uids = {one["seriesUid"] for one in drawn.regions if one["sha256"]}
    on = list(Series.objects.filter(study__administrations=administration, uid__in=uids))
    scans = []
    for entry in given["scans"]:
        others = {key: value for key, value in entry.items() if key != "structures"}
        is_drawn_on = any(_is_called(series, str(entry["series"])) for series in on)
        scans.append(others if is_drawn_on else {**others, "structures": "none"})
    return {**given, "scans": scans}


def _is_called(series: Series, wanted: str) -> bool:
    return wanted == series.uid or fnmatch.fnmatchcase(series.description, wanted)


def lay_out_case(
    administration: Administration, settings: dict[str, Any], folder: Path, *, as_it_came: bool = False
) -> Case:
    """Link everything of a case into a folder, write its case.yaml there, and return it as the recipes read it.

    Parameters
    ----------
    administration : Administration
        The case.
    settings : dict
        Its settings.
    folder : Path
        Made here.
    as_it_came : bool
        Leave out what was drawn here.

    Raises
    ------
    UnknownName
        If the store lost a file.
    BadConfiguration
        If the settings do not fit the schema.
    """
    drawn = None if as_it_came else regions_of(administration)
    lay_out(instances_of(administration, drawn), folder, attachments_of(administration))
    if drawn is not None:
        _write_regions(drawn, folder)
    (folder / FILE_NAME).write_text(write_settings(settings), encoding="utf-8")
    return load_case(folder)


def _write_regions(drawn: RegionSet, folder: Path) -> None:
    """Write what was drawn as one SEG for each series."""
    from hevesy.workflows.viewing import Drawn, read_mask, write_drawn

    store = FileStore.of_site()
    there = [one for one in drawn.regions if one["sha256"]]
    for number, uid in enumerate(sorted({one["seriesUid"] for one in there}), start=1):
        own = [one for one in there if one["seriesUid"] == uid]
        masks = [read_mask(store.path_of(one["sha256"]).read_bytes(), one["grid"], one["box"]) for one in own]
        regions = [
            Drawn(one["name"], one["role"], mask, one.get("foundBy", ""), one.get("foundNote", ""))
            for one, mask in zip(own, masks, strict=True)
        ]
        write_drawn(folder / uid, own[0]["grid"], regions, folder / f"regions-{number}.dcm", drawn.at)
