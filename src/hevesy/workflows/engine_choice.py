"""What is to be known of each dose engine before one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod

_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """One engine in words.

    Parameters
    ----------
    name : str
        A key of `hevesy.stages.dosimetry.engines.ENGINES`.
    title, does, leaves_out : str
        What it is called, what it computes, and what it does not.
    expects : str
        How long it takes on two processor cores for 128³ to 256³ voxels, and how well a region's mean is known by it.
    start_s, per_voxel_s, per_history_s : float
        What `seconds` adds up: s at each start, with kernels to make; s for a voxel; s for a history. Measured for
        Lu-177 (Monte Carlo: Y-90, the slowest) in a body that fills half of the image, on two cores, once compiled.
    """

    name: str
    title: str
    does: str
    leaves_out: str
    expects: str
    start_s: float
    per_voxel_s: float
    per_history_s: float = 0.0

    def seconds(self, shape: Sequence[int], histories: int) -> float:
        """Return an estimate of how long it takes for a grid of this shape, s; at most so many histories."""
        return self.start_s + self.per_voxel_s * prod(shape) + self.per_history_s * histories

    def estimated(self, shape: Sequence[int], histories: int) -> str:
        """Return the same in words, rounded up: it is no more exact than its machine."""
        seconds = self.seconds(shape, histories)
        if seconds < 1:
            return "under 1 s"
        return f"about {ceil(seconds)} s" if seconds < 2 * _MINUTE_S else f"about {ceil(seconds / _MINUTE_S)} min"


ENGINE_FACTS = (
    EngineFacts(
        "local",
        "Local energy deposition",
        "Charged particles leave their energy in the voxel of their decay.",
        "Photons, and the way of electrons out of the voxel.",
        "Seconds. No uncertainty of its own; what it leaves out is stated with the result.",
        start_s=0.0,
        per_voxel_s=6e-8,
    ),
    EngineFacts(
        "vsv",
        "Voxel S-values",
        "Convolution with a kernel in water, scaled by density.",
        "Media other than water, and interfaces between them.",
        "Seconds to a minute.",
        start_s=0.4,
        per_voxel_s=2e-7,
    ),
    EngineFacts(
        "mvsv",
        "Multiple voxel S-values",
        "Convolution with a kernel for each tissue.",
        "Interfaces between tissues.",
        "Seconds to minutes.",
        start_s=1.5,
        per_voxel_s=1e-6,
    ),
    EngineFacts(
        "mc",
        "Monte Carlo",
        "Every photon, electron and positron is followed through the patient's tissues.",
        "Statistics remain: voxels carry noise, means of regions hardly do.",
        "Minutes. 1% of the method, and the statistics that are asked for below.",
        start_s=4.0,
        per_voxel_s=1e-6,
        per_history_s=4e-6,
    ),
)
