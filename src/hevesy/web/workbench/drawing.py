"""Regions that are edited in the viewer: every edit is a new version, and the versions before stay."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from hevesy.errors import BadInput, ContradictoryInformation, UnknownRegion
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.audit.record import record
from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.jobs.queue import result_folder
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.models import Administration, Result
from hevesy.web.workbench.case_folder import regions_of
from hevesy.web.workbench.models import RegionSet
from hevesy.web.workbench.placing import Placing, named, newest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Region = dict[str, Any]
_ROLES = ("lesion", "organ", "body", "background")
_COLOURS = ("#e6550d", "#3182bd", "#31a354", "#756bb1", "#d6a100", "#c51b8a", "#17becf", "#8c564b")
_LONGEST_NAME = 64
#: time points that the viewer opens with, as in viewer.js
_SHOWN_AT_FIRST = 2


class View:
    """The images of an administration as a job wrote them, and the regions as they are now.

    Parameters
    ----------
    administration : Administration
        What is looked at.
    job : Job
        The job, done, that wrote its images.

    Attributes
    ----------
    placing : Placing
        Where the scans lie for who looks at them. What is drawn is kept on each scan's own grid, wherever that lies.
    """

    def __init__(self, administration: Administration, job: Job) -> None:
        self.administration = administration
        self.job = job
        self.folder = result_folder(job.fingerprint)
        self.manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        self.placing = Placing()

    def place(self) -> None:
        """Place the scans as the last measurement moved them."""
        uids = [one["seriesUid"] for one in self.manifest["volumes"] if "seriesUid" in one]
        self.placing = newest(self.administration, uids)

    def times(self) -> list[dict[str, Any]]:
        """Return the time points, each with how its scan was moved; null before any registration."""
        scans = {one["timePoint"]: one for one in self.manifest["volumes"] if "seriesUid" in one}
        return [
            {**one, "motion": self.placing.motion(scans.get(one["index"], {})) or None}
            for one in self.manifest["timePoints"]
        ]

    def regions(self) -> list[Region]:
        """Return the regions as they are: those that came with the images until the first edit."""
        drawn = regions_of(self.administration)
        if drawn is not None:
            return [dict(one) for one in drawn.regions]
        return [{**one, "sha256": None} for one in self.manifest["regions"]]

    def volume(self, identifier: str) -> dict[str, Any]:
        """Return a volume of the manifest."""
        found = next((one for one in self.manifest["volumes"] if one["id"] == identifier), None)
        if found is None:
            raise BadInput(f"There is no image '{identifier[:40]}'.", "Open the page again.")
        entry: dict[str, Any] = found
        return entry

    def mask(self, region: Region) -> NDArray[np.bool_]:
        """Return a region's voxels on its whole grid."""
        import numpy as np

        from hevesy.workflows.viewing import read_mask

        if region["sha256"]:
            return read_mask(FileStore.of_site().path_of(region["sha256"]).read_bytes(), region["grid"], region["box"])
        if region.get("url"):
            return read_mask((self.folder / region["url"]).read_bytes(), region["grid"], region["box"])
        return np.zeros(region["grid"]["shape"], bool)


@transaction.atomic
def edit(person: Person, view: View, asked: dict[str, Any]) -> dict[str, Any]:
    """Apply one edit of the viewer, and return what it is to be told (see docs/reference/viewer.md).

    Raises
    ------
    ContradictoryInformation
        If the region was changed by somebody else meanwhile.
    UnknownRegion
        If there is no such region.
    HevesyError
        What the tool refuses.
    """
    administration = Administration.objects.select_for_update().get(pk=view.administration.pk)
    view.placing = named(administration, asked.get("registration"))
    before = regions_of(administration)
    regions, known = view.regions(), view.regions()
    tool = str(asked.get("tool", ""))
    if tool not in _TOOLS:
        raise BadInput(f"There is no tool '{tool[:40]}'.", f"There are: {', '.join(_TOOLS)}.")
    region = _chosen(regions, view, asked)
    answer = _TOOLS[tool](view, regions, region, asked)
    region["version"] = int(region["version"]) + 1
    _follow(administration, regions, {one["name"] for one in known} - {one["name"] for one in regions}, region)
    if before is None:
        take_over(view, regions)
    version = (before.version if before else 0) + 1
    change = f"{tool}: {region['name']}"[:200]
    RegionSet.objects.create(
        administration=administration, version=version, author=person, change=change, regions=regions
    )
    record(person, "regions.changed", f"administration {administration.pk}", version=version, change=change)
    return {"version": region["version"], **answer}


