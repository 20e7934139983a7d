"""Sums of exponentials fitted to few points, so that the global minimum is found.

A model is a matrix `mix` (m, k): basis function ``j`` is ``sum_k mix[j, k] * exp(-rate_k * t)`` and the
curve is a sum of basis functions with coefficients that are not negative. Given the rates, the
coefficients follow by linear least squares (variable projection: Golub & Pereyra 1973, with the
simplified derivative of Kaufman 1975), so that only the k ≤ 3 rates are searched: first on a grid over
the whole allowed range, then by Levenberg-Marquardt from its best, well separated points.

Loops stand where array expressions would do: they compile several times faster and run faster on so few points.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hevesy.kernels.nonnegative import project

Array = NDArray[np.float64]

#: grid points per rate for 1, 2 and 3 free rates
GRID = (40, 24, 11)
#: separated starts for as many; more found nothing lower in 150 noisy curves of each model
STARTS = (2, 2, 5)
_ITERATIONS = 100
#: least difference of log(rate) between neighbours: closer exponentials cannot be told apart, and cancel
_APART = 0.01
_SHARES = tuple(np.linspace(0.0, 1.0, g) for g in GRID)


@njit(cache=True, error_model="numpy")
def frame_mean(rate: float, start: float, end: float) -> tuple[float, float]:
    """Return the mean of ``exp(-rate t)`` over a frame, and its derivative to ``log(rate)``."""
    x = rate * (end - start)
    if x < 1e-7:
        middle = 0.5 * rate * (start + end)
        value = math.exp(-middle)
        return value, -middle * value
    first = math.exp(-rate * start)
    value = -first * math.expm1(-x) / x
    return value, (rate * end * first * math.exp(-x) - rate * start * first) / x - value


@njit(cache=True, error_model="numpy")
def _fill(theta: Array, data: Array, weight: float, phi: Array, slope: Array) -> None:
    """Fill phi (n + 1, k) with the weighted exponentials and slope with their derivatives to theta = log(rate).

    The last row is the integral over all time, weighted by `weight`.
    """
    n = data.shape[0]
    for k in range(theta.size):
        rate = math.exp(theta[k])
        for i in range(n):
            value, derivative = frame_mean(rate, data[i, 0], data[i, 1])
            phi[i, k] = value * data[i, 3]
            slope[i, k] = derivative * data[i, 3]
        phi[n, k] = weight / rate
        slope[n, k] = -weight / rate


@njit(cache=True, error_model="numpy")
def _normal_equations(
    phi: Array, slope: Array, mix: Array, target: Array, work: tuple[Array, Array, Array], matrix: Array
) -> None:
    """Fill matrix (k, k + 1) with J'J and J'residual of the projected problem, by Kaufman's derivative."""
    q, _, coefs = work
    n, (m, k) = phi.shape[0], mix.shape
    amplitude = np.zeros(k)
    for a in range(k):
        for j in range(m):
            amplitude[a] += coefs[j] * mix[j, a]
    jacobian = np.empty((n, k + 1))
    for i in range(n):
        jacobian[i, k] = target[i]
        for a in range(k):
            jacobian[i, a] = slope[i, a] * amplitude[a]
            jacobian[i, k] -= phi[i, a] * amplitude[a]
    for a in range(k):
        for j in range(m):
            dot = 0.0
            for i in range(n):
                dot += q[i, j] * jacobian[i, a]
            for i in range(n):
                jacobian[i, a] -= dot * q[i, j]
    for a in range(k):
        for b in range(k + 1):
            dot = 0.0
            for i in range(n):
                dot += jacobian[i, a] * jacobian[i, b]
            matrix[a, b] = dot


