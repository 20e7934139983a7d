"""By what one model is preferred to another: Akaike's criterion, and its second-order form for few points.

References
----------
.. [1] Akaike 1974, IEEE Trans Automat Contr 19:716-723, doi 10.1109/TAC.1974.1100705.
.. [2] Hurvich & Tsai 1989, Biometrika 76:297-307, doi 10.1093/biomet/76.2.297.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hevesy.errors import UnknownName

#: what a person asks for → what it is called
CRITERIA = {"aic": "AIC", "aicc": "AICc"}
#: mean chi² per point below which a fit is exact: a millionth of a value of which a tenth was guessed as uncertainty
EXACT = 1e-10


@dataclass(frozen=True, slots=True)
class Criterion:
    """-2 ln L + 2k, and with the second-order term + 2k(k + 1)/(n - k - 1).

    Parameters
    ----------
    corrected : bool
        Whether the second-order term is added (AICc).
    u_known : bool
        Whether the points' uncertainties are known. Then -2 ln L is chi² but for a constant; otherwise their common
        scale is estimated from the residuals, -2 ln L is n ln(chi²/n), and k counts the scale.
    """

    corrected: bool
    u_known: bool = True

    @property
    def label(self) -> str:
        """What it is called."""
        return CRITERIA["aicc" if self.corrected else "aic"]

    def penalty(self, parameters: int, points: int) -> float:
        """Return what is added to -2 ln L; infinite where the second-order term is not defined, n ≤ k + 1."""
        k = parameters + (not self.u_known)
        if not self.corrected:
            return 2.0 * k
        spare = points - k - 1
        return 2.0 * k + 2.0 * k * (k + 1) / spare if spare > 0 else math.inf

    def of(self, chi2: float, parameters: int, points: int) -> float:
        """Return the criterion of a fit; infinite where it is not defined, so that the model is no candidate."""
        if self.u_known:
            return chi2 + self.penalty(parameters, points)
        if points <= parameters:
            return math.inf
        return points * math.log(max(chi2 / points, EXACT)) + self.penalty(parameters, points)


def criterion_named(name: str | None, u_known: bool) -> Criterion:
    """Return the criterion of a name; None takes AIC where uncertainties are known, and AICc where they are not.

    Raises
    ------
    UnknownName
        If there is none.
    """
    if name is None:
        return Criterion(corrected=not u_known, u_known=u_known)
    if name not in CRITERIA:
        raise UnknownName(f"There is no criterion '{name}'.", f"Choose from: {', '.join(CRITERIA)}.")
    return Criterion(corrected=name == "aicc", u_known=u_known)