def _follow(administration: Administration, regions: list[Region], gone: set[str], region: Region) -> None:
    """Let what the settings say of a region follow its new name, and forget it with the region."""
    said = dict(administration.settings.get("regions", {}))
    for name in gone & said.keys():
        moved = said.pop(name)
        if region in regions:
            said[region["name"]] = moved
    if said != administration.settings.get("regions", {}):
        administration.settings = {**administration.settings, "regions": said}
        administration.save(update_fields=["settings"])


def _chosen(regions: list[Region], view: View, asked: dict[str, Any]) -> Region:
    """Return the region that is edited; a new one where the tool makes it."""
    identifier = asked.get("regionId")
    if identifier is None and asked.get("tool") in ("create", "sphere"):
        made = _new(regions, view, asked)
        regions.append(made)
        return made
    found = next((one for one in regions if one["id"] == identifier), None)
    if found is None:
        raise UnknownRegion("There is no such region any more.", "Open the page again.")
    if int(asked.get("baseVersion") or found["version"]) != found["version"]:
        raise ContradictoryInformation("The region was changed meanwhile.", "Open the page again.")
    return found


def _new(regions: list[Region], view: View, asked: dict[str, Any]) -> Region:
    volume = view.volume(str(asked.get("volumeId", "")))
    if "seriesUid" not in volume:
        raise BadInput("Regions are drawn on a SPECT or PET.", "Choose one.")
    names = {one["name"] for one in regions}
    free = next(f"lesion {n}" for n in range(1, len(names) + 2) if f"lesion {n}" not in names)
    name, role = _name(asked.get("name", free)), _role(asked.get("role", "lesion"))
    return {
        "id": free_identifier(regions),
        "name": name,
        "role": role,
        "colour": _COLOURS[len(names) % len(_COLOURS)],
        "timePoint": volume["timePoint"],
        "seriesUid": volume["seriesUid"],
        "version": 0,
        "grid": {"shape": volume["shape"], "affine": volume["affine"]},
        "sha256": None,
    }


def free_identifier(regions: list[Region]) -> str:
    """Return an identifier that none of the regions has."""
    numbers = [int(one["id"].rpartition("-")[2]) for one in regions]
    return f"new-{max(numbers, default=0) + 1}"


def _name(text: object) -> str:
    name = " ".join(str(text).split())
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise BadInput("A region needs a name of 1 to 64 letters.", "Give it one.")
    return name


def _role(text: object) -> str:
    if text not in _ROLES:
        raise BadInput(f"There is no role '{str(text)[:40]}'.", f"There are: {', '.join(_ROLES)}.")
    return str(text)


def take_over(view: View, regions: list[Region]) -> None:
    """Put the masks that came with the images into the store, once the first edit makes a set of its own."""
    store = FileStore.of_site()
    for one in regions:
        if one.get("url") and not one["sha256"]:
            one["sha256"] = store.put(view.folder / one["url"])
        one.pop("url", None)


def _keep(region: Region, mask: NDArray[np.bool_]) -> None:
    """Put a region's mask into the store."""
    from hevesy.workflows.viewing import pack_mask

    region.pop("url", None)
    packed = pack_mask(mask)
    if packed is None:
        region["sha256"] = None
        region.pop("box", None)
        return
    region["box"], data = packed
    with tempfile.TemporaryDirectory(dir=settings.HOME.scratch) as folder:
        path = Path(folder) / "mask"
        path.write_bytes(data)
        region["sha256"] = FileStore.of_site().put(path)


def _brush(view: View, regions: list[Region], region: Region, asked: dict[str, Any]) -> dict[str, Any]:
    from hevesy.workflows.viewing import changed_by_runs

    _keep(region, changed_by_runs(view.mask(region), asked.get("set", ()), asked.get("clear", ())))
    return {}


def _create(view: View, regions: list[Region], region: Region, asked: dict[str, Any]) -> dict[str, Any]:
    return {"region": {**view.placing.shown(region), "version": 1}}


def _sphere(view: View, regions: list[Region], region: Region, asked: dict[str, Any]) -> dict[str, Any]:
    return _drawn(view, regions, region, asked, "centreMm")


def _grow(view: View, regions: list[Region], region: Region, asked: dict[str, Any]) -> dict[str, Any]:
    return _drawn(view, regions, region, asked, "seedMm")