@njit(cache=True, error_model="numpy")
def _damped_step(matrix: Array, frozen: NDArray[np.bool_], damping: float, step: Array) -> None:
    """Solve (J'J + damping diag) step = J'r by elimination; a frozen or idle rate does not move."""
    k = step.size
    a = matrix.copy()
    for i in range(k):
        a[i, i] *= 1.0 + damping
        if frozen[i] or not a[i, i] > 0.0:
            for j in range(k):
                a[i, j] = 0.0
                a[j, i] = 0.0
            a[i, i] = 1.0
            a[i, k] = 0.0
    for i in range(k):
        pivot = a[i, i] if a[i, i] > 0.0 else 1.0
        for j in range(i + 1, k):
            factor = a[j, i] / pivot
            for h in range(i, k + 1):
                a[j, h] -= factor * a[i, h]
    for i in range(k - 1, -1, -1):
        value = a[i, k]
        for j in range(i + 1, k):
            value -= a[i, j] * step[j]
        step[i] = value / a[i, i] if a[i, i] > 0.0 else 0.0
        step[i] = min(max(step[i], -1.5), 1.5)


@njit(cache=True, error_model="numpy")
def refine(data: Array, total: Array, mix: Array, bounds: Array, rates: Array, coefs: Array) -> float:
    """Descend from `rates` to the nearest minimum within bounds, by Levenberg-Marquardt.

    Parameters
    ----------
    data : (n, 4) array
        Start, end, value and 1/u of each frame.
    total : (2,) array
        A wanted integral over all time and its weight; weight 0 for none.
    mix : (m, k) array
        The model.
    bounds : (2, k) array
        Least and greatest rate; equal where a rate is fixed.
    rates, coefs : (k,) and (m,) arrays
        Changed in place: the start, then the solution.

    Returns
    -------
    float
        chi² at the solution.
    """
    n, (m, k) = data.shape[0] + 1, mix.shape
    low, high, theta, trial, step = np.empty(k), np.empty(k), np.empty(k), np.empty(k), np.zeros(k)
    target = np.empty(n)
    for i in range(n - 1):
        target[i] = data[i, 2] * data[i, 3]
    target[n - 1] = total[0] * total[1]
    for a in range(k):
        low[a], high[a] = math.log(bounds[0, a]), math.log(bounds[1, a])
        if low[a] < high[a]:
            low[a] += _APART * (k - 1 - a)
        theta[a] = min(max(math.log(rates[a]), low[a]), high[a])
    phi, slope, matrix = np.empty((n, k)), np.empty((n, k)), np.empty((k, k + 1))
    work = (np.empty((n, m)), np.empty((m + 1, m)), coefs)
    frozen = np.zeros(k, np.bool_)
    _fill(theta, data, total[1], phi, slope)
    chi2 = project(phi, mix, target, work)
    damping = 1e-3
    for _ in range(_ITERATIONS):
        _normal_equations(phi, slope, mix, target, work, matrix)
        for a in range(k):
            gradient = matrix[a, k]
            frozen[a] = (theta[a] <= low[a] and gradient <= 0.0) or (theta[a] >= high[a] and gradient >= 0.0)
        moved, gain = 0.0, -1.0
        for _ in range(10):
            _damped_step(matrix, frozen, damping, step)
            moved = 0.0
            for a in range(k):
                trial[a] = min(max(theta[a] + step[a], low[a]), high[a])
                if a > 0:  # rates stay in order and apart: a basis function must neither turn negative nor vanish
                    trial[a] = min(trial[a], trial[a - 1] - _APART)
                moved = max(moved, abs(trial[a] - theta[a]))
            _fill(trial, data, total[1], phi, slope)
            gain = chi2 - project(phi, mix, target, work)
            if gain > 0.0 or moved == 0.0:
                break
            damping = max(damping * 8.0, 1e-8)
        if not gain > 0.0:
            break
        chi2 -= gain
        damping = max(damping * 0.1, 1e-13)
        for a in range(k):
            theta[a] = trial[a]
        if gain <= 1e-11 * chi2 and moved < 1e-6:
            break
    _fill(theta, data, total[1], phi, slope)
    chi2 = project(phi, mix, target, work)
    for a in range(k):
        rates[a] = math.exp(theta[a])
    return chi2


