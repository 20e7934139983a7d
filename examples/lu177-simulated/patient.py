"""A patient whose activity is known: CT and organs of the Christie phantom, kinetics of published half-lives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, gaussian_filter, label

HERE = Path(__file__).parent
PIXEL_MM, SLICE_MM = 3.9063, 4.4196
VOXEL_ML = PIXEL_MM**2 * SLICE_MM * 1e-3
#: scans, h after administration, and length of a scan: 30 views of 20 s by each of two heads
TIMES_H = (4.0, 24.0, 96.0, 168.0)
SECONDS_PER_VIEW, VIEWS, HEADS = 20.0, 60, 2
#: counts per second and becquerel of one head
SENSITIVITY = 1.0e-5
PHOTON_KEV = 208.366
#: CT numbers above this are body, once the lungs are filled
BODY_HU = -400
#: how much activity differs within a region (standard deviation, relative), over what length (voxels)
UNEVEN, LENGTH_VOXELS = 0.2, 2.5


@dataclass(frozen=True, slots=True)
class Organ:
    """Concentration at 24 h (kBq/mL), effective half-life and half-life of uptake (h)."""

    name: str
    role: str
    kBq_mL: float
    effective_h: float
    uptake_h: float

    def shape(self, hours: Any) -> NDArray[np.float64]:
        """Return activity over that at 24 h."""

        def course(t: Any) -> Any:
            return np.exp2(-np.asarray(t) / self.effective_h) - np.exp2(-np.asarray(t) / self.uptake_h)

        return np.asarray(course(hours) / course(24.0))

    @property
    def integral_s(self) -> float:
        """Time-integrated activity over the activity at 24 h, s."""
        at_24 = 2 ** (-24 / self.effective_h) - 2 ** (-24 / self.uptake_h)
        return (self.effective_h - self.uptake_h) * 3600 / np.log(2) / at_24


#: concentrations are those that come with the phantom (a patient's, for lesion 4 and the remainder chosen); effective
#: half-lives are chosen near the medians of Hänscheid et al. 2017 (doi 10.3413/Nukmed-0925-17-08: 50, 67 and 77 h)
ORGANS = (
    Organ("liver", "organ", 100.3, 67.0, 0.5),
    Organ("spleen", "organ", 330.6, 67.0, 0.5),
    Organ("left kidney", "organ", 225.6, 51.0, 0.5),
    Organ("right kidney", "organ", 221.4, 51.0, 0.5),
    Organ("lesion 1", "lesion", 2457.0, 77.0, 1.0),
    Organ("lesion 2", "lesion", 2212.0, 77.0, 1.0),
    Organ("lesion 3", "lesion", 791.0, 77.0, 1.0),
    Organ("lesion 4", "lesion", 900.0, 77.0, 1.0),
    Organ("remainder", "background", 4.0, 50.0, 0.3),
)
#: lesion 4, 15.8 mL, is added: a sphere in the liver, since none of the phantom's own is larger than 10 mL
SPHERE_AT, SPHERE_MM = (38, 33, 26), 15.6


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """CT numbers and labels (108, 108, 90), array axes to the patient's left, back and feet; shares of activity.

    `labels` is 1 for the first of `ORGANS`, 0 outside the body; `share` is activity over the region's mean.
    """

    hu: NDArray[np.int16]
    labels: NDArray[np.uint8]
    share: NDArray[np.float64]

    def mask(self, number: int) -> NDArray[np.bool_]:
        """Return the voxels of an organ, by its index in `ORGANS`."""
        return np.asarray(self.labels == number + 1)

    def activity(self, hours: float) -> NDArray[np.float64]:
        """Return the concentration, Bq/mL."""
        values = np.array([0.0] + [o.kBq_mL * 1e3 * float(o.shape(hours)) for o in ORGANS])
        return np.asarray(values[self.labels] * self.share)

    def total_Bq(self, number: int, hours: float) -> float:
        """Return the activity of an organ, by its index."""
        organ = ORGANS[number]
        return float(self.mask(number).sum() * VOXEL_ML * organ.kBq_mL * 1e3 * organ.shape(hours))

    def tia_Bq_s(self, number: int) -> float:
        """Return the time-integrated activity of an organ, by its index."""
        return self.total_Bq(number, 24.0) * ORGANS[number].integral_s


def phantom(seed: int = 7) -> Phantom:
    """Read the phantom, add lesion 4, and make activity within regions uneven by a smooth random field."""
    with np.load(HERE / "phantom.npz") as file:
        hu, labels = (_square(file[name], beyond) for name, beyond in (("ct", -1000), ("labels", 0)))
    place = np.meshgrid(*(np.arange(n) for n in labels.shape), indexing="ij", sparse=True)
    steps = [(p - c) * s for p, c, s in zip(place, SPHERE_AT, (PIXEL_MM, PIXEL_MM, SLICE_MM), strict=True)]
    labels[sum(step**2 for step in steps) < SPHERE_MM**2] = 8
    parts, _ = label(hu > BODY_HU)
    largest = parts == np.bincount(parts[parts > 0]).argmax()
    body = np.stack([binary_fill_holes(largest[..., k]) for k in range(labels.shape[2])], axis=-1)
    labels[(labels == 0) & body] = len(ORGANS)
    field = gaussian_filter(np.random.default_rng(seed).standard_normal(labels.shape), LENGTH_VOXELS)
    share = np.clip(1 + UNEVEN * field / field.std(), 0.2, 2.0)
    tissue = np.select([hu < -150, hu < -20, hu > 150], [0.3, 0.4, 1.5], 1.2)  # lung, fat, bone and marrow, the rest
    share = np.where(labels == len(ORGANS), share * tissue, share)
    for number in range(1, len(ORGANS) + 1):
        share[labels == number] /= share[labels == number].mean()
    return Phantom(hu, labels, share)


def _square(values: NDArray[Any], beyond: int) -> NDArray[Any]:
    """Widen the shorter side across the body to the longer one."""
    missing = values.shape[0] - values.shape[1]
    return np.pad(values, ((0, 0), (missing // 2, missing - missing // 2), (0, 0)), constant_values=beyond)
