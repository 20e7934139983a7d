"""Radioactive decay: factors for one nuclide, and chains of parent and daughters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Nuclide
from hevesy.data import icrp107
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput, UnknownName

Array = NDArray[np.float64]

#: terms of the exponential series for a step of at most half a mean life: 0.5^18/18! is below 1e-21
_TERMS = 18


def decay_factor(decay_constant: float, elapsed_s: ArrayLike) -> Array:
    """Return the share of the activity that is left after a time: exp(−λt); above 1 for a time before.

    Parameters
    ----------
    decay_constant : float
        λ, 1/s.
    elapsed_s : array
        Time from the instant of the activity, s; negative before it.
    """
    return np.exp(-decay_constant * np.asarray(elapsed_s, np.float64))


def frame_mean_factor(decay_constant: float, duration_s: ArrayLike) -> Array:
    """Return mean activity during a frame over the activity at its start: (1 − exp(−λT)) / (λT).

    Divide a frame's mean by this to have the activity at the start of the frame. Exact also where λT is small,
    and 1 for an instant.

    Parameters
    ----------
    decay_constant : float
        λ, 1/s.
    duration_s : array
        Length T of each frame, s; not negative.
    """
    exponent = decay_constant * np.asarray(duration_s, np.float64)
    return np.divide(-np.expm1(-exponent), exponent, out=np.ones_like(exponent), where=exponent != 0)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A radionuclide and all its radioactive descendants.

    Parameters
    ----------
    nuclides : tuple of Nuclide
        The parent first; everyone after all that decay to it.
    feeding : (n, n) array
        ``feeding[j, i]``: the fraction of the decays of nuclide i that lead to nuclide j.
    """

    nuclides: tuple[Nuclide, ...]
    feeding: Array = field(repr=False)

    @classmethod
    def of(cls, parent: Nuclide, find: Callable[[str], Nuclide] = nuclide) -> Chain:
        """Return the chain that starts at a nuclide, down to stability (or to fission, whose products are left out).

        Parameters
        ----------
        parent : Nuclide
            Where the chain starts.
        find : callable
            Returns a descendant by name; `hevesy.data.nuclides.nuclide`, perhaps with half-lives of the user's.
        """
        members = {parent.name: parent}
        for member in _descendants(parent, find):
            members.pop(member.name, None)  # met again further down: its place is there
            members[member.name] = member
        place = {name: index for index, name in enumerate(members)}
        feeding = np.zeros((len(members), len(members)))
        for member in members.values():
            for daughter in member.daughters:
                if daughter.name in place:
                    feeding[place[daughter.name], place[member.name]] += daughter.branching
        feeding.setflags(write=False)
        return cls(tuple(members.values()), feeding)

    @property
    def names(self) -> tuple[str, ...]:
        """The nuclides' names, in the chain's order."""
        return tuple(member.name for member in self.nuclides)

    @property
    def decay_constants(self) -> Array:
        """λ of each nuclide, 1/s."""
        return np.array([member.decay_constant.value for member in self.nuclides])

    def pure(self, activity_Bq: float = 1.0, name: str | None = None) -> Array:
        """Return the activities (n,), Bq, of a sample that holds one nuclide alone: the parent, if none is named.

        Raises
        ------
        UnknownName
            If the chain does not hold the nuclide.
        """
        wanted = name or self.names[0]
        if wanted not in self.names:
            raise UnknownName(f"{wanted} is not in the chain of {self.names[0]}.", f"It holds {', '.join(self.names)}.")
        return np.array([activity_Bq if member == wanted else 0.0 for member in self.names])

    def activities(self, times_s: ArrayLike, initial_Bq: ArrayLike | None = None) -> Array:
        """Return the activities of all nuclides at times after a start.

        The Bateman equations, solved as one matrix exponential of non-negative terms, so that nothing cancels:
        equal half-lives, branching and chains from microseconds to gigayears need no special case. See
        ``docs/explanation/decay.md``.

        Parameters
        ----------
        times_s : (m,) array
            Times, s; not negative.
        initial_Bq : (n,) array, optional
            Activities at the start; 1 Bq of the parent alone, if not given.

        Returns
        -------
        (n, m) array
            Activities, Bq.

        Raises
        ------
        BadInput
            If a time or an activity is negative or not finite, or there are not n activities.
        """
        start = self._start(initial_Bq)
        return (_exponential(self._rates(), _times(times_s)) @ start).T

    def decays(self, start_s: float, end_s: ArrayLike, initial_Bq: ArrayLike | None = None) -> Array:
        """Return the number of decays of each nuclide from `start_s` to each of `end_s`: (n, m), Bq·s.

        `initial_Bq` are the activities at time 0, as in `activities`.

        Raises
        ------
        BadInput
            As `activities`; or if the interval ends before it starts.
        """
        durations = _times(np.asarray(end_s, np.float64) - start_s)
        at_start = self.activities([start_s], initial_Bq)[:, 0]
        size = len(self.nuclides)
        rates = np.zeros((2 * size, 2 * size))
        rates[:size, :size] = self._rates()
        rates[size:, :size] = np.eye(size)  # dD/dt = A
        return (_exponential(rates, durations)[:, size:, :size] @ at_start).T

    def decays_to_infinity(self, initial_Bq: ArrayLike | None = None) -> Array:
        """Return the number of decays of each nuclide from time 0 on, when nothing leaves: (n,), Bq·s."""
        decays = self._start(initial_Bq) / self.decay_constants
        for row in range(len(decays)):
            decays[row] += self.feeding[row, :row] @ decays[:row]
        return decays

    def _rates(self) -> Array:
        """Return M of dA/dt = M A: activity grows with λ of the daughter times the feeding."""
        constants = self.decay_constants
        return constants[:, None] * self.feeding - np.diag(constants)

    def _start(self, initial_Bq: ArrayLike | None) -> Array:
        if initial_Bq is None:
            return self.pure()
        start = np.array(initial_Bq, np.float64)
        if start.shape != (len(self.nuclides),) or not np.isfinite(start).all() or (start < 0).any():
            raise BadInput(f"The chain of {self.names[0]} needs {len(self.nuclides)} activities, none negative.")
        return start