def _drawn(view: View, regions: list[Region], region: Region, asked: dict[str, Any], point: str) -> dict[str, Any]:
    from hevesy.workflows.viewing import Asked, draw, middle_mm, read_volume

    volume = view.volume(str(asked.get("volumeId", "")))
    image = read_volume(volume, (view.folder / volume["url"]).read_bytes())
    same = (one for one in regions if one["timePoint"] == region["timePoint"] and "liver" in one["name"].lower())
    liver = next((one for one in same if one["role"] == "organ"), None) if asked.get("method") == "percist" else None
    if asked.get(point) is None:
        raise BadInput("The edit does not say where.", "Click on a picture.")
    mask = draw(
        image,
        Asked(
            method=str(asked.get("method", "")),
            point_mm=view.placing.point_in(volume, asked[point]),
            radius_mm=float(asked.get("radiusMm", 0.0)),
            threshold_suv=asked.get("threshold"),
            suv_factor=volume.get("suvFactor"),
            liver_mm=middle_mm(view.mask(liver), liver["grid"]) if liver else None,
        ),
    )
    _keep(region, mask)
    return _mask_of(view, region, new=asked.get("regionId") is None)


def _interpolate(view: View, regions: list[Region], region: Region, asked: dict[str, Any]) -> dict[str, Any]:
    from hevesy.workflows.viewing import between_slices

    _keep(region, between_slices(view.mask(region), region["grid"]))
    return _mask_of(view, region, new=False)


def _mask_of(view: View, region: Region, *, new: bool) -> dict[str, Any]:
    mask = {"box": region["box"], "url": mask_url(view.administration, region["sha256"])}
    shown = {key: value for key, value in view.placing.shown(region).items() if key not in ("box", "sha256")}
    return {"mask": mask, **({"region": {**shown, "version": 1}} if new else {})}


def _rename(view: View, regions: list[Region], region: Region, asked: dict[str, Any]) -> dict[str, Any]:
    region["name"] = _name(asked.get("name"))
    if sum(r["name"] == region["name"] and r["timePoint"] == region["timePoint"] for r in regions) > 1:
        raise ContradictoryInformation(f"Another region is called '{region['name']}' here.", "Give it another name.")
    return {}


def _set_role(view: View, regions: list[Region], region: Region, asked: dict[str, Any]) -> dict[str, Any]:
    region["role"] = _role(asked.get("role"))
    return {}


def _delete(view: View, regions: list[Region], region: Region, asked: dict[str, Any]) -> dict[str, Any]:
    regions.remove(region)
    return {}


_TOOLS = {
    "brush": _brush,
    "erase": _brush,
    "undo": _brush,
    "redo": _brush,
    "create": _create,
    "sphere": _sphere,
    "grow": _grow,
    "interpolate": _interpolate,
    "rename": _rename,
    "role": _set_role,
    "delete": _delete,
}


def manifest_url(administration: Administration, images: Job | None, result: Result | None = None) -> str:
    """Return the address of the viewer's manifest, empty until its images are there; with the dose of a result."""
    if images is None or images.state != State.DONE:
        return ""
    return f"/api/workbench/administrations/{administration.pk}/view{f'?result={result.pk}' if result else ''}"


def image_prefix(administration: Administration, job: Job) -> str:
    """Return what the address of every file of a view begins with."""
    return f"/api/workbench/administrations/{administration.pk}/images/{job.pk}/"


def first_images(administration: Administration, images: Job | None) -> list[str]:
    """Return the addresses of the images that the viewer opens with, so that a page asks for them before it runs."""
    if images is None or images.state != State.DONE:
        return []
    manifest = View(administration, images).manifest
    shown = {None, *(one["index"] for one in manifest["timePoints"][:_SHOWN_AT_FIRST])}
    prefix = image_prefix(administration, images)
    return [prefix + one.get("preview", one)["url"] for one in manifest["volumes"] if one.get("timePoint") in shown]


def addressed(volume: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return a volume of a stored manifest with the addresses of its files."""
    placed = {**volume, "url": prefix + volume["url"]}
    if "preview" in volume:
        placed["preview"] = {**volume["preview"], "url": prefix + volume["preview"]["url"]}
    return placed


def mask_url(administration: Administration, sha256: str) -> str:
    """Return the address of a mask."""
    return f"/api/workbench/administrations/{administration.pk}/masks/{sha256}"
