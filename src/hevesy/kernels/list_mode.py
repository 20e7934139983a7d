"""Lines of response one by one, in a plane, with the place along each line weighted by its time of flight."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

#: beyond so many standard deviations a time of flight excludes a place
_REACH = 3.5


@njit(cache=True, nogil=True, inline="always")
def _weight(offset, sigmas, shares):  # type: ignore[no-untyped-def]
    """Return the density of the timing kernel at an offset along the line, 1/mm."""
    total = 0.0
    for part in range(sigmas.size):
        ratio = offset / sigmas[part]
        if abs(ratio) < _REACH:
            total += shares[part] * math.exp(-0.5 * ratio * ratio) / (sigmas[part] * 2.5066282746310002)
    return total


@njit(cache=True, nogil=True)
def _window(place, sigmas, half_mm):  # type: ignore[no-untyped-def]
    """Return the part of a line, from −half to half, that a time of flight leaves."""
    if sigmas.size == 0:
        return -half_mm, half_mm
    reach = _REACH * sigmas.max()
    return max(-half_mm, place - reach), min(half_mm, place + reach)


@njit(cache=True, nogil=True)
def _walk(image, line, sigmas, shares, pixel_mm, value, adds):  # type: ignore[no-untyped-def]
    """Integrate an image along a line, or add a value along it: the same weights both ways."""
    side = image.shape[0]
    middle, half = 0.5 * (side - 1), 0.5 * side * pixel_mm
    cosine, sine = math.cos(line[0]), math.sin(line[0])
    least, most = _window(line[2], sigmas, half)
    steps = max(1, math.ceil((most - least) / (0.5 * pixel_mm)))
    step = (most - least) / steps
    total = 0.0
    for n in range(steps):
        along = least + (n + 0.5) * step
        weight = step if sigmas.size == 0 else step * _weight(along - line[2], sigmas, shares)
        x = (line[1] * cosine - along * sine) / pixel_mm + middle
        y = (line[1] * sine + along * cosine) / pixel_mm + middle
        i, j = math.floor(x), math.floor(y)
        if i < 0 or j < 0 or i >= side - 1 or j >= side - 1:
            continue
        u, v = x - i, y - j
        if adds:
            image[i, j] += value * weight * (1 - u) * (1 - v)
            image[i + 1, j] += value * weight * u * (1 - v)
            image[i, j + 1] += value * weight * (1 - u) * v
            image[i + 1, j + 1] += value * weight * u * v
        else:
            total += weight * (
                (image[i, j] * (1 - u) + image[i + 1, j] * u) * (1 - v)
                + (image[i, j + 1] * (1 - u) + image[i + 1, j + 1] * u) * v
            )
    return total


@njit(cache=True, nogil=True, parallel=True)
def line_integrals(image, lines, sigmas, shares, pixel_mm):  # type: ignore[no-untyped-def]
    """Return the integral of an image along each line.

    Parameters
    ----------
    image : (side, side) array
        Centred on the origin; the first index along x.
    lines : (n, 3) array
        Angle φ of the line's normal, rad; distance from the origin, mm; place along (−sin φ, cos φ), mm.
    sigmas, shares : (k,) arrays
        Parts of the timing kernel: standard deviation, mm, and weight; of size 0 without timing.
    pixel_mm : float
        Side of a pixel, mm.
    """
    out = np.empty(lines.shape[0])
    for n in prange(lines.shape[0]):
        out[n] = _walk(image, lines[n], sigmas, shares, pixel_mm, 0.0, False)
    return out


@njit(cache=True, nogil=True, parallel=True)
def spread_lines(values, lines, sigmas, shares, side, pixel_mm, parts):  # type: ignore[no-untyped-def]
    """Return the transpose of `line_integrals` applied to values (n,): (side, side); summed in `parts` pieces."""
    pieces = np.zeros((parts, side, side))
    for part in prange(parts):
        for n in range(part, lines.shape[0], parts):
            _walk(pieces[part], lines[n], sigmas, shares, pixel_mm, values[n], True)
    return pieces.sum(axis=0)
