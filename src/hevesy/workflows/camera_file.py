"""Projections as a gamma camera stores them, DICOM, to a measurement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Image, Nuclide, Projections, Quantity
from hevesy.data.collimators import collimator
from hevesy.data.nuclides import nuclide as nuclide_of
from hevesy.errors import (
    BadInput,
    ContradictoryInformation,
    MissingInformation,
    UnreadableFile,
    UnsupportedObject,
    WrongQuantity,
)
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind, Series
from hevesy.stages.imaging.spect_projections import read_projections
from hevesy.stages.quantification.dead_time import Behaviour
from hevesy.stages.quantification.reconstruction import Measurement, Schedule, SystemModel, osem
from hevesy.stages.quantification.reconstruction import acquisition as taken
from hevesy.stages.quantification.reconstruction.checks import require_whole_mu_map
from hevesy.stages.quantification.reconstruction.effective_scatter import effective_scatter, scatter_kernel
from hevesy.stages.quantification.reconstruction.photons import photon_counted, photons_above, require_photon_of
from hevesy.stages.quantification.reconstruction.response import Response, collimator_response
from hevesy.stages.quantification.reconstruction.simulated_scatter import (
    Detection,
    estimated_scatter,
    refined_scatter,
)
from hevesy.stages.quantification.reconstruction.view_weights import dead_time_weights, decay_weights
from hevesy.workflows.mu_map import Anatomy, MuMap, mu_map
from hevesy.workflows.projection_file import Allowances
from hevesy.workflows.response_file import MM_PER_CM, read_response

SIMULATED, EFFECTIVE = "mc", "esse"
#: photons that are followed for simulated scatter
HISTORIES = 100_000


@dataclass(frozen=True, slots=True)
class Camera:
    """What a DICOM object does not say about the camera, or what is believed instead of it.

    Parameters
    ----------
    photon_keV : float or None
        Energy of the photon that is to be reconstructed, keV; None is the nuclide's strongest that a window holds.
    nuclide : str or None
        What was administered; None is what the object says.
    collimator : str or None
        Its name in ``hevesy.data.collimators``.
    intrinsic_fwhm_mm : float
        Full width at half maximum of the detector without collimator, mm.
    scatter : str
        ``tew``, ``dew``, ``none``, or from the image itself: ``mc``, simulated, or ``esse``, by an effective source.
    mu : Path or None
        ``.npz`` with ``mu`` (side, side, slices), 1/cm, on the reconstruction's own lattice.
    anatomy : Anatomy or None
        The CT that attenuation is taken from.
    axis_mm : tuple of float or None
        Where the axis of rotation meets the middle of the first row, patient coordinates, mm.
    dead_time : tuple or None
        Dead time, s, and ``paralysable`` or ``non-paralysable``.
    clip_negative : bool
        Whether negative counts, as of projections that were filtered, become 0.
    response : Path or None
        JSON with the response as measured, instead of that of a collimator by name.
    """

    photon_keV: float | None = None
    nuclide: str | None = None
    collimator: str | None = None
    intrinsic_fwhm_mm: float = 3.8
    scatter: str = "tew"
    mu: Path | None = None
    anatomy: Anatomy | None = None
    axis_mm: tuple[float, float, float] | None = None
    dead_time: tuple[float, Behaviour] | None = None
    clip_negative: bool = False
    response: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Acquired:
    """An acquisition ready to be reconstructed.

    Parameters
    ----------
    measurement : Measurement
        Weighted counts of the photopeak, what else was counted, and the system model.
    projections : Projections
        The photopeak's, as stored.
    head : Dataset
        The object's header.
    weights : (views,) array
        What the counts of each view were multiplied by.
    mu : Image or None
        The μ-map, 1/mm.
    ct_shift_mm : tuple of float
        How far the CT that it was made of was moved, mm.
    corrections : tuple of str
        Words of Corrected Image (0028,0051).
    notes : tuple of str
        What was assumed, chosen or doubtful.
    scatter : str
        What scatter was estimated by, as `Camera.scatter`.
    nuclide : str or None
        Whose photons were counted; None not known.
    """

    measurement: Measurement = field(repr=False)
    projections: Projections
    head: Any = field(repr=False)
    weights: NDArray[np.float64] = field(repr=False)
    mu: Image | None = None
    ct_shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    corrections: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    scatter: str = "none"
    nuclide: str | None = None


def read_camera(path: Path, camera: Camera, allow: Allowances) -> Acquired:
    """Read a folder or file of one tomographic acquisition, and build the system model.

    Raises
    ------
    HevesyError
        If something that the image depends on is missing, contradictory or impossible.
    """
    series, stored = _acquisition(path)
    windows, notes = _counts_of(stored, camera)
    known = _nuclide(series, camera)
    photon = _photon(windows, known, camera)
    peak = taken.photopeak(windows, photon)
    orbit = taken.orbit_of(peak, allow.radius_mm)
    if not allow.limited_angles:
        orbit.require_coverage()
    response = _response(camera, photon, allow)
    found = _mu(camera, allow, peak, photon)
    mu, lattice = None if found is None else found.image.values, taken.lattice_of(peak)
    system = SystemModel(lattice, orbit, response, mu, allow.support(mu, lattice))
    weights = _weights(windows, peak, known, camera)
    simulated = camera.scatter in (SIMULATED, EFFECTIVE)
    by_windows = ("none" if taken.beside(windows, peak, photon)[0] is None else "tew") if simulated else camera.scatter
    scatter = taken.scatter_of(windows, peak, photon, by_windows)
    measurement = _weighted(Measurement(system, taken.ordered_counts(peak), scatter), weights.values)
    if mu is not None and not allow.truncated_mu:
        require_whole_mu_map(mu, measurement.counts, lattice)
    chosen = [taken.photopeak_said(windows, peak, photon, by_windows)]
    if simulated:
        measurement = _with_simulated_scatter(measurement, peak, known, (photon, camera.scatter))
        how = "by an effective source" if camera.scatter == EFFECTIVE else f"with {HISTORIES:,} photons"
        chosen.append(f"From there, scatter is simulated from the image itself, three times {how}.")
    return Acquired(
        measurement,
        peak,
        series.headers[0],
        weights.values,
        found.image if found else None,
        camera.anatomy.shift_mm if camera.anatomy else (0.0, 0.0, 0.0),
        (*weights.corrections, *(("ATTN",) if found else ()), *(("SCAT",) if measurement.additive is not None else ())),
        (*peak.provenance.notes, *notes, *chosen, *(found.notes if found else ()), *weights.notes),
        camera.scatter,
        known.name if known else None,
    )


def _acquisition(path: Path) -> tuple[Series, tuple[Projections, ...]]:
    folder = read_folder(path)
    found = folder.of_kind(Kind.PROJECTIONS)
    if len(found) != 1:
        there = ", ".join(f"{series.kind.value} '{series.description}'" for series in (found or folder.series))
        raise BadInput(
            f"{path} must hold one tomographic acquisition (NM TOMO); it holds {there}.",
            "Give the file of one." if found else "Give the projections as the camera stored them.",
        )
    windows = read_projections(found[0].headers[0], found[0].files[0], found[0].name)
    if len({p.window for p in windows}) < len(windows):
        raise UnsupportedObject(
            f"{found[0].name} holds several gates or two energy windows alike.",
            "Give an acquisition that is not gated.",
        )
    return found[0], windows


def _counts_of(windows: tuple[Projections, ...], camera: Camera) -> tuple[tuple[Projections, ...], tuple[str, ...]]:
    """Place the axis where the user does, and judge negative counts."""
    if camera.axis_mm is not None:
        windows = tuple(replace(p, placement=replace(p.placement, axis_mm=camera.axis_mm)) for p in windows)
    least = min(float(p.counts.min()) for p in windows)
    if least >= 0:
        return windows, ()
    if not camera.clip_negative:
        raise WrongQuantity(
            f"The projections hold negative counts (down to {least:.4g}), as after filtering or subtraction.",
            "Give counts as measured, or take them for 0 with --clip-negative.",
        )
    whole = sum(float(np.abs(p.counts).sum()) for p in windows)
    share = sum(float(-p.counts[p.counts < 0].sum()) for p in windows) / whole
    return tuple(replace(p, counts=np.maximum(p.counts, 0)) for p in windows), (
        f"Negative counts ({share:.2%} of all) were taken for 0; the image is biased upwards by about as much.",
    )


def _nuclide(series: Series, camera: Camera) -> Nuclide | None:
    name = camera.nuclide or series.injected.nuclide
    return None if name is None else nuclide_of(name)


def _photon(windows: tuple[Projections, ...], known: Nuclide | None, camera: Camera) -> float:
    if camera.photon_keV is None:
        if known is None:
            raise MissingInformation(
                "Which photon was counted is not known: the object names no nuclide.",
                "Give --nuclide, or the photon's energy with --photon-kev.",
            )
        return photon_counted([p.window for p in windows], known)
    if known is not None:
        require_photon_of(known, camera.photon_keV)
    return camera.photon_keV


def _response(camera: Camera, photon_keV: float, allow: Allowances) -> Response | None:
    if allow.no_response:
        return None
    if camera.response is not None and camera.collimator is not None:
        raise ContradictoryInformation(
            "Two responses are given: that of a collimator by name, and one in a file.",
            "Leave --collimator or --response out.",
        )
    if camera.response is not None:
        return read_response(camera.response, photon_keV)
    if camera.collimator is None:
        raise MissingInformation(
            "The collimator is not known, and the blur depends on it.",
            "Name it with --collimator, give its response with --response, or go without by --no-response.",
        )
    return collimator_response(collimator(camera.collimator), photon_keV, camera.intrinsic_fwhm_mm)


def _with_simulated_scatter(
    measurement: Measurement, peak: Projections, known: Nuclide | None, chosen: tuple[float, str]
) -> Measurement:
    """Replace what scatter windows say by what follows from images of a few iterations, by a photon and a method."""
    photon_keV, method = chosen
    if known is None:
        raise MissingInformation("Scatter is simulated from the nuclide's photons.", "Name it with --nuclide.")
    lines = photons_above(known, min(low for low, _ in peak.window.ranges_keV))
    nearest = min((energy for energy, _ in lines), key=lambda energy: abs(energy - photon_keV))
    few = Schedule(2, min(8, max(1, measurement.system.views // 4)))
    detection = Detection(nearest, lines, (peak.window,))

    def image_of(one: Measurement) -> NDArray[np.float32]:
        return osem(one, few)

    if method == SIMULATED:
        return replace(measurement, additive=estimated_scatter(measurement, image_of, detection, HISTORIES))
    kernel = scatter_kernel(detection, measurement.system.lattice.pixel_mm)

    def effective(image: NDArray[np.float32], number: int) -> NDArray[np.float32]:
        return effective_scatter(measurement.system, image, kernel)

    return replace(measurement, additive=refined_scatter(measurement, image_of, effective))


def _mu(camera: Camera, allow: Allowances, peak: Projections, photon_keV: float) -> MuMap | None:
    if allow.no_attenuation:
        return None
    if camera.anatomy is not None:
        return mu_map(replace(camera.anatomy, truncated=allow.truncated_mu), peak, photon_keV)
    if camera.mu is None:
        raise MissingInformation(
            "Neither a CT nor a μ-map is given.", "Give one with --ct or --mu, or go without by --no-attenuation."
        )
    try:
        with np.load(camera.mu) as file:
            values = np.asarray(file["mu"], np.float64) / MM_PER_CM
    except (OSError, ValueError, KeyError) as fault:
        raise UnreadableFile(f"{camera.mu} cannot be read as .npz with 'mu' ({fault}).") from fault
    grid = Grid(values.shape, peak.grid.affine, peak.grid.frame_of_reference)
    return MuMap(Image(values, grid, Quantity.ATTENUATION), (f"Attenuation from {camera.mu.name}.",))


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """What the counts of each view are multiplied by, (views,), as words of Corrected Image, and as notes."""

    values: NDArray[np.float64]
    corrections: tuple[str, ...]
    notes: tuple[str, ...]


def _weights(windows: tuple[Projections, ...], peak: Projections, known: Nuclide | None, camera: Camera) -> _Weights:
    """Weigh views for decay during the scan and for dead time."""
    if known is None or peak.durations_s is None:
        weights = np.ones(len(peak.angles_deg))
        notes = ["Decay during the scan is not undone: the nuclide or the length of the views is not known."]
    else:
        weights = decay_weights(peak, known.decay_constant.value)
        notes = [
            f"Views are weighted by {weights.min():.4g} to {weights.max():.4g} for the decay of {known.name} during"
            " the scan; the image is the mean over it."
        ]
    if camera.dead_time is None:
        return _Weights(weights, (), tuple(notes))
    lost = dead_time_weights(windows, *camera.dead_time)
    notes.append(f"Dead time is undone by {lost.min():.4g} to {lost.max():.4g}, by the counts of all windows.")
    return _Weights(weights * lost, ("DTIM",), tuple(notes))


def _weighted(measurement: Measurement, weights: NDArray[np.float64]) -> Measurement:
    scaled = weights.astype(np.float32)[:, None, None]
    additive = None if measurement.additive is None else measurement.additive * scaled
    return replace(measurement, counts=measurement.counts * scaled, additive=additive)
