"""A known activity in front of a gamma camera that is described in a file, to DICOM objects: the recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Administration, EnergyWindow, Measured, Patient, PlanarView, Projections, Timing
from hevesy.core.placement import Placement
from hevesy.data.collimators import collimator
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadConfiguration, MissingInformation, UnknownName, UnreadableFile
from hevesy.stages.imaging.camera_writer import Session, planar, tomographic
from hevesy.stages.imaging.derived import derived_uid, save
from hevesy.stages.quantification.reconstruction import Lattice, Orbit, SystemModel
from hevesy.stages.quantification.reconstruction.photons import photons_above
from hevesy.stages.quantification.reconstruction.response import SharpenedResponse, collimator_response
from hevesy.stages.quantification.reconstruction.simulated_scatter import Detection, scattered
from hevesy.stages.quantification.reconstruction.simulation import (
    Acquisition,
    contour_radii_mm,
    mean_counts,
    rebinned,
)
from hevesy.workflows.simulation import read_phantom

KINDS = ("tomo", "static", "whole-body")
NEEDED = ("photon_keV", "collimator", "pixel_mm", "rows", "columns", "windows_keV")
OPTIONAL = ("views", "start_deg", "radius_mm", "gap_mm", "intrinsic_mm", "energy_resolution", "scatter_histories")


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """A camera as its JSON file describes it.

    Parameters
    ----------
    facts : mapping
        ``photon_keV``, ``collimator`` (a name in ``hevesy.data.collimators``), ``pixel_mm``, ``rows``, ``columns``,
        ``windows_keV`` (name to lower and upper limit, the photopeak's first); ``radius_mm``, or ``gap_mm`` to the
        body that the heads follow; and perhaps ``views`` (60), ``start_deg`` (180, anterior), ``intrinsic_mm`` (3.8),
        ``energy_resolution`` (0.1) and ``scatter_histories`` (0: no scatter).
    kind : str
        One of `KINDS`.

    Raises
    ------
    BadConfiguration
        If a key is missing or unknown, or a value is no number.
    UnknownName
        If there is no such kind.
    """

    facts: Mapping[str, Any] = field(repr=False)
    kind: str = "tomo"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownName(f"There is no view '{self.kind}'.", f"Known are: {', '.join(KINDS)}.")
        missing = [key for key in NEEDED if key not in self.facts]
        unknown = [key for key in self.facts if key not in (*NEEDED, *OPTIONAL)]
        if missing or unknown:
            fault = f"lacks {', '.join(missing)}" if missing else f"has unknown keys: {', '.join(unknown)}"
            raise BadConfiguration(f"The camera {fault}.", f"Known are: {', '.join((*NEEDED, *OPTIONAL))}.")
        if not isinstance(self.facts["windows_keV"], dict) or not self.facts["windows_keV"]:
            raise BadConfiguration("The camera's windows_keV must name windows, the photopeak's first.")
        for key in (*NEEDED, *OPTIONAL):
            value = self.facts.get(key, 0)
            if key not in ("collimator", "windows_keV") and (isinstance(value, bool) or not _is_number(value)):
                raise BadConfiguration(f"The camera's {key} must be a number, not {value!r}.")

    def number(self, key: str, default: float = 0.0) -> float:
        """Return a number."""
        return float(self.facts.get(key, default))

    @property
    def windows(self) -> tuple[EnergyWindow, ...]:
        """Energy windows, the photopeak's first."""
        try:
            limits = {name: (float(low), float(high)) for name, (low, high) in self.facts["windows_keV"].items()}
        except (TypeError, ValueError) as fault:
            raise BadConfiguration(f"An energy window needs a lower and an upper limit ({fault}).") from fault
        return tuple(EnergyWindow((pair,), name) for name, pair in limits.items())

    @property
    def angles_deg(self) -> NDArray[np.float64]:
        """Of all views; a planar camera looks from the front and from behind."""
        if self.kind != "tomo":
            return np.array([180.0, 0.0])
        views = int(self.number("views", 60))
        return np.asarray((self.number("start_deg", 180.0) + 360.0 / views * np.arange(views)) % 360.0, np.float64)


@dataclass(frozen=True, slots=True)
class When:
    """Start of a scan, and seed of its noise."""

    start: datetime
    seed: int = 1


def read_plan(path: Path, kind: str = "tomo") -> CameraPlan:
    """Read the JSON file of a camera.

    Raises
    ------
    UnreadableFile
        If it is no JSON object.
    BadConfiguration, UnknownName
        See `CameraPlan`.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise UnreadableFile(f"{path} cannot be read as JSON ({fault}).") from fault
    if not isinstance(facts, dict):
        raise BadConfiguration(f"{path.name} must hold one JSON object.")
    return CameraPlan(facts, kind)


def simulate_camera(phantom: Path, plan: CameraPlan, scan: Acquisition, session: Session, when: When) -> Any:
    """Return the DICOM object (a pydicom Dataset) that a camera stores of a phantom.

    Parameters
    ----------
    phantom : Path
        ``.npz`` with ``activity`` (side, side, slices; Bq/mL at the start of the scan; array axes run to the patient's
        left, back and feet), ``mu`` (as activity; 1/cm at the photon's energy) and ``voxel_mm`` (across and along the
        axis of rotation); perhaps ``centre_mm``, the middle of the volume in patient coordinates (0, 0, 0).
    plan : CameraPlan
        The camera.
    scan : Acquisition
        How it is counted; planar views use two heads.
    session : Session
        Patient and administration.
    when : When
        Start, and seed of the noise.

    Raises
    ------
    HevesyError
        If a file cannot be read, or something that the counts depend on is missing or impossible.
    """
    arrays = read_phantom(phantom, ("activity", "mu", "voxel_mm"), ("centre_mm",))
    system = _system(arrays, plan)
    mean = _mean(system, arrays["activity"], plan, scan, session.administration.nuclide, when.seed)
    counts = np.random.default_rng(when.seed).poisson(mean)
    if plan.kind == "tomo":
        place = (session.frame_of_reference, arrays.get("centre_mm", np.zeros(3)))
        return tomographic(_projections(counts, plan, scan, system.orbit, when, place), session)
    return planar(_views(counts, plan, scan, when), session, plan.kind == "whole-body")


def session_of(patient: str, given: tuple[str, datetime, float | None, str], frame: str | None) -> Session:
    """Return what the objects of a simulated patient share.

    Parameters
    ----------
    patient : str
        Identifier.
    given : tuple
        Nuclide, time of administration, activity (MBq) or None, and drug.
    frame : str or None
        UID of the frame of reference; one of the patient's own if None.
    """
    name, time, activity_MBq, drug = given
    activity = None if activity_MBq is None else Measured(activity_MBq * 1e6, 0.0, "Bq")
    administration = Administration(nuclide(name).name, time, activity, drug)
    place = frame or derived_uid("frame", patient)
    return Session(Patient(patient), administration, f"Simulated {name}", place)


def write_object(made: Any, folder: Path) -> Path:
    """Write a DICOM object into a folder as ``projections.dcm`` or ``views.dcm``; return its path in it."""
    path = folder / ("projections.dcm" if made.ImageType[2] == "TOMO" else "views.dcm")
    save(made, path)
    return path


def _system(arrays: Mapping[str, NDArray[Any]], plan: CameraPlan) -> SystemModel:
    activity, voxel = arrays["activity"], np.atleast_1d(arrays["voxel_mm"]).astype(float)
    if activity.ndim != 3 or activity.shape[0] != activity.shape[1] or voxel.shape != (2,):
        raise UnreadableFile("A phantom needs activity (side, side, slices) and voxel_mm (across, along).")
    lattice = Lattice(activity.shape[0], activity.shape[2], float(voxel[0]), float(voxel[1]))
    mu = np.asarray(arrays["mu"], np.float64) / 10
    angles = plan.angles_deg
    if "radius_mm" in plan.facts:
        radii = np.full(angles.shape, plan.number("radius_mm"))
    elif "gap_mm" in plan.facts:
        radii = contour_radii_mm(mu, lattice, angles, plan.number("gap_mm"))
    else:
        raise MissingInformation("The camera's distance is not given.", "Give radius_mm, or gap_mm to the body.")
    geometry = collimator(str(plan.facts["collimator"]))
    response = collimator_response(geometry, plan.number("photon_keV"), plan.number("intrinsic_mm", 3.8))
    return SystemModel(lattice, Orbit(angles, radii), SharpenedResponse(response, lattice.pixel_mm), mu)


def _mean(
    system: SystemModel, activity: NDArray[Any], plan: CameraPlan, scan: Acquisition, nuclide_name: str, seed: int
) -> NDArray[np.float64]:
    """Return expected counts in the detector's bins, (windows, views, columns, rows)."""
    primary = mean_counts(system, activity, scan)
    detection = detection_of(plan, nuclide_name)
    parts = detection.spill()[:, None, None, None] * primary
    histories = int(plan.number("scatter_histories"))
    if histories > 0:
        lattice = system.lattice
        decays = scan.decays_per_becquerel(system.views) * lattice.pixel_mm**2 * lattice.slice_mm * 1e-3
        weight = (scan.sensitivity * decays)[:, None, None]
        parts = parts + scattered(system, activity, detection, histories, seed) * weight
    shape = (int(plan.number("columns")), int(plan.number("rows")))
    return rebinned(parts, system.lattice, shape, (plan.number("pixel_mm"), plan.number("pixel_mm")))


def detection_of(plan: CameraPlan, nuclide_name: str) -> Detection:
    """Return what a camera counts of the photons of a nuclide.

    Raises
    ------
    BadInput
        If the nuclide does not emit the camera's photon.
    """
    lines = photons_above(nuclide(nuclide_name), min(low for w in plan.windows for low, _ in w.ranges_keV))
    return Detection(plan.number("photon_keV"), lines, plan.windows, plan.number("energy_resolution", 0.1))


def _projections(
    counts: NDArray[np.int64],
    plan: CameraPlan,
    scan: Acquisition,
    orbit: Orbit,
    when: When,
    place: tuple[str, NDArray[Any]],
) -> list[Projections]:
    """Describe counts; `place` is the frame of reference and the middle of the detectors in it, mm."""
    views, per_head = orbit.views, orbit.views // scan.heads
    pixel = plan.number("pixel_mm")
    frame, (x, y, z) = place
    axis = (float(x), float(y), float(z) + (counts.shape[3] - 1) / 2 * pixel)
    length = per_head * (scan.seconds_per_view + scan.step_s) - scan.step_s
    return [
        Projections(
            np.swapaxes(seen, 1, 2),
            orbit.angles_deg,
            (pixel, pixel),
            orbit.radii_mm,
            np.arange(views) // per_head + 1,
            np.full(views, scan.seconds_per_view),
            window,
            Timing(when.start, length),
            frame,
            Placement(axis),
        )
        for seen, window in zip(counts, plan.windows, strict=True)
    ]


def _views(counts: NDArray[np.int64], plan: CameraPlan, scan: Acquisition, when: When) -> Sequence[PlanarView]:
    pixel = plan.number("pixel_mm")
    timing = Timing(when.start, scan.seconds_per_view)
    names = ("anterior", "posterior")
    return [
        PlanarView(seen[head].T, (pixel, pixel), head + 1, window, timing, names[head])
        for seen, window in zip(counts, plan.windows, strict=True)
        for head in range(len(names))
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
