"""What is to be known of each dose engine before one is chosen."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    name: str
    title: str
    does: str
    leaves_out: str
    expects: str


ENGINE_FACTS = (
    EngineFacts(
        "local",
        "Local energy deposition",
        "Charged particles leave their energy in the voxel of their decay.",
        "Photons, and the way of electrons out of the voxel.",
        "Seconds. No uncertainty of its own; what it leaves out is stated with the result.",
    ),
    EngineFacts(
        "vsv",
        "Voxel S-values",
        "Convolution with a kernel in water, scaled by density.",
        "Media other than water, and interfaces between them.",
        "Seconds to a minute.",
    ),
    EngineFacts(
        "mvsv",
        "Multiple voxel S-values",
        "Convolution with a kernel for each tissue.",
        "Interfaces between tissues.",
        "Seconds to minutes.",
    ),
    EngineFacts(
        "mc",
        "Monte Carlo",
        "Every photon, electron and positron is followed through the patient's tissues.",
        "Statistics remain: voxels carry noise, means of regions hardly do.",
        "Minutes. 1% of the method, and the statistics that are asked for below.",
    ),
)
