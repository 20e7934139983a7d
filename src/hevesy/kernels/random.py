"""Counter-based random numbers: a history's stream depends on the seed and its number alone.

SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, fig. 13): draw n of a stream is a hash of key + n·γ,
so that any history can be drawn on any thread, in any order, with the same result.
"""

from __future__ import annotations

import math

import numpy as np

from hevesy.kernels.inlined import inlined

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 2.0**-53


@inlined
def mixed(z):  # type: ignore[no-untyped-def]
    """Return the 64-bit finalising hash of `z`."""
    z = (z ^ (z >> _S30)) * _MIX_A
    z = (z ^ (z >> _S27)) * _MIX_B
    return z ^ (z >> _S31)


@inlined
def start_stream(stream, seed, batch, history):  # type: ignore[no-untyped-def]
    """Set a stream's counter, ``stream[0]``, to the start of one history of one batch."""
    key = mixed(np.uint64(seed) + _GAMMA)
    key = mixed(key ^ (np.uint64(batch) * _MIX_A + _GAMMA))
    stream[0] = mixed(key ^ (np.uint64(history + 1) * _MIX_B + _GAMMA))


@inlined
def uniform(stream):  # type: ignore[no-untyped-def]
    """Return the next number of the stream, uniform in the open interval (0, 1)."""
    stream[0] += _GAMMA
    return (float(mixed(stream[0]) >> _S11) + 0.5) * _TO_UNIT


@inlined
def rotate(particle, cosine, azimuth):  # type: ignore[no-untyped-def]
    """Turn a particle's direction (items 3 to 5) by a polar cosine and an azimuth, rad."""
    _turn(particle, cosine, math.cos(azimuth), math.sin(azimuth))


@inlined
def rotate_anywhere(particle, cosine, stream):  # type: ignore[no-untyped-def]
    """Turn a particle's direction (items 3 to 5) by a polar cosine and any azimuth (twice a point's of the disc)."""
    while True:
        x, y = 2.0 * uniform(stream) - 1.0, 2.0 * uniform(stream) - 1.0
        square = x * x + y * y
        if 0.0 < square <= 1.0:
            break
    over = 1.0 / square
    _turn(particle, cosine, (x * x - y * y) * over, 2.0 * x * y * over)


@inlined
def _turn(particle, cosine, across_x, across_y):  # type: ignore[no-untyped-def]
    u, v, w = particle[3], particle[4], particle[5]
    sine = math.sqrt(max(0.0, 1.0 - cosine * cosine))
    a, b = sine * across_x, sine * across_y
    across = math.sqrt(u * u + v * v)
    if across < 1e-8:
        particle[3], particle[4], particle[5] = a, b * w, cosine * w
    else:
        over = 1.0 / across
        a_across, b_across = a * over, b * over
        particle[3] = u * cosine + u * w * a_across - v * b_across
        particle[4] = v * cosine + v * w * a_across + u * b_across
        particle[5] = w * cosine - across * a
    # Newton's step towards one over the length, which rounding alone keeps from 1
    norm = 1.5 - 0.5 * (particle[3] * particle[3] + particle[4] * particle[4] + particle[5] * particle[5])
    particle[3] *= norm
    particle[4] *= norm
    particle[5] *= norm


@inlined
def point_at(particle, cosine, azimuth):  # type: ignore[no-untyped-def]
    """Set a particle's direction (items 3 to 5) from a polar cosine and an azimuth, rad, of the grid's axes."""
    sine = math.sqrt(max(0.0, 1.0 - cosine * cosine))
    particle[3], particle[4], particle[5] = sine * math.cos(azimuth), sine * math.sin(azimuth), cosine
