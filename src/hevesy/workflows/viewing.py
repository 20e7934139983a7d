"""A case as the viewer shows it: images and regions as plain numbers beside a manifest, and regions drawn on them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Image, Provenance, Quantity, Region, Role
from hevesy.core.region import FOUND
from hevesy.errors import BadInput, MissingInformation
from hevesy.stages.imaging import segmentation_writer
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.nifti_in import read_plain
from hevesy.stages.segmentation.delineation import Method, delineate, grow, percist_threshold
from hevesy.stages.segmentation.interpolation import interpolate_slices
from hevesy.workflows.case import Case
from hevesy.workflows.measurement import placed
from hevesy.workflows.organs import Organs
from hevesy.workflows.scans import Course, Scan, gather
from hevesy.workflows.viewer_numbers import write_compressed, write_numbers

MANIFEST = "manifest.json"
#: from this covered fraction on a voxel is shown as the region's
_BELONGS = 0.5
_INT16_MOST = 32767
#: the viewer's names of methods that take a fraction of the maximum
_FRACTIONS = {"41%": 0.41, "50%": 0.50}
_COLOURS = ("#e6550d", "#3182bd", "#31a354", "#756bb1", "#d6a100", "#c51b8a", "#17becf", "#8c564b")


def write_view(
    folder: Path, case: Case, target: Path, progress: Callable[[str], None] = lambda step: None
) -> dict[str, Any]:
    """Write every scan, the CT and what was drawn for the viewer.

    Regions bear the names that they have in their structures, whatever case.yaml calls them.

    Parameters
    ----------
    folder : Path
        The case's folder.
    case : Case
        What the images do not say.
    target : Path
        An empty folder: ``manifest.json`` as in docs/reference/viewer.md, but for `url`, which is the name of a file
        here; each file is compressed by zlib.
    progress : callable, optional
        Told each step as it starts.

    Returns
    -------
    dict
        The manifest.
    """
    progress("reading headers")
    course = gather(read_folder(folder), case, progress)
    progress("writing images")
    volumes = [_activity(scan, n, course, target) for n, scan in enumerate(course.scans)]
    if course.anatomy is not None and course.anatomy_series is not None:
        stored = np.clip(np.rint(course.anatomy.values), -_INT16_MOST, _INT16_MOST).astype("<i2")
        entry = {"id": "ct", "name": course.anatomy_series.description or "CT", "kind": "ct", "unit": "HU"}
        place = {"movesWith": _taken_with(course.anatomy, course.scans), **described(course.anatomy.grid)}
        volumes.append({**entry, **place, **write_numbers(stored, target)})
    manifest = {
        "timePoints": [{"index": n, "label": scan.label} for n, scan in enumerate(course.scans)],
        "volumes": volumes,
        "regions": _drawn(course, target),
    }
    (target / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return manifest


def _taken_with(anatomy: Image, scans: Sequence[Scan]) -> list[str]:
    """List the series in whose frame of reference a CT was taken."""
    frame = anatomy.grid.frame_of_reference
    return [scan.series.uid for scan in scans if scan.activity.grid.frame_of_reference == frame]


def described(grid: Grid) -> dict[str, Any]:
    """Return a grid as the manifest has it."""
    return {"shape": list(grid.shape), "affine": grid.affine.tolist()}


def _scaled(values: NDArray[Any], target: Path) -> dict[str, Any]:
    """Store values as 16-bit integers: 1/32767 of the greatest apart."""
    most = float(np.abs(values).max()) or 1.0
    stored = np.rint(values * (_INT16_MOST / most)).astype("<i2")
    return {"slope": most / _INT16_MOST, "intercept": 0.0, **write_numbers(stored, target)}


def _activity(scan: Scan, number: int, course: Course, target: Path) -> dict[str, Any]:
    kind = "pet" if scan.series.modality == "PT" and scan.series.description else "spect"
    entry = {"id": f"scan{number}", "name": scan.label, "kind": kind, "unit": "Bq/mL", "timePoint": number}
    given, mass = course.administration.activity, course.patient.mass_kg
    if given is not None and mass:
        present = given.value * float(np.exp(-course.nuclide.decay_constant.value * scan.mid_s))
        entry["suvFactor"] = mass * 1e3 / present  # of a body of 1 g/mL
    own = {"seriesUid": scan.series.uid, **described(scan.activity.grid), **_scaled(scan.activity.values, target)}
    return {**entry, **own}


def write_dose_view(dose: Path, target: Path) -> dict[str, Any]:
    """Write a dose map (NIfTI, Gy) for the viewer into a folder, and return its entry in the manifest."""
    image = read_plain(dose, Quantity.ABSORBED_DOSE)
    entry = {"id": "dose", "name": "Absorbed dose", "kind": "dose", "unit": "Gy", **described(image.grid)}
    return {**entry, **_scaled(image.values, target)}


def _drawn(course: Course, target: Path) -> list[dict[str, Any]]:
    """List what was drawn on each scan; the same name on several scans is one region through time."""
    names = sorted({name for scan in course.scans for name in scan.drawn})
    found = []
    for number, scan in enumerate(course.scans):
        for name, shape in scan.drawn.items():
            region, _ = placed(shape, scan.activity.grid, {})
            kept = region.coverage >= _BELONGS
            kept = kept if kept.any() else region.coverage > 0
            entry = {"id": f"{number}-{names.index(name)}", "name": name, "role": region.role.value}
            place = {"grid": described(scan.activity.grid), "seriesUid": scan.series.uid, "timePoint": number}
            box = {"offset": list(map(int, region.offset)), "shape": list(kept.shape)}
            colour = _COLOURS[names.index(name) % len(_COLOURS)]
            mask = {"box": box, "url": write_compressed(kept.astype(np.uint8), target)}
            origin = {"foundBy": region.found_by, "foundNote": " ".join(region.provenance.notes)}
            found.append({**entry, "colour": colour, "version": 0, **place, **mask, **origin})
    return found


def write_found(found: Organs, target: Path) -> list[dict[str, Any]]:
    """Write organs that were found for the viewer, and return their entries in the manifest, each with what found it.

    Parameters
    ----------
    found : Organs
        On the grid of their scan.
    target : Path
        A folder.
    """
    entries = []
    for number, region in enumerate(found.regions):
        kept = region.coverage >= _BELONGS
        entry = {"name": region.name, "role": region.role.value, "colour": _COLOURS[number % len(_COLOURS)]}
        place = {"grid": described(region.grid), "seriesUid": found.scan.series.uid, "timePoint": found.number}
        box = {"offset": list(map(int, region.offset)), "shape": list(kept.shape)}
        mask = {"box": box, "url": write_compressed(kept.astype(np.uint8), target)}
        origin = {"foundBy": region.found_by, "foundNote": " ".join(region.provenance.notes)}
        entries.append({**entry, **place, **mask, **origin})
    return entries


def read_volume(entry: Mapping[str, Any], data: bytes) -> Image:
    """Return a volume of the manifest as an image, from its compressed bytes.

    Raises
    ------
    BadInput
        If it is not activity.
    """
    if entry["unit"] != "Bq/mL":
        raise BadInput(f"'{entry['name']}' is not activity in Bq/mL.", "Choose a SPECT or PET.")
    stored = np.frombuffer(zlib.decompress(data), "<i2").reshape(entry["shape"])
    grid = Grid(tuple(entry["shape"]), np.array(entry["affine"]))
    return Image((stored * entry["slope"]).astype(np.float32), grid, Quantity.ACTIVITY_CONCENTRATION)


def read_mask(data: bytes, grid: Mapping[str, Any], box: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return a region's voxels on the whole grid, from the compressed bytes of its box."""
    full = np.zeros(grid["shape"], bool)
    where = tuple(slice(a, a + n) for a, n in zip(box["offset"], box["shape"], strict=True))
    full[where] = np.frombuffer(zlib.decompress(data), np.uint8).reshape(box["shape"]) > 0
    return full