def _descendants(parent: Nuclide, find: Callable[[str], Nuclide]) -> Iterator[Nuclide]:
    """Yield radioactive descendants, level by level, again whenever one is met again."""
    level = [parent]
    while level:
        below = dict.fromkeys(d.name for member in level for d in member.daughters if d.name in icrp107.names())
        level = [find(name) for name in below]
        yield from level


def _times(times_s: ArrayLike) -> Array:
    times = np.atleast_1d(np.asarray(times_s, np.float64))
    if times.ndim != 1 or not np.isfinite(times).all() or (times < 0).any():
        raise BadInput("Times of a decay chain must be finite and must not be before its start.")
    return times


def _exponential(rates: Array, times: Array) -> Array:
    """Return exp(M t) for a lower triangular M with non-negative elements off its diagonal: (m, n, n).

    M + s·1 with s the fastest decay constant is non-negative, so that its series has no cancellation. A step
    short enough for the series is then squared up to t; the diagonal, exp(−λt), is known and is put in
    exactly after every squaring, which keeps errors from doubling (the relative error of each element stays
    near the depth of the chain times the rounding error).
    """
    diagonal = np.diag(rates)
    fastest = float(-diagonal.min())
    longest = float(times.max(initial=0.0)) * fastest
    squarings = max(0, int(np.ceil(np.log2(max(longest, 1e-300) / 0.5))))
    step = times[:, None, None] / 2.0**squarings
    shifted = (rates + fastest * np.eye(len(rates))) * step
    result = np.broadcast_to(np.eye(len(rates)), shifted.shape).copy()
    for term in range(_TERMS, 0, -1):
        result = np.eye(len(rates)) + shifted @ result / term
    result *= np.exp(-fastest * step)
    on = np.arange(len(rates))
    for power in range(squarings + 1):
        if power:
            result = result @ result
        result[:, on, on] = np.exp(diagonal * step[:, 0] * 2.0**power)
    return result
