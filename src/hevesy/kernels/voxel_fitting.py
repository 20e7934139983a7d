"""Sums of one or two exponentials fitted in every voxel of a series.

The exponentials on a grid of rates are tabulated once for all voxels; a voxel takes the best grid point and
descends from it by Gauss-Newton on the projected problem (see `hevesy.kernels.fitting`). Work arrays are made once
per chunk of voxels, never per voxel.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from hevesy.kernels.fitting import frame_mean

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

#: rates on the grid: of one exponential, and of each of two
MONO_RATES, PAIR_RATES = 32, 18
#: labels of what a voxel was given
NOTHING, TRAPEZOID, MONO = -1, 0, 1


@njit(cache=True, error_model="numpy")
def _exponential(rate: float, start: float, end: float) -> tuple[float, float]:
    """Return the frame mean of exp(-rate t) and its derivative to log(rate)."""
    x = rate * (end - start)
    if x > 0.25:
        return frame_mean(rate, start, end)
    middle = 0.5 * rate * (start + end)
    bend = x * x / 24.0
    value = math.exp(-middle)
    return value * (1.0 + bend), value * (2.0 * bend - middle * (1.0 + bend))


@njit(cache=True, error_model="numpy")
def _mono(y: Array, w: Array, frames: Array, table: Array, theta: Array, state: Array) -> None:
    """Fit one washout. state receives chi², coefficient, log(rate), and the variance of the integral.

    table is (g, n), theta (g,) falling log(rates); w (n,) are 1/u².
    """
    n, g = y.size, theta.size
    square, best, start = 0.0, 0.0, g - 1
    for i in range(n):
        square += w[i] * y[i] * y[i]
    for a in range(g):
        along, size = 0.0, 0.0
        for i in range(n):
            along += w[i] * table[a, i] * y[i]
            size += w[i] * table[a, i] * table[a, i]
        if along > 0.0 and along * along > best * size:
            best, start = along * along / size, a
    place = theta[start]
    chi2, c, variance = square, 0.0, 0.0
    for _ in range(5):
        rate = math.exp(place)
        pp, py, pd, dd, dy = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            p, d = _exponential(rate, frames[i, 0], frames[i, 1])
            pp += w[i] * p * p
            py += w[i] * p * y[i]
            pd += w[i] * p * d
            dd += w[i] * d * d
            dy += w[i] * d * y[i]
        c = max(py / pp, 0.0)
        chi2 = square - c * py
        curvature = c * c * (dd - pd * pd / pp)
        step = c * (dy - c * pd) / curvature if curvature > 0.0 else 0.0
        moved = min(max(place + min(max(step, -0.5), 0.5), theta[g - 1]), theta[0])
        # the integral is c/rate: its share from c alone, and from the rate, whose share in c is projected out
        slope = c / rate * (1.0 + pd / pp)
        held = moved <= theta[g - 1]
        variance = 1.0 / (pp * rate * rate)
        if curvature > 0.0 and not held:
            variance += slope * slope / curvature
        if abs(moved - place) < 1e-5:
            break
        place = moved
    state[0], state[1], state[2], state[3] = max(chi2, 0.0), c, place, variance


@njit(cache=True, error_model="numpy")
def _pair_start(y: Array, w: Array, mix: Array, table: Array, slowest: int, gram: Array) -> tuple[int, int]:
    """Return the best pair of grid rates, fast and slow; the slow one no faster than number `slowest` of the grid."""
    g, n, m = table.shape[0], y.size, mix.shape[0]
    for a in range(g):
        gram[a, g] = 0.0
        for i in range(n):
            gram[a, g] += w[i] * table[a, i] * y[i]
        for b in range(a + 1):
            dot = 0.0
            for i in range(n):
                dot += w[i] * table[a, i] * table[b, i]
            gram[a, b] = dot
            gram[b, a] = dot
    best, fast, slow = -1.0, 0, g - 1
    for a in range(g - 1):
        for b in range(max(a + 1, slowest), g):
            gain = _pair_gain(mix, m, gram, a, b)
            if gain > best:
                best, fast, slow = gain, a, b
    return fast, slow


@njit(cache=True, error_model="numpy")
def _pair_gain(mix: Array, m: int, gram: Array, a: int, b: int) -> float:
    """Return by how much a pair of rates lowers chi², coefficients ≥ 0."""
    g = gram.shape[0]
    f0, s0 = mix[0, 0], mix[0, 1]
    y0 = f0 * gram[a, g] + s0 * gram[b, g]
    z0 = f0 * f0 * gram[a, a] + 2.0 * f0 * s0 * gram[a, b] + s0 * s0 * gram[b, b]
    single = y0 * y0 / z0 if y0 > 0.0 else 0.0
    if m == 1:
        return single
    f1, s1 = mix[1, 0], mix[1, 1]
    y1 = f1 * gram[a, g] + s1 * gram[b, g]
    z1 = f1 * f1 * gram[a, a] + 2.0 * f1 * s1 * gram[a, b] + s1 * s1 * gram[b, b]
    cross = f0 * f1 * gram[a, a] + (f0 * s1 + f1 * s0) * gram[a, b] + s0 * s1 * gram[b, b]
    det = z0 * z1 - cross * cross
    c0, c1 = z1 * y0 - cross * y1, z0 * y1 - cross * y0
    if det > 0.0 and c0 >= 0.0 and c1 >= 0.0:
        return (c0 * y0 + c1 * y1) / det
    return max(single, y1 * y1 / z1 if y1 > 0.0 else 0.0)


@njit(cache=True, error_model="numpy")
def _columns(place: Array, w: Array, frames: Array, mix: Array, columns: Array) -> None:
    """Fill columns (n, m + 4): the basis functions, then the two exponentials, then their derivatives; all weighted."""
    m = mix.shape[0]
    fast, slow = math.exp(place[0]), math.exp(place[1])
    for i in range(w.size):
        p1, d1 = _exponential(fast, frames[i, 0], frames[i, 1])
        p2, d2 = _exponential(slow, frames[i, 0], frames[i, 1])
        root = math.sqrt(w[i])
        for j in range(m):
            columns[i, j] = root * (mix[j, 0] * p1 + mix[j, 1] * p2)
        columns[i, m], columns[i, m + 1] = root * d1, root * d2


@njit(cache=True, error_model="numpy")
def _coefficients(y: Array, w: Array, columns: Array, m: int, coefs: Array) -> float:
    """Solve for the coefficients, which must be ≥ 0; return chi², or -1 where they are not."""
    n = y.size
    z0, z1, cross, y0, y1, square = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        value = y[i] * math.sqrt(w[i])
        square += value * value
        z0 += columns[i, 0] * columns[i, 0]
        y0 += columns[i, 0] * value
        if m == 2:
            z1 += columns[i, 1] * columns[i, 1]
            cross += columns[i, 0] * columns[i, 1]
            y1 += columns[i, 1] * value
    if m == 1:
        coefs[0] = y0 / z0 if z0 > 0.0 else -1.0
        return square - coefs[0] * y0 if coefs[0] >= 0.0 else -1.0
    det = z0 * z1 - cross * cross
    if not det > 1e-12 * z0 * z1:
        return -1.0
    coefs[0], coefs[1] = (z1 * y0 - cross * y1) / det, (z0 * y1 - cross * y0) / det
    if coefs[0] < 0.0 or coefs[1] < 0.0:
        return -1.0
    return max(square - coefs[0] * y0 - coefs[1] * y1, 0.0)


@njit(cache=True, error_model="numpy")
def _normal(y: Array, w: Array, columns: Array, mix: Array, coefs: Array, normal: Array) -> None:
    """Fill normal (m + 2, m + 3): J'J for the coefficients and the two log(rates), and J'residual."""
    n, m = y.size, mix.shape[0]
    a1, a2 = 0.0, 0.0
    for j in range(m):
        a1 += coefs[j] * mix[j, 0]
        a2 += coefs[j] * mix[j, 1]
    for a in range(m + 2):
        for b in range(m + 3):
            normal[a, b] = 0.0
    for i in range(n):
        residual = y[i] * math.sqrt(w[i])
        for j in range(m):
            residual -= coefs[j] * columns[i, j]
        for a in range(m + 2):
            va = columns[i, a] * (1.0 if a < m else (a1 if a == m else a2))
            normal[a, m + 2] += va * residual
            for b in range(a + 1):
                normal[a, b] += va * columns[i, b] * (1.0 if b < m else (a1 if b == m else a2))
    for a in range(m + 2):
        for b in range(a):
            normal[b, a] = normal[a, b]


@njit(cache=True, error_model="numpy")
def _eliminate(normal: Array, held: NDArray[np.bool_], out: Array) -> bool:
    """Solve the normal equations in place, leaving held unknowns at zero; False where they are singular."""
    p = out.size
    for i in range(p):
        if held[i]:
            for j in range(p):
                normal[i, j] = 0.0
                normal[j, i] = 0.0
            normal[i, i], normal[i, p] = 1.0, 0.0
    for i in range(p):
        size = normal[i, i]
        if not size > 0.0:
            return False
        for j in range(i + 1, p):
            factor = normal[j, i] / size
            for h in range(i, p + 1):
                normal[j, h] -= factor * normal[i, h]
            if not normal[j, j] > -1e-300:
                return False
    for i in range(p - 1, -1, -1):
        value = normal[i, p]
        for j in range(i + 1, p):
            value -= normal[i, j] * out[j]
        out[i] = value / normal[i, i]
    return True


@njit(cache=True, error_model="numpy")
def _pair(
    y: Array,
    w: Array,
    frames: Array,
    mix: Array,
    fixed: bool,
    top: float,
    table: Array,
    theta: Array,
    work: tuple[Array, ...],
    state: Array,
) -> None:
    """Fit two exponentials. state receives chi² (-1: none), two coefficients, two log(rates), the integral's variance.

    work: columns (n, m + 2 at most 4), normal (4, 5), gram (g, g + 1), place (2), coefs (2), out (4).
    """
    columns, normal, gram, place, coefs, out = work
    m, g = mix.shape[0], theta.size
    slowest = g - 1
    if not fixed:
        slowest = 0
        while theta[slowest] > top:
            slowest += 1
    fast, slow = _pair_start(y, w, mix, table, slowest, gram)
    place[0], place[1] = theta[fast], theta[slow]
    state[0] = -1.0
    held = np.zeros(m + 2, np.bool_)
    step = out[: m + 2]
    shorter, scale = 0, 0.0
    for _ in range(16):
        _columns(place, w, frames, mix, columns)
        chi2 = _coefficients(y, w, columns, m, coefs)
        if chi2 < 0.0 or (state[0] >= 0.0 and not chi2 < state[0]):
            if state[0] < 0.0 or shorter == 4:
                break
            shorter += 1
            scale *= 0.4
        else:
            change = state[0] - chi2 if state[0] >= 0.0 else np.inf
            state[0], state[1], state[2] = chi2, coefs[0], coefs[1] if m == 2 else 0.0
            state[3], state[4] = place[0], place[1]
            if change < 1e-5 * chi2 + 1e-9 or chi2 < 1e-11:
                break
            _normal(y, w, columns, mix, coefs, normal[: m + 2, : m + 3])
            held[m] = place[0] >= theta[0] and normal[m, m + 2] > 0.0
            held[m + 1] = fixed or (place[1] <= theta[g - 1] and normal[m + 1, m + 2] < 0.0)
            for a in range(m + 2):
                normal[a, a] *= 1.0 + 1e-9
            if not _eliminate(normal[: m + 2, : m + 3], held, step):
                break
            shorter, scale = 0, min(1.0, 0.8 / max(abs(step[m]), abs(step[m + 1]), 1e-12))
        place[0] = min(max(state[3] + scale * step[m], theta[g - 1]), theta[0])
        place[1] = min(max(state[4] + scale * step[m + 1], theta[g - 1]), place[0], top)
    if state[0] >= 0.0:
        state[5] = _pair_variance(y, w, frames, mix, fixed, theta, work, state)


@njit(cache=True, error_model="numpy")
def _pair_variance(
    y: Array, w: Array, frames: Array, mix: Array, fixed: bool, theta: Array, work: tuple[Array, ...], state: Array
) -> float:
    """Return g' (J'J)⁻¹ g for the integral; infinite where the points do not determine it."""
    columns, normal, _, place, coefs, out = work
    m = mix.shape[0]
    coefs[0], coefs[1], place[0], place[1] = state[1], state[2], state[3], state[4]
    _columns(place, w, frames, mix, columns)
    _normal(y, w, columns, mix, coefs[:m], normal[: m + 2, : m + 3])
    held = np.zeros(m + 2, np.bool_)
    held[m] = place[0] >= theta[0]
    held[m + 1] = fixed or place[1] <= theta[theta.size - 1]
    gradient = np.zeros(m + 2)
    for k in range(2):
        for j in range(m):
            gradient[j] += mix[j, k] * math.exp(-place[k])
            gradient[m + k] -= coefs[j] * mix[j, k] * math.exp(-place[k])
    for a in range(m + 2):
        normal[a, m + 2] = 0.0 if held[a] else gradient[a]
    if not _eliminate(normal[: m + 2, : m + 3], held, out[: m + 2]):
        return np.inf
    variance = 0.0
    for a in range(m + 2):
        variance += gradient[a] * out[a]
    return variance if variance > 0.0 else np.inf


@njit(cache=True, error_model="numpy")
def _trapezoid(y: Array, w: Array, frames: Array, decay: float) -> tuple[float, float]:
    """Return the integral of straight lines and a physical tail, and its variance from the points alone.

    Before the first point: from zero where the curve rises at first, else back along physical decay.
    """
    n = y.size
    total, variance = 0.0, 0.0
    first = 0.5 * (frames[0, 0] + frames[0, 1])
    for i in range(n):
        middle = 0.5 * (frames[i, 0] + frames[i, 1])
        weight = 0.0
        if i > 0:
            weight += 0.5 * (middle - 0.5 * (frames[i - 1, 0] + frames[i - 1, 1]))
        elif n > 1 and y[1] > y[0]:
            weight += 0.5 * first
        else:
            weight += math.expm1(decay * first) / decay
        if i < n - 1:
            weight += 0.5 * (0.5 * (frames[i + 1, 0] + frames[i + 1, 1]) - middle)
        else:
            weight += 1.0 / decay
        total += weight * y[i]
        variance += weight * weight / w[i]
    return max(total, 0.0), variance


@njit(cache=True, error_model="numpy")
def _rises(y: Array, w: Array, frames: Array, decay: float) -> bool:
    """Say whether the last point lies above the one before by more than the uncertainty of their difference."""
    n = y.size
    if n < 2:
        return True
    return y[n - 1] - y[n - 2] > math.sqrt(1.0 / w[n - 1] + 1.0 / w[n - 2])


@njit(cache=True, error_model="numpy")
def _load(values: Floats, v: int, noise: Array, y: Array, w: Array) -> bool:
    """Take one voxel's values and weights 1/u²; False where there is nothing to fit."""
    top = 0.0
    for i in range(y.size):
        y[i] = values[i, v]
        top = max(top, y[i])
    if not top > noise[2]:
        return False
    for i in range(y.size):
        w[i] = 1.0 / (noise[0] * max(y[i], noise[1] * top)) ** 2
    return True


