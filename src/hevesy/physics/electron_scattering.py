"""How electrons and positrons lose energy in single collisions and are turned by atoms.

Energies are kinetic energies in units of the electron's rest energy (tau = T/m_e c²), so that formulae
read as in the literature; cross-sections are in mm².
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core.material import Material
from hevesy.data.elements import element
from hevesy.physics.elastic import deflection_by_electrons_cm2, elastic_cross_section_cm2
from hevesy.physics.materials import atoms_per_gram

Array = NDArray[np.float64]

#: electron rest energy (CODATA 2018)
REST_ENERGY_J = 8.1871057769e-14
REST_ENERGY_MeV = 0.51099895
#: classical electron radius, mm
ELECTRON_RADIUS_mm = 2.8179403262e-12
#: terms of the series of angular distributions, and quantiles that are kept of each
N_ORDERS, N_QUANTILES = 160, 129


def beta_squared(tau: ArrayLike) -> Array:
    """Return (v/c)² at kinetic energy tau."""
    t = np.asarray(tau, np.float64)
    return np.asarray(t * (t + 2) / (t + 1) ** 2)


def moller(tau: float, loss: ArrayLike) -> Array:
    """Return the Møller cross-section per electron and per unit of energy lost, mm² (m_e c²)⁻¹.

    Parameters
    ----------
    tau : float
        Kinetic energy of the primary.
    loss : (n,) array
        Energy lost, at most tau/2 (the slower electron is called the secondary).

    References
    ----------
    ICRU Report 37 (1984), eq. 2.13; Møller, Ann. Phys. 14 (1932) 531.
    """
    w = np.asarray(loss, np.float64)
    b = (tau / (tau + 1)) ** 2
    shape = 1 + (w / (tau - w)) ** 2 + b * (w / tau) ** 2 - (1 - b) * w / (tau - w)
    return np.asarray(2 * np.pi * ELECTRON_RADIUS_mm**2 / beta_squared(tau) * shape / w**2)


def bhabha(tau: float, loss: ArrayLike) -> Array:
    """Return the Bhabha cross-section (positron on electron), mm² (m_e c²)⁻¹; `loss` at most tau.

    References
    ----------
    ICRU Report 37 (1984), eq. 2.15; Bhabha, Proc. R. Soc. A 154 (1936) 195.
    """
    w = np.asarray(loss, np.float64)
    gamma = tau + 1
    scale = ((gamma - 1) / gamma) ** 2
    b1 = scale * (2 * (gamma + 1) ** 2 - 1) / (gamma**2 - 1)
    b2 = scale * (3 * (gamma + 1) ** 2 + 1) / (gamma + 1) ** 2
    b3 = scale * 2 * gamma * (gamma - 1) / (gamma + 1) ** 2
    b4 = scale * (gamma - 1) ** 2 / (gamma + 1) ** 2
    x = w / tau
    shape = 1 - b1 * x + b2 * x**2 - b3 * x**3 + b4 * x**4
    return np.asarray(2 * np.pi * ELECTRON_RADIUS_mm**2 / beta_squared(tau) * shape / w**2)


def soft_moment(tau: float, high: float, power: int, positron: bool = False) -> float:
    """Return ∫ Wⁿ dσ/dW dW from 0 to `high` (or the largest loss, if less); `power` at least 2."""
    top = min(high, tau if positron else tau / 2)
    w, weights = _gauss_log(1e-4 * top, top)
    cross_section = bhabha(tau, w) if positron else moller(tau, w)
    return float(np.sum(weights * cross_section * w**power))


@cache
def _legendre_rule() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(48)
    return nodes, weights


def _gauss_log(low: float, high: float) -> tuple[Array, Array]:
    nodes, weights = _legendre_rule()
    half = 0.5 * np.log(high / low)
    w = np.sqrt(low * high) * np.exp(half * nodes)
    return w, weights * half * w


def loss_to_deflection(tau: float, loss: float) -> float:
    """Return (1 − cos θ)/2 of a primary that loses `loss` to a free electron at rest."""
    rest = tau - loss
    return float(0.5 * (1 - np.sqrt(rest * (tau + 2) / (tau * (rest + 2)))))


def _mu_nodes(n: int = 1400, low: float = 1e-11) -> tuple[Array, Array]:
    """Return nodes and trapezoidal weights over (1 − cos θ)/2, even in its logarithm."""
    log_mu = np.linspace(np.log(low), 0.0, n)
    weights = np.full(n, log_mu[1] - log_mu[0])
    weights[[0, -1]] *= 0.5
    return np.exp(log_mu), weights * np.exp(log_mu)


def _legendre(mu: Array, orders: int) -> Array:
    """Return the Legendre polynomials P_0 to P_orders at cos θ = 1 − 2 mu, (orders + 1, n)."""
    x = 1 - 2 * mu
    values = np.ones((orders + 1, mu.size))
    values[1] = x
    for k in range(1, orders):
        values[k + 1] = ((2 * k + 1) * x * values[k] - k * values[k - 1]) / (k + 1)
    return values


@cache
def _left_over() -> tuple[Array, Array, Array]:
    """Return nodes and weights over (1 − cos θ)/2, and 1 − P_l there for l = 1 … N_ORDERS."""
    nodes, weights = _mu_nodes()
    return nodes, weights, 1 - _legendre(nodes, N_ORDERS)[1:]


def transport_coefficients(medium: Material, tau: float, soft: float, positron: bool = False) -> Array:
    """Return ∫ (1 − P_l(cos θ)) dσ for l = 1 … N_ORDERS, cm²/g.

    Elastic scattering by the atoms, and by their electrons in collisions that lose less than `soft` (the others are
    simulated one by one).

    Parameters
    ----------
    medium : Material
        The medium.
    tau, soft : float
        Kinetic energy, and the largest energy lost to an electron that counts here, m_e c².
    positron : bool
        Positron instead of electron.
    """
    nodes, weights, left = _left_over()
    energy = tau * REST_ENERGY_MeV
    by_electrons = nodes < loss_to_deflection(tau, min(soft, tau if positron else tau / 2))
    total = np.zeros(nodes.size)
    for symbol, n in atoms_per_gram(medium).items():
        z = element(symbol).atomic_number
        total += n * elastic_cross_section_cm2(z, energy, nodes, positron)
        total += n * deflection_by_electrons_cm2(z, energy, nodes) * by_electrons
    return np.asarray(left @ (weights * total))


def deflection_quantiles(turning: Array) -> Array:
    """Return quantiles of (1 − cos θ)/2 after multiple scattering, at 1 − (1 − j/(N_QUANTILES − 1))².

    Parameters
    ----------
    turning : (K, N_ORDERS) array
        Path times transport coefficient of order l = 1 …, for each of K steps.

    References
    ----------
    Goudsmit and Saunderson, Phys. Rev. 57 (1940) 24, integrated term by term.
    """
    mu = np.append(0.0, np.geomspace(1e-7, 1.0, 1200))
    values = _legendre(mu, N_ORDERS + 1)
    # ∫ from cos θ to 1 of P_l is (P_{l−1} − P_{l+1})/(2l + 1)
    within = mu + 0.5 * np.exp(-turning) @ (values[:N_ORDERS] - values[2:])
    probability = 1 - (1 - np.linspace(0, 1, N_QUANTILES)) ** 2
    table = np.zeros((turning.shape[0], N_QUANTILES))
    for k, row in enumerate(np.maximum.accumulate(np.clip(within, 0, 1), axis=1)):
        rising = np.append(True, np.diff(row) > 0)
        table[k] = np.interp(probability, row[rising], mu[rising])
        table[k, -1] = mu[np.searchsorted(row, row[-1] - 1e-9)]
        mean = np.sum(np.diff(probability) * 0.5 * (table[k, 1:] + table[k, :-1]))
        # the first moment is known exactly: <(1 − cos θ)/2> = (1 − exp(−G_1))/2
        table[k] = np.minimum(1.0, table[k] * 0.5 * -np.expm1(-turning[k, 0]) / mean)
    return table
