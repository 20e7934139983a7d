"""Projections for research: arrays in an ``.npz`` file, and their geometry in a JSON file."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core.planar import EnergyWindow
from hevesy.errors import MissingInformation, UnreadableFile
from hevesy.stages.quantification.reconstruction import (
    Lattice,
    Measurement,
    Orbit,
    SystemModel,
)
from hevesy.stages.quantification.reconstruction.checks import near_tissue, require_whole_mu_map, require_window
from hevesy.workflows.response_file import MM_PER_CM, json_object, number, stated_response


@dataclass(frozen=True, slots=True)
class Allowances:
    """What a person has decided to go without, or supplies.

    Parameters
    ----------
    radius_mm : float or None
        Distance of the detector from the axis, mm, where the geometry does not give it.
    limited_angles, truncated_mu, no_attenuation, no_response : bool
        Go on although views do not cover 180°, the μ-map is cut off, or no μ-map or response is to be modelled.
    within_mm : float or None
        Activity lies at most so far from the μ-map's tissue, mm; None means anywhere.
    """

    radius_mm: float | None = None
    limited_angles: bool = False
    truncated_mu: bool = False
    no_attenuation: bool = False
    no_response: bool = False
    within_mm: float | None = None

    def support(self, mu_per_mm: NDArray[Any] | None, lattice: Lattice) -> NDArray[np.bool_] | None:
        """Return where activity may be; None means anywhere.

        Raises
        ------
        MissingInformation
            If activity is to be held near the body and there is no μ-map to show it.
        """
        if self.within_mm is None:
            return None
        if mu_per_mm is None:
            raise MissingInformation(
                "Where the body is cannot be told without a μ-map.", "Add one, or go without --within-mm."
            )
        return near_tissue(mu_per_mm, lattice, self.within_mm)


def read_measurement(projections: Path, geometry: Path, allow: Allowances) -> Measurement:
    """Read projections and geometry, and build the system model.

    The ``.npz`` file holds ``proj`` (views, bins, slices), ``angles_deg`` (views,), ``mu`` (side, side, slices) in
    1/cm, and may hold ``additive``, the expected scatter, shaped as ``proj``. At 0° the detector is at −y and its bins
    rise along +x; at 270° it is at +x. The JSON file holds ``voxel_cm``, ``camera.radius_cm`` (one number, or one for
    each view), for a fan beam ``camera.focal_cm`` from the detector's face to the focal line, and ``psf`` with ``a``,
    ``b_cm`` and perhaps ``intrinsic_cm``: σ = √(intrinsic² + (a d + b)²), or ``distances_cm`` and ``fwhm_cm`` as
    measured, or the name of a ``collimator`` and ``intrinsic_fwhm_cm``, and perhaps ``tail`` with ``fraction``, ``a``
    and ``b_cm``: counts through septa. It may hold ``photon_keV`` and ``energy_window_keV``, which must agree.

    Raises
    ------
    HevesyError
        If a file cannot be read, or something that the image depends on is missing, contradictory or impossible.
    """
    arrays = _arrays(projections)
    counts = np.asarray(arrays["proj"], np.float32)
    if counts.ndim != 3:
        raise UnreadableFile(f"'proj' in {projections.name} needs views, bins and slices, not shape {counts.shape}.")
    system = read_system(arrays, geometry, counts.shape[1:], allow)
    measurement = Measurement(system, counts, arrays.get("additive"))
    if system.mu_per_mm is not None and not allow.truncated_mu:
        require_whole_mu_map(system.mu_per_mm, measurement.counts, system.lattice)
    return measurement


def read_system(
    arrays: Mapping[str, NDArray[Any]], geometry: Path, size: tuple[int, ...], allow: Allowances
) -> SystemModel:
    """Build the system model of ``angles_deg`` and ``mu`` and of a geometry file, for (side, slices) bins.

    Raises
    ------
    HevesyError
        As `read_measurement`.
    """
    facts = json_object(geometry)
    _require_photon(facts)
    spacing = _voxel_mm(facts)
    lattice = Lattice(size[0], size[1], spacing, spacing)
    orbit = _orbit(arrays["angles_deg"], facts, allow)
    mu = _mu(arrays, allow)
    return SystemModel(
        lattice, orbit, None if allow.no_response else stated_response(facts), mu, allow.support(mu, lattice)
    )


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in ("proj", "angles_deg", "mu", "additive") if name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, AttributeError) as fault:
        raise UnreadableFile(f"{path} cannot be read as .npz ({fault}).") from fault
    missing = [name for name in ("proj", "angles_deg") if name not in arrays]
    if missing:
        raise MissingInformation(f"{path.name} does not hold {' or '.join(missing)}.")
    return arrays


def _require_photon(facts: dict[str, Any]) -> None:
    if "photon_keV" in facts and "energy_window_keV" in facts:
        low, high = (float(x) for x in facts["energy_window_keV"])
        require_window(EnergyWindow(((low, high),)), float(facts["photon_keV"]))


def _voxel_mm(facts: dict[str, Any]) -> float:
    if "voxel_cm" in facts:
        return number(facts["voxel_cm"], "voxel_cm") * MM_PER_CM
    stated = re.search(r"\bd\s*=\s*([0-9.]+)\s*cm", str(facts.get("array_index", "")))
    if stated is None:
        raise MissingInformation("The geometry does not state the size of a voxel.", "Give 'voxel_cm'.")
    return float(stated[1]) * MM_PER_CM


def _orbit(angles_deg: NDArray[Any], facts: dict[str, Any], allow: Allowances) -> Orbit:
    radius = facts.get("camera", {}).get("radius_cm")
    if allow.radius_mm is not None:
        radii = np.full(angles_deg.shape, allow.radius_mm)
    elif radius is None:
        raise MissingInformation(
            "The geometry does not give the distance of the detector from the axis, 'camera.radius_cm'.",
            "Give it with --radius-mm.",
        )
    else:
        radii = np.broadcast_to(np.array(radius, np.float64) * MM_PER_CM, angles_deg.shape)
    focal = facts.get("camera", {}).get("focal_cm")
    focal_mm = None if focal is None else number(focal, "camera.focal_cm") * MM_PER_CM
    orbit = Orbit(np.asarray(angles_deg, np.float64) + 180.0, radii, focal_mm=focal_mm)
    if not allow.limited_angles:
        orbit.require_coverage()
    return orbit


def _mu(arrays: Mapping[str, NDArray[Any]], allow: Allowances) -> NDArray[np.float64] | None:
    if allow.no_attenuation:
        return None
    if "mu" not in arrays:
        raise MissingInformation(
            "The projections come without a μ-map, 'mu' in 1/cm.", "Add it, or go without by --no-attenuation."
        )
    return np.asarray(arrays["mu"], np.float64) / MM_PER_CM
