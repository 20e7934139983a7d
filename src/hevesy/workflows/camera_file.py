"""Projections as a gamma camera stores them, DICOM, to a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Projections
from hevesy.data.collimators import collimator
from hevesy.errors import BadInput, MissingInformation, UnreadableFile
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.imaging.spect_projections import read_projections
from hevesy.stages.quantification.reconstruction import Measurement, SystemModel
from hevesy.stages.quantification.reconstruction import acquisition as taken
from hevesy.stages.quantification.reconstruction.checks import require_whole_mu_map
from hevesy.stages.quantification.reconstruction.response import Response, collimator_response
from hevesy.workflows.projection_file import MM_PER_CM, Allowances


@dataclass(frozen=True, slots=True)
class Camera:
    """What a DICOM object does not say about the camera.

    Parameters
    ----------
    photon_keV : float or None
        Energy of the photon that is to be reconstructed, keV.
    collimator : str or None
        Its name in ``hevesy.data.collimators``.
    intrinsic_fwhm_mm : float
        Full width at half maximum of the detector without collimator, mm.
    scatter : str
        ``tew``, ``dew`` or ``none``.
    mu : Path or None
        ``.npz`` with ``mu`` (side, side, slices), 1/cm, on the reconstruction's own lattice.
    """

    photon_keV: float | None = None
    collimator: str | None = None
    intrinsic_fwhm_mm: float = 3.8
    scatter: str = "tew"
    mu: Path | None = None


def read_camera(path: Path, camera: Camera, allow: Allowances) -> tuple[Measurement, Projections]:
    """Read a folder or file of one tomographic acquisition, and build the system model.

    Raises
    ------
    HevesyError
        If something that the image depends on is missing, contradictory or impossible.
    """
    if camera.photon_keV is None:
        raise MissingInformation("Which photon was counted is not known.", "Give its energy with --photon-kev.")
    windows = _windows(path)
    peak = taken.photopeak(windows, camera.photon_keV)
    orbit = taken.orbit_of(peak, allow.radius_mm)
    if not allow.limited_angles:
        orbit.require_coverage()
    mu = _mu(camera, allow)
    lattice = taken.lattice_of(peak)
    system = SystemModel(lattice, orbit, _response(camera, allow), mu)
    scatter = taken.scatter_of(windows, peak, camera.photon_keV, camera.scatter)
    measurement = Measurement(system, taken.ordered_counts(peak), scatter)
    if mu is not None and not allow.truncated_mu:
        require_whole_mu_map(mu, measurement.counts, lattice)
    return measurement, peak


def _windows(path: Path) -> tuple[Projections, ...]:
    found = read_folder(path).of_kind(Kind.PROJECTIONS)
    if len(found) != 1:
        raise BadInput(f"{path} must hold one tomographic acquisition; it holds {len(found)}.", "Give its file.")
    return read_projections(found[0].headers[0], found[0].files[0], found[0].name)


def _response(camera: Camera, allow: Allowances) -> Response | None:
    if allow.no_response:
        return None
    if camera.collimator is None or camera.photon_keV is None:
        raise MissingInformation(
            "The collimator is not known, and the blur depends on it.",
            "Name it with --collimator, or go without by --no-response.",
        )
    return collimator_response(collimator(camera.collimator), camera.photon_keV, camera.intrinsic_fwhm_mm)


def _mu(camera: Camera, allow: Allowances) -> NDArray[Any] | None:
    if allow.no_attenuation:
        return None
    if camera.mu is None:
        raise MissingInformation("No μ-map is given.", "Give one with --mu, or go without by --no-attenuation.")
    try:
        with np.load(camera.mu) as file:
            return np.asarray(file["mu"], np.float64) / MM_PER_CM
    except (OSError, ValueError, KeyError) as fault:
        raise UnreadableFile(f"{camera.mu} cannot be read as .npz with 'mu' ({fault}).") from fault