@njit(cache=True, error_model="numpy")
def _mono_span(
    values: Floats, span: tuple[int, int], frames: Array, grid: tuple[Array, Array], noise: Array, out: Floats
) -> None:
    table, theta = grid
    decay = math.exp(theta[theta.size - 1])
    y, w, state = np.empty(frames.shape[0]), np.empty(frames.shape[0]), np.empty(4)
    for v in range(span[0], span[1]):
        if not _load(values, v, noise, y, w):
            continue
        if not _rises(y, w, frames, decay):
            _mono(y, w, frames, table, theta, state)
            if state[1] > 0.0:
                rate = math.exp(state[2])
                out[0, v], out[1, v], out[2, v] = state[1] / rate, math.sqrt(state[3]), rate
                out[3, v], out[4, v] = MONO, state[0] + 4.0
                continue
        total, variance = _trapezoid(y, w, frames, decay)
        out[0, v], out[1, v], out[2, v] = total, math.sqrt(variance), decay
        out[3, v], out[4, v] = TRAPEZOID, np.inf


@njit(cache=True, parallel=True)
def _mono_spans(
    values: Floats, edges: NDArray[np.int64], frames: Array, table: Array, theta: Array, noise: Array, out: Floats
) -> None:
    for c in prange(edges.size - 1):
        _mono_span(values, (edges[c], edges[c + 1]), frames, (table, theta), noise, out)


