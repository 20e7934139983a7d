"""Resolution and efficiency of a fan-beam collimator against distance.

After S. R. Cherry, J. A. Sorenson, M. E. Phelps, Physics in Nuclear Medicine, 4th edition (2012), chapter 14.C,
converging collimators, on the axis; a fan converges in one direction, so that magnification enters efficiency once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core.collimator import Collimator
from hevesy.errors import OutsideValidity
from hevesy.physics.collimation import effective_length_mm, geometric_efficiency, geometric_fwhm_mm


def fan_beam_fwhm_mm(
    collimator: Collimator, photon_keV: float, distance_mm: ArrayLike, focal_mm: float
) -> NDArray[np.float64]:
    """Return the width of a point's image in the fan's plane, referred to the object, mm.

    d (lₑ + z)/lₑ · (1 − lₑ/2 / (f + lₑ)).

    Parameters
    ----------
    collimator : Collimator
        Its holes, as if parallel.
    photon_keV : float
        Photon energy, keV.
    distance_mm : array_like
        Distance z of the point from the collimator's face, mm.
    focal_mm : float
        Distance f of the focal line from the face, mm.

    Raises
    ------
    OutsideValidity
        If a point lies at or beyond the focal line.
    """
    _require_before_focus(distance_mm, focal_mm)
    length = effective_length_mm(collimator, photon_keV)
    return geometric_fwhm_mm(collimator, photon_keV, distance_mm) * (1 - length / 2 / (focal_mm + length))


def fan_beam_efficiency(
    collimator: Collimator, photon_keV: float, distance_mm: ArrayLike, focal_mm: float
) -> NDArray[np.float64]:
    """Return the fraction of photons, of a source in air, that pass: that of parallel holes times f / (f − z).

    Raises
    ------
    OutsideValidity
        If a point lies at or beyond the focal line.
    """
    _require_before_focus(distance_mm, focal_mm)
    return geometric_efficiency(collimator, photon_keV) * focal_mm / (focal_mm - np.asarray(distance_mm, np.float64))


def _require_before_focus(distance_mm: ArrayLike, focal_mm: float) -> None:
    if not (focal_mm > 0 and np.all(np.asarray(distance_mm, np.float64) < focal_mm)):
        raise OutsideValidity(
            f"A fan-beam collimator sees what lies before its focal line at {focal_mm:g} mm.", "Give shorter distances."
        )