def pack_mask(mask: NDArray[np.bool_]) -> tuple[dict[str, Any], bytes] | None:
    """Return the box that a region fills and its compressed bytes; None for an empty region."""
    if not mask.any():
        return None
    found = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    box = tuple(slice(int(one[0]), int(one[-1]) + 1) for one in found)
    facts = {"offset": [b.start for b in box], "shape": [b.stop - b.start for b in box]}
    return facts, zlib.compress(mask[box].astype(np.uint8).tobytes(), 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A tool and where it is used.

    Parameters
    ----------
    method : str
        ``41%``, ``50%``, ``suv``, ``percist`` or ``gradient``.
    point_mm : tuple of float
        Centre of the sphere, or the seed, in patient coordinates (LPS), mm.
    radius_mm : float
        Of the sphere; 0 for growth.
    threshold_suv : float or None
        With ``suv``.
    suv_factor : float or None
        SUV of 1 Bq/mL.
    liver_mm : tuple of float or None
        Middle of the liver, with ``percist``.
    """

    method: str
    point_mm: tuple[float, float, float]
    radius_mm: float = 0.0
    threshold_suv: float | None = None
    suv_factor: float | None = None
    liver_mm: tuple[float, float, float] | None = None


def draw(image: Image, asked: Asked) -> NDArray[np.bool_]:
    """Return the voxels that a tool takes: within a sphere by a threshold, or grown from a point.

    Raises
    ------
    MissingInformation
        If the method needs an SUV or a liver that is not known.
    BadInput
        If there is no such method, or nothing reaches the threshold.
    OutsideImage
        If the point lies outside the image.
    """
    point = np.array(asked.point_mm)
    if asked.radius_mm > 0:
        method, level = _method(image, asked)
        return delineate(image, point, asked.radius_mm, method, level).mask() > 0
    if asked.method in _FRACTIONS:
        index = tuple(np.clip(np.rint(image.grid.to_index(point)).astype(int), 0, np.array(image.grid.shape) - 1))
        return grow(image, point, _FRACTIONS[asked.method] * float(image.values[index])).mask() > 0
    method, level = _method(image, asked)
    if level is None:
        raise BadInput("Growth needs a threshold.", "Choose 41%, 50%, SUV or PERCIST.")
    return grow(image, point, level).mask() > 0


def _method(image: Image, asked: Asked) -> tuple[Method, float | None]:
    if asked.method in _FRACTIONS:
        return Method.FRACTION, _FRACTIONS[asked.method]
    if asked.method == "gradient":
        return Method.GRADIENT, None
    if asked.method == "suv":
        if not asked.suv_factor or not asked.threshold_suv:
            raise MissingInformation("SUV is not known here.", "Give the administered activity and the body mass.")
        return Method.FIXED, asked.threshold_suv / asked.suv_factor
    if asked.method == "percist":
        if asked.liver_mm is None:
            raise MissingInformation("PERCIST compares with the liver.", "Draw a region called liver first.")
        return Method.PERCIST, percist_threshold(image, np.array(asked.liver_mm))
    raise BadInput(f"There is no method '{asked.method[:40]}'.", "Choose 41%, 50%, suv, percist or gradient.")


def middle_mm(mask: NDArray[np.bool_], grid: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return the middle of a region in patient coordinates, mm."""
    index = np.argwhere(mask).mean(axis=0)
    x, y, z = (np.array(grid["affine"]) @ [*index, 1.0])[:3]
    return float(x), float(y), float(z)


def between_slices(mask: NDArray[np.bool_], grid: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return a region with the axial slices between drawn ones filled."""
    affine = np.array(grid["affine"])
    axis = int(np.argmax(np.abs(affine[2, :3])))
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    return interpolate_slices(mask, axis, (float(sides[0]), float(sides[1]), float(sides[2])))


def changed_by_runs(
    mask: NDArray[np.bool_], taken: Iterable[Sequence[int]], left: Iterable[Sequence[int]]
) -> NDArray[np.bool_]:
    """Return a region with runs of voxels ([first, length] of flat indices) set, and others cleared.

    Raises
    ------
    BadInput
        If a run lies outside the grid.
    """
    flat = mask.ravel().copy()
    for runs, value in ((taken, True), (left, False)):
        for first, length in runs:
            if first < 0 or length < 1 or first + length > flat.size:
                raise BadInput("An edit reaches outside the image.", "Open the page again.")
            flat[first : first + length] = value
    return flat.reshape(mask.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A region: its name, role, voxels on the grid of its series, and what found it if no person drew it."""

    name: str
    role: str
    mask: NDArray[np.bool_]
    found_by: str = ""
    note: str = ""

    def region(self, grid: Grid) -> Region:
        """Return it as a region."""
        made = Region.from_mask(self.name, grid, self.mask, Role(self.role))
        if not self.found_by:
            return made
        notes = (self.note,) if self.note else ()
        return replace(made, provenance=Provenance().then(FOUND, by=self.found_by).noting(*notes))


def write_drawn(folder: Path, grid: Mapping[str, Any], regions: Sequence[Drawn], path: Path, at: datetime) -> None:
    """Write regions that were drawn on one series as a SEG.

    Parameters
    ----------
    folder : Path
        Holds the objects of the series alone.
    grid : mapping
        Shape and affine of the series, as in the manifest.
    regions : sequence of Drawn
        None of them empty.
    path : Path
        File to write.
    at : datetime
        When they were drawn.

    Raises
    ------
    EmptyInput
        If there is no region.
    """
    series = read_folder(folder).series[0]
    lattice = Grid(tuple(grid["shape"]), np.array(grid["affine"]), series.frame_of_reference)
    made = [one.region(lattice) for one in regions]
    headers = sorted(series.headers, key=lambda head: str(head.get("SOPInstanceUID", "")))
    segmentation_writer.write(made, headers, path, at)
