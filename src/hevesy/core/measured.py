"""A number with its standard uncertainty, its unit, and what the uncertainty is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hevesy.core.unit import divide, multiply, raise_to
from hevesy.errors import BadInput, WrongQuantity


@dataclass(frozen=True, slots=True, eq=False)
class Cause:
    """One independent cause of uncertainty; two causes are one only if they are the same object."""

    label: str = ""


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Measured:
    """A value with its standard uncertainty.

    Uncertainty is propagated to first order (GUM, JCGM 100:2008, 5.1.2). Each `Measured` made from
    a number is an independent cause; a result remembers the signed share that every cause has in
    it, so that the same quantity entering twice is fully correlated with itself: ``x - x`` is
    0 ± 0 and ``x * x`` has the uncertainty of ``x**2``. Shares of one cause add with their sign,
    different causes add in quadrature.

    Parameters
    ----------
    value : float
        The best estimate, in `unit`.
    u : float
        Its standard uncertainty, in `unit`; not negative.
    unit : str
        Factors joined by ``·``, a divisor after ``/``, such as ``"Bq·s/mL"``; empty for a pure number.
    label : str
        What the uncertainty comes from, such as ``"calibration"``.

    Raises
    ------
    BadInput
        If a number is not finite or `u` is negative.
    """

    value: float
    unit: str
    shares: Mapping[Cause, float] = field(repr=False)

    def __init__(self, value: float, u: float = 0.0, unit: str = "", label: str = "") -> None:
        if not u >= 0:
            raise BadInput(f"A standard uncertainty cannot be {u}.")
        self._fill(value, {Cause(label): float(u)} if u else {}, unit)

    def _fill(self, value: float, shares: dict[Cause, float], unit: str) -> None:
        if not (math.isfinite(value) and all(map(math.isfinite, shares.values()))):
            raise BadInput(f"A measured value must be finite, not {value} {unit}.")
        object.__setattr__(self, "value", float(value))
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "shares", MappingProxyType(shares))

    @classmethod
    def propagate(cls, value: float, inputs: Iterable[tuple[Measured, float]], unit: str = "") -> Measured:
        """Return a result of a function: its value, and each input with the partial derivative to it.

        Parameters
        ----------
        value : float
            The function at the inputs' values, in `unit`.
        inputs : iterable of (Measured, float)
            Each input and ∂(result)/∂(input), in `unit` per unit of the input.
        """
        shares: dict[Cause, float] = {}
        for measured, derivative in inputs:
            for cause, share in measured.shares.items():
                shares[cause] = shares.get(cause, 0.0) + derivative * share
        result = object.__new__(cls)
        result._fill(value, shares, unit)
        return result

    @property
    def u(self) -> float:
        """Standard uncertainty, in `unit`."""
        return math.hypot(*self.shares.values())

    @property
    def u_relative(self) -> float:
        """Standard uncertainty over the magnitude of the value; infinite at zero."""
        return self.u / abs(self.value) if self.value else (math.inf if self.u else 0.0)

    @property
    def components(self) -> dict[str, float]:
        """The standard uncertainty by label, in `unit`; the squares sum to that of `u`."""
        squares: dict[str, float] = {}
        for cause, share in self.shares.items():
            squares[cause.label] = squares.get(cause.label, 0.0) + share**2
        return {label: math.sqrt(square) for label, square in sorted(squares.items())}

    def covariance(self, other: Measured) -> float:
        """Return the covariance with another value, in the product of the two units."""
        return math.fsum(share * other.shares.get(cause, 0.0) for cause, share in self.shares.items())

    def parted(self, other: Measured) -> tuple[Measured, Measured]:
        """Return the value with the causes of uncertainty that it has in common with another, and with the rest."""
        common = {cause: share for cause, share in self.shares.items() if cause in other.shares}
        rest = {cause: share for cause, share in self.shares.items() if cause not in other.shares}
        return self._with(common), self._with(rest)

    def _with(self, shares: dict[Cause, float]) -> Measured:
        result = object.__new__(type(self))
        result._fill(self.value, shares, self.unit)
        return result

    def to(self, factor: float, unit: str) -> Measured:
        """Return the same quantity in another unit: the value times `factor`."""
        return Measured.propagate(self.value * factor, [(self, factor)], unit)

    def labelled(self, label: str) -> Measured:
        """Return an independent value with the same number and one label for its whole uncertainty."""
        return Measured(self.value, self.u, self.unit, label)

    def __add__(self, other: Measured | float) -> Measured:
        that = self._alike(other)
        return Measured.propagate(self.value + that.value, [(self, 1.0), (that, 1.0)], self.unit)

    def __sub__(self, other: Measured | float) -> Measured:
        that = self._alike(other)
        return Measured.propagate(self.value - that.value, [(self, 1.0), (that, -1.0)], self.unit)

    def __mul__(self, other: Measured | float) -> Measured:
        that = _measured(other)
        unit = multiply(self.unit, that.unit)
        return Measured.propagate(self.value * that.value, [(self, that.value), (that, self.value)], unit)

    def __truediv__(self, other: Measured | float) -> Measured:
        that = _measured(other)
        if that.value == 0:
            raise BadInput("A measured value cannot be divided by zero.")
        ratio = self.value / that.value
        partials = [(self, 1 / that.value), (that, -ratio / that.value)]
        return Measured.propagate(ratio, partials, divide(self.unit, that.unit))

    def __pow__(self, power: float) -> Measured:
        if (self.value < 0 and power != int(power)) or (self.value == 0 and power < 1):
            raise BadInput(f"{self.value} cannot be raised to the power {power} with an uncertainty.")
        derivative = power * self.value ** (power - 1) if power else 0.0
        return Measured.propagate(self.value**power, [(self, derivative)], raise_to(self.unit, power))

    def __neg__(self) -> Measured:
        return self * -1.0

    def __radd__(self, other: float) -> Measured:
        return self + other

    def __rsub__(self, other: float) -> Measured:
        return -self + other

    def __rmul__(self, other: float) -> Measured:
        return self * other

    def __rtruediv__(self, other: float) -> Measured:
        return Measured(other) / self

    def __repr__(self) -> str:
        return f"Measured({self.value:.6g} ± {self.u:.2g} {self.unit})".replace(" )", ")")

    def _alike(self, other: Measured | float) -> Measured:
        that = other if isinstance(other, Measured) else Measured(other, unit=self.unit)
        if that.unit != self.unit:
            raise WrongQuantity(f"'{self.unit}' and '{that.unit}' cannot be added or subtracted.")
        return that


def _measured(value: Measured | float) -> Measured:
    return value if isinstance(value, Measured) else Measured(value)
