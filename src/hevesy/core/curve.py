"""A time-activity curve."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.errors import BadInput, ImpossibleTiming, MissingInformation


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Activity in a region over time, as present: not decay-corrected.

    Parameters
    ----------
    starts_s, ends_s : (n,) arrays
        Start and end of each frame after administration, s; equal where a point is an instant.
    activity_Bq : (n,) array
        Mean activity during each frame, Bq; physical decay is in it.
    u_Bq : (n,) array
        Standard uncertainty of each value that is independent of the other points, Bq. What the
        points share (calibration, recovery) scales the whole curve and is carried beside it.
    name : str
        The region's name.
    u_known : bool
        False where only the ratios of `u_Bq` mean something, and their common scale must be estimated.

    Raises
    ------
    ImpossibleTiming
        If a frame starts before administration, ends before it starts, or is out of order.
    BadInput
        If lengths differ, a value is negative or not finite, or an uncertainty is not positive.
    """

    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    activity_Bq: NDArray[np.float64]
    u_Bq: NDArray[np.float64]
    name: str = field(default="")
    u_known: bool = field(default=True)

    def __post_init__(self) -> None:
        for attribute in ("starts_s", "ends_s", "activity_Bq", "u_Bq"):
            array = np.array(getattr(self, attribute), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, attribute, array)
        sizes = {a.shape for a in (self.starts_s, self.ends_s, self.activity_Bq, self.u_Bq)}
        where = f"Curve '{self.name}'" if self.name else "A curve"
        if len(sizes) != 1 or self.starts_s.ndim != 1 or not self.starts_s.size:
            raise BadInput(f"{where} needs as many starts and ends as values and uncertainties.")
        self._check_times(where)
        if not np.isfinite(self.activity_Bq).all() or (self.activity_Bq < 0).any():
            raise BadInput(f"{where} holds an activity that is negative or not finite.")
        if not np.isfinite(self.u_Bq).all() or (self.u_Bq <= 0).any():
            raise BadInput(f"{where} holds a standard uncertainty that is not positive and finite.")

    def _check_times(self, where: str) -> None:
        if not (np.isfinite(self.starts_s).all() and np.isfinite(self.ends_s).all()):
            raise ImpossibleTiming(f"{where} holds a time that is not finite.")
        if (self.starts_s < 0).any():
            raise ImpossibleTiming(f"{where} has a point before administration.")
        if (self.ends_s < self.starts_s).any():
            raise ImpossibleTiming(f"{where} has a frame that ends before it starts.")
        if (np.diff(self.starts_s) <= 0).any():
            raise ImpossibleTiming(f"{where} has points out of order or twice at one time.", "Sort them by time.")

    @classmethod
    def at_instants(cls, times_s: ArrayLike, activity_Bq: ArrayLike, u_Bq: ArrayLike, name: str = "") -> Curve:
        """Return a curve of instantaneous points."""
        times = np.asarray(times_s, np.float64)
        return cls(times, times, np.asarray(activity_Bq, float), np.asarray(u_Bq, float), name)

    @property
    def mid_s(self) -> NDArray[np.float64]:
        """Middle of each frame after administration, s."""
        return 0.5 * (self.starts_s + self.ends_s)

    def require_u(self) -> None:
        """Refuse a curve whose uncertainties are not known.

        Raises
        ------
        MissingInformation
            If they are not.
        """
        if not self.u_known:
            raise MissingInformation(
                f"Curve '{self.name}' states no uncertainty, and without the residuals of a fit there is nothing to"
                " estimate it from.",
                "Fill the column u_MBq, or give --u-percent.",
            )

    def __len__(self) -> int:
        return int(self.starts_s.size)