@njit(cache=True, error_model="numpy")
def _pair_span(
    values: Floats,
    span: tuple[int, int],
    frames: Array,
    grid: tuple[Array, Array],
    noise: Array,
    mix: Array,
    kind: Array,
    out: Floats,
) -> None:
    """Replace what a voxel has where two exponentials do better; for `kind` see `improve_by_pair`."""
    table, theta = grid
    n, g, m = frames.shape[0], theta.size, mix.shape[0]
    decay = math.exp(theta[g - 1])
    y, w, state = np.empty(n), np.empty(n), np.empty(6)
    work = (np.empty((n, 4)), np.empty((4, 5)), np.empty((g, g + 1)), np.empty(2), np.empty(2), np.empty(4))
    for v in range(span[0], span[1]):
        if kind[1] >= out[4, v] or not _load(values, v, noise, y, w) or _rises(y, w, frames, decay):
            continue
        _pair(y, w, frames, mix, kind[2] > 0.0, kind[3], table, theta, work, state)
        if state[0] < 0.0 or not state[0] + kind[1] < out[4, v]:
            continue
        total = 0.0
        for j in range(m):
            total += state[1 + j] * (mix[j, 0] * math.exp(-state[3]) + mix[j, 1] * math.exp(-state[4]))
        if total > 0.0 and state[5] < total * total:
            out[0, v], out[1, v], out[2, v] = total, math.sqrt(state[5]), math.exp(state[4])
            out[3, v], out[4, v] = kind[0], state[0] + kind[1]


