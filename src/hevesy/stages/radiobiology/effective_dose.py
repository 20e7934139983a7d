"""Biologically effective dose of one administration, whose dose rate falls by exponentials.

References
----------
.. [1] Dale 1985, Br J Radiol 58:515-528: the linear-quadratic model with a falling dose rate.
.. [2] Lea & Catcheside 1942, J Genet 44:216-245: the dose-protraction factor.
.. [3] Bodei et al. 2008, Eur J Nucl Med Mol Imaging 35:1847-1856, doi 10.1007/s00259-008-0778-1: the kidney.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hevesy.errors import BadInput


def protraction_factor(amplitudes: Sequence[float], rates_per_s: Sequence[float], repair_rate_per_s: float) -> float:
    """Return the Lea–Catcheside factor G of a dose rate Σ a·exp(-λt) under exponential repair of rate μ.

    G = 2/D² ∫ Ḋ(t) ∫₀ᵗ Ḋ(w) exp(-μ(t-w)) dw dt = 2/D² ΣΣ aᵢaⱼ / ((λᵢ+λⱼ)(λᵢ+μ)), D = Σ a/λ. For one exponential it is
    λ/(λ+μ), that is T_repair/(T_repair+T_effective).

    Parameters
    ----------
    amplitudes : (k,) sequence
        In any unit; their ratios count. An uptake has a negative one.
    rates_per_s : (k,) sequence
        1/s.
    repair_rate_per_s : float
        ln 2 over the half-time of repair, 1/s.

    Raises
    ------
    BadInput
        If a rate is not positive, or the exponentials come to no dose.
    """
    a, rate = np.asarray(amplitudes, float), np.asarray(rates_per_s, float)
    if (rate <= 0).any() or repair_rate_per_s <= 0:
        raise BadInput("Rates of washout and repair are positive.")
    dose = float(np.sum(a / rate))
    if dose <= 0:
        raise BadInput("The exponentials come to no dose.")
    pairs = np.outer(a, a) / (np.add.outer(rate, rate) * (rate[:, None] + repair_rate_per_s))
    return 2.0 * float(pairs.sum()) / dose**2


def effective_dose_Gy(dose_Gy: float, alpha_beta_Gy: float, protraction: float) -> float:
    """Return the biologically effective dose of one administration: D + G·D²/(α/β), Gy."""
    return dose_Gy + protraction * dose_Gy**2 / alpha_beta_Gy
