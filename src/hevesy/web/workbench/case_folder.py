"""An administration as a case: its settings, the files that belong to it, and a folder that recipes read."""

from __future__ import annotations

import fnmatch
import hashlib
import os
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


def instances_of(administration: Administration) -> QuerySet[Instance]:
    """Return the objects that the case is made from."""
    left_out = [*_COMPUTED, *(_DRAWN if regions_of(administration) else ())]
    there = Instance.objects.filter(series__study__administrations=administration)
    return there.exclude(series__modality__in=left_out).select_related("series").order_by("uid")


def attachments_of(administration: Administration) -> list[Attachment]:
    """Return the files beside the images that settings may name: the newest of each name, without any case.yaml."""
    there = Attachment.objects.filter(patient=administration.course.patient)
    named = {one.name: one for one in there.exclude(Q(name=FILE_NAME) | Q(name__endswith=f"/{FILE_NAME}"))}
    return list(named.values())


def digest_of(administration: Administration) -> str:
    """Return the SHA-256 of everything besides the settings that a result depends on."""
    files = [*instances_of(administration).values_list("uid", "sha256")]
    files += [(one.name, one.sha256) for one in attachments_of(administration)]
    drawn = regions_of(administration)
    files.append(("regions", drawn.sha256 if drawn else ""))
    return hashlib.sha256(repr(sorted(files)).encode()).hexdigest()


def settings_of(administration: Administration) -> dict[str, Any]:
    """Return the settings that count: those given, with the regions drawn here in place of those that came."""
    given: dict[str, Any] = dict(administration.settings)
    drawn = regions_of(administration)
    if drawn is None or not drawn.uid or "scans" not in given:
        return given
    series = Series.objects.filter(study__administrations=administration, uid=drawn.series_uid).first()
    scans = [
        {**entry, "structures": drawn.uid if series and _is_called(series, str(entry["series"])) else "none"}
        for entry in given["scans"]
    ]
    return {**given, "scans": scans}


def _is_called(series: Series, wanted: str) -> bool:
    return wanted == series.uid or fnmatch.fnmatchcase(series.description, wanted)


def lay_out_case(administration: Administration, settings: dict[str, Any], folder: Path) -> Case:
    """Link everything of a case into a folder, write its case.yaml there, and return it as the recipes read it.

    Raises
    ------
    UnknownName
        If the store lost a file.
    BadConfiguration
        If the settings do not fit the schema.
    """
    lay_out(instances_of(administration), folder, attachments_of(administration))
    drawn = regions_of(administration)
    if drawn and drawn.sha256:
        os.link(FileStore.of_site().path_of(drawn.sha256), folder / "regions.dcm")
    (folder / FILE_NAME).write_text(write_settings(settings), encoding="utf-8")
    return load_case(folder)