@njit(cache=True, error_model="numpy")
def _grid_chi2(gram: Array, along: Array, square: float, mix: Array, point: NDArray[np.int64], work: Array) -> float:
    """Return chi² at a grid point from the inner products of the exponentials, over coefficients ≥ 0.

    work is (2m + 1, m + 1): the normal equations with their right side, a copy to eliminate in, the coefficients.
    """
    m, k = mix.shape
    full, copy, coefs = work[:m], work[m : 2 * m], work[2 * m]
    for i in range(m):
        full[i, m] = 0.0
        for j in range(m):
            full[i, j] = 0.0
        for a in range(k):
            if mix[i, a] != 0.0:
                full[i, m] += mix[i, a] * along[point[a]]
                for j in range(m):
                    for b in range(k):
                        full[i, j] += mix[i, a] * mix[j, b] * gram[point[a], point[b]]
    best = square
    for subset in range((1 << m) - 1, 0, -1):
        for i in range(m):
            for j in range(m + 1):
                copy[i, j] = full[i, j]
        chi2 = _eliminate(copy, subset, coefs, square)
        if chi2 >= 0.0:
            if subset == (1 << m) - 1:
                return chi2
            best = min(best, chi2)
    return best


@njit(cache=True, error_model="numpy")
def _eliminate(matrix: Array, subset: int, coefs: Array, square: float) -> float:
    """Solve for the coefficients in `subset`; return chi², or -1 where one is negative or the matrix is singular.

    matrix is (m, m + 1), the right side in its last column.
    """
    m = matrix.shape[0]
    gain = 0.0
    for i in range(m):
        if not (subset >> i) & 1:
            continue
        if not matrix[i, i] > 0.0:
            return -1.0
        for j in range(i + 1, m):
            if (subset >> j) & 1:
                factor = matrix[j, i] / matrix[i, i]
                for h in range(i, m + 1):
                    matrix[j, h] -= factor * matrix[i, h]
        gain += matrix[i, m] ** 2 / matrix[i, i]
    for i in range(m - 1, -1, -1):
        coefs[i] = 0.0
        if (subset >> i) & 1:
            value = matrix[i, m]
            for j in range(i + 1, m):
                value -= matrix[i, j] * coefs[j]
            coefs[i] = value / matrix[i, i]
            if coefs[i] < 0.0:
                return -1.0
    return max(square - gain, 0.0)


@njit(cache=True, error_model="numpy")
def _inner_products(data: Array, grid: Array) -> tuple[Array, Array, float]:
    """Return the weighted inner products of the exponentials on the grid with each other and with the values."""
    n, g = data.shape[0], grid.size
    phi = np.empty((g, n))
    gram, along, square = np.empty((g, g)), np.zeros(g), 0.0
    for a in range(g):
        for i in range(n):
            phi[a, i] = frame_mean(grid[a], data[i, 0], data[i, 1])[0] * data[i, 3]
            along[a] += phi[a, i] * data[i, 2] * data[i, 3]
        for b in range(a + 1):
            dot = 0.0
            for i in range(n):
                dot += phi[a, i] * phi[b, i]
            gram[a, b] = dot
            gram[b, a] = dot
    for i in range(n):
        square += (data[i, 2] * data[i, 3]) ** 2
    return gram, along, square


@njit(cache=True, error_model="numpy")
def _search(data: Array, mix: Array, grid: Array, free: int, index: NDArray[np.int64]) -> int:
    """Fill `index` (s, k) with the best grid points that lie two steps apart, best first; return how many.

    grid falls; where free < k its last entry is the fixed rate.
    """
    k, g = mix.shape[1], grid.size - (free < mix.shape[1])
    gram, along, square = _inner_products(data, grid)
    best, point = np.full(index.shape[0], np.inf), np.zeros(k, np.int64)
    work = np.zeros((2 * mix.shape[0] + 1, mix.shape[0] + 1))
    found = 0
    for flat in range(g**free):
        rest, falling = flat, True
        if free < k:
            point[k - 1] = g
        for a in range(free - 1, -1, -1):
            point[a] = rest % g
            rest //= g
            falling = falling and (a == free - 1 or point[a] < point[a + 1])
        if falling:
            chi2 = _grid_chi2(gram, along, square, mix, point, work)
            found = _keep(chi2, point, best, index, found)
    return found