@njit(cache=True, parallel=True)
def _pair_spans(
    values: Floats,
    edges: NDArray[np.int64],
    frames: Array,
    table: Array,
    theta: Array,
    noise: Array,
    mix: Array,
    kind: Array,
    out: Floats,
) -> None:
    for c in prange(edges.size - 1):
        _pair_span(values, (edges[c], edges[c + 1]), frames, (table, theta), noise, mix, kind, out)


def _tabulate(frames: Array, bounds: tuple[float, float], rates: int) -> tuple[Array, Array]:
    theta = np.linspace(math.log(bounds[1]), math.log(bounds[0]), rates)
    return np.array([[_exponential(math.exp(t), a, b)[0] for a, b in frames] for t in theta]), theta


def _edges(voxels: int) -> NDArray[np.int64]:
    return np.linspace(0, voxels, 65).astype(np.int64)


def fit_mono(values: Floats, frames: Array, bounds: tuple[float, float], noise: Array) -> Floats:
    """Fit one washout in every voxel.

    Parameters
    ----------
    values : (n, v) array of float32
        Mean value over each frame.
    frames : (n, 2) array
        Start and end of each frame.
    bounds : tuple of float
        Least rate, which is physical decay, and greatest.
    noise : (3,) array
        Relative standard uncertainty of a value; the share of a voxel's maximum below which it falls no further;
        the maximum that a voxel must pass to be fitted.

    Returns
    -------
    (5, v) array of float32
        Integral over all time, its standard uncertainty, the slowest rate, the label (`MONO`; `TRAPEZOID` where
        the voxel still rises or no washout would do and straight lines with a physical tail were taken; -1 where
        nothing was fitted), and Akaike's criterion.
    """
    out = np.zeros((5, values.shape[1]), np.float32)
    out[3] = NOTHING
    _mono_spans(values, _edges(values.shape[1]), frames, *_tabulate(frames, bounds, MONO_RATES), noise, out)
    return out


def improve_by_pair(
    values: Floats, frames: Array, bounds: tuple[float, float], noise: Array, model: tuple[Array, Array], out: Floats
) -> None:
    """Fit two exponentials in every voxel, and put them in `out` (5, v) where Akaike's criterion is lower.

    Parameters
    ----------
    model : tuple of arrays
        The mix (m, 2), m 1 or 2, of the basis functions, whose coefficients are ≥ 0; and (4,): the label, the
        criterion's penalty (twice the parameters), 1 where the slow rate is physical decay, and the logarithm of the
        greatest slow rate.
    """
    mix, kind = model
    _pair_spans(values, _edges(values.shape[1]), frames, *_tabulate(frames, bounds, PAIR_RATES), noise, mix, kind, out)
