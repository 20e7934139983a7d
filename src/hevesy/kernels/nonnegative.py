"""Linear least squares with coefficients that are not negative, for a few basis functions."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def _solve(phi: Array, mix: Array, target: Array, subset: int, work: tuple[Array, Array, Array]) -> float:
    """Solve least squares with the basis functions whose bit is set in `subset`; return chi², -1 if singular.

    Modified Gram-Schmidt, every column orthogonalised twice. work is q (n, m), r (m + 1, m), coefs (m,): q receives
    the orthonormal columns, zero for those not used.
    """
    q, r, coefs = work
    n, (m, k) = phi.shape[0], mix.shape
    for j in range(m):
        coefs[j] = 0.0
        size = 0.0
        for i in range(n):
            q[i, j] = 0.0
            if (subset >> j) & 1:
                for a in range(k):
                    q[i, j] += mix[j, a] * phi[i, a]
            size += q[i, j] ** 2
        for i in range(m + 1):
            r[i, j] = 0.0
        if not (subset >> j) & 1:
            continue
        for _ in range(2):
            for h in range(j):
                dot = 0.0
                for i in range(n):
                    dot += q[i, h] * q[i, j]
                r[h, j] += dot
                for i in range(n):
                    q[i, j] -= dot * q[i, h]
        norm = 0.0
        for i in range(n):
            norm += q[i, j] ** 2
        if not norm > 1e-26 * size:
            return -1.0
        norm = math.sqrt(norm)
        r[j, j] = norm
        for i in range(n):
            q[i, j] /= norm
    return _back(target, subset, work)


@njit(cache=True, error_model="numpy")
def _back(target: Array, subset: int, work: tuple[Array, Array, Array]) -> float:
    """Project the target on the orthonormal columns, one after the other, and solve back for the coefficients."""
    q, r, coefs = work
    n, m = q.shape
    for _ in range(2):
        for j in range(m):
            dot = 0.0
            for i in range(n):
                value = target[i]
                for h in range(m):
                    value -= q[i, h] * r[m, h]
                dot += q[i, j] * value
            r[m, j] += dot
    chi2 = 0.0
    for i in range(n):
        value = target[i]
        for j in range(m):
            value -= q[i, j] * r[m, j]
        chi2 += value * value
    for j in range(m - 1, -1, -1):
        if (subset >> j) & 1:
            value = r[m, j]
            for h in range(j + 1, m):
                value -= r[j, h] * coefs[h]
            coefs[j] = value / r[j, j]
    return chi2


@njit(cache=True, error_model="numpy")
def project(phi: Array, mix: Array, target: Array, work: tuple[Array, Array, Array]) -> float:
    """Minimise over coefficients ≥ 0, trying every subset of the m ≤ 3 basis functions; return chi²."""
    m, coefs = mix.shape[0], work[2]
    best, best_subset = -1.0, 0
    for subset in range((1 << m) - 1, -1, -1):
        chi2 = _solve(phi, mix, target, subset, work)
        negative = chi2 < 0.0
        for j in range(m):
            negative = negative or coefs[j] < 0.0
        if negative:
            continue
        if subset == (1 << m) - 1:
            return chi2
        if best < 0.0 or chi2 < best:
            best, best_subset = chi2, subset
    return _solve(phi, mix, target, best_subset, work)
