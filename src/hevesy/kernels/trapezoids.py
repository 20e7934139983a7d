"""Straight lines through the points of every voxel, and a physical tail: the integral that needs no model."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hevesy.kernels.voxel_fitting import NOTHING, TRAPEZOID

Array = NDArray[np.float64]
Floats = NDArray[np.float32]


def integrate_trapezoids(values: Floats, frames: Array, decay: float, noise: Array) -> Floats:
    """Take straight lines and a physical tail in every voxel; see `fit_mono`."""
    middle = frames.mean(axis=1)
    steps = np.diff(middle)
    weights = np.r_[0.0, 0.5 * steps] + np.r_[0.5 * steps, 1.0 / decay]
    before = np.where(values[1] > values[0], 0.5 * middle[0], math.expm1(decay * middle[0]) / decay)
    top = values.max(axis=0)
    u = noise[0] * np.maximum(values, noise[1] * top)
    total = np.maximum(weights @ values + before * values[0], 0.0)
    variance = (weights[1:] ** 2) @ u[1:] ** 2 + ((weights[0] + before) * u[0]) ** 2
    fitted = top > noise[2]
    out = np.zeros((5, values.shape[1]), np.float32)
    out[0, fitted], out[1, fitted] = total[fitted], np.sqrt(variance[fitted])
    out[2], out[3] = decay, np.where(fitted, TRAPEZOID, NOTHING)
    return out
