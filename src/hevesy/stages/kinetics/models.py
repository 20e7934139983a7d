"""The time-activity models: which sums of exponentials there are, and what each may do."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import UnknownName

_DEPTH_OF_ONE, _DEPTH_OF_SEVERAL, _DEPTH_OF_UPTAKE = 8.0, 3.0, 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A sum of exponentials, written so that every coefficient is at least zero.

    Parameters
    ----------
    name, description : str
        What it is called and what it says.
    mix : (m, k) array
        Basis function ``j`` is ``sum_k mix[j, k] exp(-λ_k t)``, rates falling with ``k``.
    physical_tail : bool
        Whether the last rate is the physical decay constant.
    parameters : int
        Number of fitted parameters.
    has_uptake : bool
        Whether the curve may rise.
    """

    name: str
    description: str
    mix: NDArray[np.float64]
    physical_tail: bool = False

    parameters: int = field(init=False)
    has_uptake: bool = field(init=False)

    def __post_init__(self) -> None:
        m, k = self.mix.shape
        object.__setattr__(self, "parameters", m + k - self.physical_tail)
        object.__setattr__(self, "has_uptake", bool((self.mix < 0).any()))

    def bounds(self, decay_constant: float, first_s: float) -> NDArray[np.float64]:
        """Return the least and the greatest rate (2, k), 1/s.

        No rate is below physical decay. The greatest is what the first point, at `first_s`, can still show: one
        washout to exp(-8), each of several to exp(-3) (a faster one that no point sees could hold any activity), an
        uptake, whose speed hardly moves the integral, to exp(-20).
        """
        k = self.mix.shape[1]
        depth = np.full(k, _DEPTH_OF_ONE if k == 1 else _DEPTH_OF_SEVERAL)
        if self.has_uptake:
            depth[0] = _DEPTH_OF_UPTAKE
        bounds = np.empty((2, k))
        bounds[0] = decay_constant
        bounds[1] = np.maximum(depth / first_s, 1.5 * decay_constant) if first_s > 0 else 1e6 * decay_constant
        if self.physical_tail:
            bounds[:, -1] = decay_constant
        return bounds


def _model(name: str, description: str, mix: list[list[float]], physical_tail: bool = False) -> Model:
    return Model(name, description, np.array(mix, dtype=np.float64), physical_tail)


_ALL = (
    _model("physical", "physical decay alone", [[1]], True),
    _model("mono", "one washout", [[1]]),
    _model("bi", "two washouts", [[1, 0], [0, 1]]),
    _model("bi-physical", "one washout and a physical tail", [[1, 0], [0, 1]], True),
    _model("uptake", "uptake from zero, one washout", [[-1, 1]]),
    _model("uptake-physical", "uptake from zero, physical tail", [[-1, 1]], True),
    _model("uptake-free", "uptake from any activity at time 0, one washout", [[-1, 1], [0, 1]]),
    _model("tri", "three washouts", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    _model("tri-physical", "two washouts and a physical tail", [[1, 0, 0], [0, 1, 0], [0, 0, 1]], True),
    _model("tri-uptake", "uptake from zero, two washouts", [[-1, 1, 0], [-1, 0, 1]]),
)
MODELS = {model.name: model for model in _ALL}

#: what "auto" and "average" choose among
CANDIDATES = ("mono", "uptake", "bi", "uptake-free", "tri-uptake", "tri")

#: what is not chosen, because a fixed tail hides how little the last scans say of it, but is compared
SCEPTICS = ("bi-physical", "tri-physical")


def model_named(name: str) -> Model:
    """Return the model of a name.

    Raises
    ------
    UnknownName
        If there is none.
    """
    if name not in MODELS:
        raise UnknownName(f"There is no time-activity model '{name}'.", f"Choose from: {', '.join(MODELS)}.")
    return MODELS[name]
