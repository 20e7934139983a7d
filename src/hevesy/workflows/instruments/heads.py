"""Three heads or two, near or far: contrast against noise of a brain scan in equal time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.data.collimators import collimator
from hevesy.data.materials import material
from hevesy.errors import MissingInformation, UnreadableFile
from hevesy.physics.attenuation import linear_attenuation_per_mm
from hevesy.physics.collimation import geometric_efficiency
from hevesy.stages.quantification.reconstruction import Lattice, Measurement, Orbit, Schedule, SystemModel, osem
from hevesy.stages.quantification.reconstruction.response import collimator_response
from hevesy.stages.quantification.reconstruction.simulation import Acquisition, mean_counts
from hevesy.stages.reporting.line_charts import Line, Panel
from hevesy.workflows.instruments.comparison import Comparison

COLLIMATOR, PHOTON_KEV, PHOTON_YIELD, INTRINSIC_MM, GAP_MM = "Siemens Symbia LEHR", 140.5, 0.885, 3.9, 8.0
#: part of the 140.5 keV photons that a 9.5 mm NaI crystal counts within a 15% window
CRYSTAL = 0.84
RADII_MM = (120.0, 140.0, 160.0, 200.0)
HEADS = (2, 3)
SCAN_S, VIEWS, HEAD_ACTIVITY_BQ = 20 * 60.0, 120, 60e6
SUBSETS, ITERATIONS, REALISATIONS = 12, 10, 2
#: cameras are compared at this part of the contrast that the worst reaches
LEVEL = 0.95
#: labels of the phantom: activity of grey and white matter, and what its media attenuate like
GREY, WHITE = 920, 230
MEDIA = {1: "cortical bone", 2: "soft tissue", 3: "soft tissue"}
#: voxels of the reconstruction are so many voxels of the phantom wide
MERGED = 2


@dataclass(frozen=True, slots=True, eq=False)
class Brain:
    """A brain on the grid of its reconstruction; arrays are (side, side, slices), the last axis that of rotation.

    Parameters
    ----------
    activity : array
        Bq/mL.
    mu_per_mm : array
        At the photon's energy, 1/mm.
    grey, white : boolean arrays
        Voxels that hold one kind of matter alone.
    voxel_mm : float
        Size of a voxel, mm.
    contrast : float
        True activity concentration of grey over white matter.
    """

    activity: NDArray[np.float64]
    mu_per_mm: NDArray[np.float64]
    grey: NDArray[np.bool_]
    white: NDArray[np.bool_]
    voxel_mm: float
    contrast: float = GREY / WHITE


@dataclass(frozen=True, slots=True, eq=False)
class Tradeoff:
    """What one camera reaches after each iteration: contrast recovered and noise, both in per cent."""

    heads: int
    radius_mm: float
    counts: float
    contrast: NDArray[np.float64]
    noise: NDArray[np.float64]

    def noise_at(self, contrast: float) -> float:
        """Return the noise at which it reaches a contrast, %; nan where it does not."""
        return float(np.interp(contrast, self.contrast, self.noise, left=np.nan, right=np.nan))


def compare_heads(phantom: Path | None, seed: int) -> Comparison:
    """Set two heads beside three at several radii of rotation, the same time and activity for all.

    Parameters
    ----------
    phantom : Path or None
        ``.npz`` with ``activity``, ``media`` (planes, rows, columns) and ``voxel_mm``: see examples/brain-perfusion.
    seed : int
        Of the noise.

    Raises
    ------
    MissingInformation
        If no phantom is named.
    UnreadableFile
        If it is not what is expected.
    """
    if phantom is None:
        raise MissingInformation(
            "Heads are compared on a brain.", "Give --phantom, such as the file in examples/brain-perfusion."
        )
    brain = read_brain(phantom)
    random = np.random.default_rng(seed)
    found = [reached(brain, heads, radius, random) for radius in RADII_MM for heads in HEADS]
    level = _common_contrast(found)
    rows = tuple(
        (f"{t.heads} heads at {t.radius_mm:g} mm", t.counts * 1e-6, float(t.contrast[-1]), t.noise_at(level))
        for t in found
    )
    return Comparison(
        "Brain perfusion in equal time: what the third head buys, and what the radius buys",
        (_tradeoffs(found), _bought(found, level)),
        ("camera", "million counts", "grey to white contrast at last / %", f"noise at {level:.0f}% contrast / %"),
        rows,
        _notes(found, level),
    )


def read_brain(path: Path) -> Brain:
    """Read the phantom, give its head 60 MBq, and merge voxels to those of a reconstruction.

    Raises
    ------
    UnreadableFile
        If the file does not hold what is expected.
    """
    try:
        with np.load(path) as file:
            labels, media, voxel_mm = file["activity"], file["media"], float(file["voxel_mm"])
    except (OSError, ValueError, KeyError) as fault:
        raise UnreadableFile(f"{path} is no phantom with activity, media and voxel_mm ({fault}).") from fault
    if labels.ndim != 3 or labels.shape != media.shape or len({*labels.shape[1:]}) != 1 or not (labels == GREY).any():
        raise UnreadableFile(
            f"{path.name} needs square planes of activity, with grey matter at {GREY}, and as many of media."
        )
    mu = np.zeros(labels.shape)
    for label, name in MEDIA.items():
        mu[media == label] = linear_attenuation_per_mm(material(name), PHOTON_KEV * 1e-3)
    whole_mL = voxel_mm**3 * 1e-3
    activity = labels * (HEAD_ACTIVITY_BQ / (labels.sum(dtype=float) * whole_mL))
    pure = {value: _merged(labels == value) > 0.999 for value in (GREY, WHITE)}
    return Brain(_merged(activity), _merged(mu), pure[GREY], pure[WHITE], voxel_mm * MERGED)


def reached(brain: Brain, heads: int, radius_mm: float, random: np.random.Generator) -> Tradeoff:
    """Reconstruct noise-free and noisy scans of one camera; see `Tradeoff`."""
    holes = collimator(COLLIMATOR)
    side, _, slices = brain.activity.shape
    angles = np.arange(VIEWS) * 360.0 / VIEWS
    system = SystemModel(
        Lattice(side, slices, brain.voxel_mm, brain.voxel_mm),
        Orbit(angles, np.full(VIEWS, radius_mm)),
        collimator_response(holes, PHOTON_KEV, INTRINSIC_MM, GAP_MM),
        brain.mu_per_mm,
    )
    sensitivity = geometric_efficiency(holes, PHOTON_KEV) * PHOTON_YIELD * CRYSTAL
    mean = mean_counts(system, brain.activity, Acquisition(SCAN_S * heads / VIEWS, sensitivity, heads))
    clean = _images(system, mean)
    noisy = np.array([_images(system, random.poisson(mean)) for _ in range(REALISATIONS)])
    in_grey, in_white = clean[:, brain.grey].mean(1), clean[:, brain.white].mean(1)
    contrast = 100 * (in_grey / in_white - 1) / (brain.contrast - 1)
    spread = noisy[:, :, brain.white].std(axis=0, ddof=1)
    noise = 100 * np.sqrt((spread**2).mean(axis=1)) / in_white
    return Tradeoff(heads, radius_mm, float(mean.sum()), contrast, noise)


def _images(system: SystemModel, counts: NDArray[Any]) -> NDArray[np.float32]:
    kept: list[NDArray[np.float32]] = []
    osem(
        Measurement(system, counts), Schedule(ITERATIONS, SUBSETS), progress=lambda _, image: kept.append(image.copy())
    )
    return np.array(kept)


def _merged(volume: NDArray[np.generic]) -> NDArray[np.float64]:
    """Average blocks of voxels, and turn planes, rows, columns to columns, rows, planes."""
    turned = np.asarray(volume, np.float64).transpose(2, 1, 0)
    sizes = [size // MERGED for size in turned.shape]
    blocks = turned[tuple(slice(0, size * MERGED) for size in sizes)].reshape(
        sizes[0], MERGED, sizes[1], MERGED, sizes[2], MERGED
    )
    return np.asarray(blocks.mean(axis=(1, 3, 5)))


def _common_contrast(found: list[Tradeoff]) -> float:
    """Return a contrast that every camera passes through, %."""
    return LEVEL * min(float(t.contrast[-1]) for t in found)


def _tradeoffs(found: list[Tradeoff]) -> Panel:
    lines = tuple(
        Line(
            f"{t.heads} heads, {t.radius_mm:g} mm",
            t.noise,
            t.contrast,
            t.heads == HEADS[0],
            True,
            RADII_MM.index(t.radius_mm),
        )
        for t in found
    )
    return Panel(
        "Each iteration: contrast against noise",
        "noise in white matter / %",
        "grey to white contrast recovered / %",
        lines,
    )


def _bought(found: list[Tradeoff], level: float) -> Panel:
    lines = tuple(
        Line(
            f"{heads} heads",
            RADII_MM,
            [t.noise_at(level) for t in found if t.heads == heads],
            heads == HEADS[0],
            True,
            heads,
        )
        for heads in HEADS
    )
    return Panel(
        f"Noise at {level:.0f}% contrast", "radius of rotation / mm", "noise in white matter / %", lines, (100.0, 0.0)
    )


def _notes(found: list[Tradeoff], level: float) -> tuple[str, ...]:
    noise = {(t.heads, t.radius_mm): t.noise_at(level) for t in found}
    third = np.mean([noise[2, r] / noise[3, r] for r in RADII_MM])
    near, far = RADII_MM[0], RADII_MM[-1]
    nearer = float(np.interp(-noise[3, far], [-noise[2, r] for r in RADII_MM][::-1], RADII_MM[::-1]))
    return (
        f"The third head divides the noise by {third:.2f} (√(3/2) = 1.22 by counting alone), at any radius.",
        f"Two heads at {near:g} mm instead of {far:g} mm divide it by {noise[2, far] / noise[2, near]:.2f}.",
        f"Two heads at {nearer:.0f} mm equal three at {far:g} mm.",
        f"{SCAN_S / 60:g} min, {HEAD_ACTIVITY_BQ * 1e-6:g} MBq in the head, {COLLIMATOR}, attenuation and response in"
        " the reconstruction; no scatter; the collimator is the same for all.",
    )