@njit(cache=True, error_model="numpy")
def _distance(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    apart = 0
    for a in range(one.size):
        apart = max(apart, abs(one[a] - other[a]))
    return apart


@njit(cache=True, error_model="numpy")
def _keep(chi2: float, point: NDArray[np.int64], best: Array, index: NDArray[np.int64], found: int) -> int:
    """Rank a grid point unless a better one lies next to it; worse neighbours go."""
    if found == best.size and chi2 >= best[found - 1]:
        return found
    for s in range(found):
        if best[s] <= chi2 and _distance(index[s], point) < 2:
            return found
    kept = 0
    for s in range(found):
        if _distance(index[s], point) >= 2:
            best[kept] = best[s]
            for a in range(point.size):
                index[kept, a] = index[s, a]
            kept += 1
    place = min(kept, best.size - 1)
    last = place
    while place > 0 and best[place - 1] > chi2:
        best[place] = best[place - 1]
        for a in range(point.size):
            index[place, a] = index[place - 1, a]
        place -= 1
    best[place] = chi2
    for a in range(point.size):
        index[place, a] = point[a]
    return last + 1


def _grid(bounds: Array, free: int) -> Array:
    high, low = bounds[1, 0], bounds[0, 0]
    grid = high * (low / high) ** _SHARES[free - 1] if free else np.empty(0)
    return np.append(grid, bounds[0, -1]) if free < bounds.shape[1] else grid


def fit_exponentials(data: Array, mix: Array, bounds: Array) -> tuple[Array, Array, float]:
    """Fit a sum of exponentials with coefficients ≥ 0 and rates within bounds.

    Parameters
    ----------
    data : (n, 4) array
        Start and end of each frame, mean value over it, and 1/u.
    mix : (m, k) array
        Basis functions as mixtures of k ≤ 3 exponentials; rates fall from the first to the last.
    bounds : (2, k) array
        Least and greatest rate; the first's range holds all others; equal for a last rate that is fixed.

    Returns
    -------
    rates : (k,) array
    coefs : (m,) array
    chi2 : float
    """
    k = mix.shape[1]
    free = k - int(bounds[0, -1] == bounds[1, -1])
    index = np.zeros((STARTS[max(free, 1) - 1], k), np.int64)
    grid = _grid(bounds, free)
    rates, coefs, least = np.full(k, np.nan), np.zeros(mix.shape[0]), np.inf
    for s in range(_search(data, mix, grid, free, index)):
        trial, trial_coefs = grid[index[s]], np.empty(mix.shape[0])
        chi2 = refine(data, np.zeros(2), mix, bounds, trial, trial_coefs)
        if chi2 < least:
            rates, coefs, least = trial, trial_coefs, chi2
    return rates, coefs, least


def integral_limit(data: Array, mix: Array, bounds: Array, start: Array, search: Array) -> float:
    """Return how far the integral over all time can go before chi² has risen by a threshold.

    The profile likelihood of the integral: it is imposed as one more row of large weight, and every rate and
    coefficient is fitted anew. The root of √(rise) is sought by the Illinois method: it is nearly a straight line.

    Parameters
    ----------
    start : (k,) array
        Rates at the minimum.
    search : (5,) array
        The integral at the minimum, a first step (its sign gives the direction), chi² at the minimum,
        the allowed rise of chi², and the weight of the imposed integral.
    """
    middle, step, least, rise, weight = search
    rates, coefs, inside = start.copy(), np.zeros(mix.shape[0]), start.copy()
    total = np.array([0.0, weight])
    wanted = math.sqrt(rise)
    low, high, f_low, f_high = middle, middle, -wanted, -wanted
    for _ in range(24):
        high = max(high + step, 0.0)
        total[0] = high
        rates[:] = inside
        chi2 = refine(data, total, mix, bounds, rates, coefs)
        f_high = math.sqrt(max(chi2 - least, 0.0)) - wanted
        if f_high > 0.0 or high <= 0.0:
            break
        inside[:] = rates
        low, f_low = high, f_high
        step *= 1.6
    if f_high <= 0.0:
        return high
    for _ in range(10):
        total[0] = (low * f_high - high * f_low) / (f_high - f_low)
        rates[:] = inside
        chi2 = refine(data, total, mix, bounds, rates, coefs)
        f = math.sqrt(max(chi2 - least, 0.0)) - wanted
        if abs(f) < 2e-3 * wanted:
            break
        if f > 0.0:
            high, f_high = total[0], f
            f_low *= 0.5
        else:
            low, f_low = total[0], f
            f_high *= 0.5
            inside[:] = rates
    return max(total[0], 0.0)
