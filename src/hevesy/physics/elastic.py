"""Elastic scattering of electrons and positrons by atoms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core.material import Material
from hevesy.data.elements import element
from hevesy.data.photons import form_factor, momentum_transfer_per_angstrom, scattering_function
from hevesy.physics.attenuation import ELECTRON_MEV, ELECTRON_RADIUS2_CM2, HC_KEV_ANGSTROM
from hevesy.physics.materials import atoms_per_gram

FINE_STRUCTURE = 1 / 137.035999084
#: below this momentum transfer, 1/Å, Z − F goes with its square
SMALL_TRANSFER = 0.02
#: nodes of ln μ at which angular distributions are integrated, and the smallest μ
N_NODES, SMALLEST_MU = 3000, 1e-12


def elastic_cross_section_cm2(
    atomic_number: int, energy_MeV: float, mu: ArrayLike, positron: bool = False
) -> NDArray[np.float64]:
    """Return dσ/dμ of an atom, μ = (1 − cos θ)/2, in cm².

    Rutherford scattering by the nucleus less the electrons' cloud, Z − F (first Born approximation with the form factor
    of X-ray scattering), times the ratio of Mott to Rutherford in the expansion of W. A. McKinley and H. Feshbach,
    Phys. Rev. 74 (1948) 1759, eq. 7. The first transport cross-sections that follow agree with partial-wave
    calculations (ELSEPA) for water and cortical bone within 0.2% from 200 keV to 3 MeV, 0.6% at 50 keV and 2% at 10 keV
    (positrons: 0.2%, 3.5% and 17%). The expansion ends near Z = 30.

    Parameters
    ----------
    atomic_number : int
        Z.
    energy_MeV : float
        Kinetic energy.
    mu : array_like
        (1 − cos θ)/2, above 0 to 1.
    positron : bool
        The sign of the term in αZ is reversed.
    """
    mu = np.asarray(mu, np.float64)
    tau = energy_MeV / ELECTRON_MEV
    momentum2 = tau * (tau + 2)
    speed2 = momentum2 / (tau + 1) ** 2
    sine = np.sqrt(mu)
    transfer = sine * np.sqrt(momentum2) * ELECTRON_MEV * 1e3 / HC_KEV_ANGSTROM
    charge = _unscreened_charge(atomic_number, transfer)
    coulomb = np.pi * FINE_STRUCTURE * atomic_number * np.sqrt(speed2) * sine * (1 - sine)
    mott = np.maximum(1 - speed2 * mu + (-coulomb if positron else coulomb), 0.0)
    return np.asarray(np.pi * ELECTRON_RADIUS2_CM2 / (momentum2 * speed2) * (charge / mu) ** 2 * mott)


def deflection_by_electrons_cm2(atomic_number: int, energy_MeV: float, mu: ArrayLike) -> NDArray[np.float64]:
    """Return dσ/dμ, cm², of an atom's Z electrons together, μ = (1 − cos θ)/2, where little energy is lost.

    Rutherford scattering times the incoherent scattering function (P. M. Morse, Phys. Z. 33 (1932) 443).
    """
    mu = np.asarray(mu, np.float64)
    tau = energy_MeV / ELECTRON_MEV
    momentum2 = tau * (tau + 2)
    transfer = np.sqrt(mu * momentum2) * ELECTRON_MEV * 1e3 / HC_KEV_ANGSTROM
    grid, scattering = momentum_transfer_per_angstrom(), scattering_function(atomic_number)
    first = int(np.searchsorted(grid, SMALL_TRANSFER))
    near = scattering[first] * (transfer / grid[first]) ** 2
    number = np.where(transfer < grid[first], near, np.interp(transfer, grid, scattering))
    speed2 = momentum2 / (tau + 1) ** 2
    return np.asarray(np.pi * ELECTRON_RADIUS2_CM2 / (momentum2 * speed2) * number / mu**2)


def transport_moments_cm2_g(
    material: Material, energy_MeV: float, orders: int, positron: bool = False
) -> NDArray[np.float64]:
    """Return the inverse transport mean free paths of a medium, from elastic scattering.

    Parameters
    ----------
    material : Material
        The medium.
    energy_MeV : float
        Kinetic energy.
    orders : int
        The highest order L.

    Returns
    -------
    (L + 1,) array
        ∫ (1 − P_l(cos θ)) dσ per gram, cm²/g, for l = 0 … L: the exponents of Goudsmit and Saunderson, Phys. Rev. 57
        (1940) 24. The first is 0.
    """
    log_mu = np.linspace(np.log(SMALLEST_MU), 0.0, N_NODES)
    mu = np.exp(log_mu)
    density = sum(
        n * elastic_cross_section_cm2(element(symbol).atomic_number, energy_MeV, mu, positron)
        for symbol, n in atoms_per_gram(material).items()
    )
    weights = np.full(N_NODES, log_mu[1] - log_mu[0])
    weights[[0, -1]] /= 2
    weighted = weights * mu * density
    # 1 − P_l by recurrence, which keeps its digits where μ is small: D_l = 1 − P_l
    before, here = np.zeros(N_NODES), 2 * mu
    moments = [0.0, float(weighted @ here)]
    cosine = 1 - 2 * mu
    for order in range(1, orders):
        ahead = ((2 * order + 1) * (2 * mu + cosine * here) - order * before) / (order + 1)
        before, here = here, ahead
        moments.append(float(weighted @ here))
    return np.array(moments[: orders + 1])


def _unscreened_charge(atomic_number: int, transfer: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Z − F at a momentum transfer, 1/Å."""
    grid = momentum_transfer_per_angstrom()
    left = atomic_number - form_factor(atomic_number)
    first = int(np.searchsorted(grid, SMALL_TRANSFER))
    near = left[first] * (transfer / grid[first]) ** 2
    return np.where(transfer < grid[first], near, np.interp(transfer, grid, left))
