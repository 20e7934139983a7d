"""What a population says of an effective half-life before this patient was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.data.effective_half_lives import PublishedHalfLife, published_half_life
from hevesy.errors import BadInput


@dataclass(frozen=True, slots=True)
class PopulationHalfLife:
    """A log-normal distribution of effective half-lives over patients.

    Parameters
    ----------
    median_s : float
        Median, s.
    geometric_sd : float
        Geometric standard deviation, at least 1.
    source : str
        Where it comes from, for the report.

    Raises
    ------
    BadInput
        If the median is not positive or the geometric standard deviation is below 1.
    """

    median_s: float
    geometric_sd: float
    source: str

    def __post_init__(self) -> None:
        if not 0 < self.median_s < math.inf or not 1 <= self.geometric_sd < math.inf:
            raise BadInput(
                f"A population half-life needs a positive median and a geometric standard deviation of at least 1,"
                f" not {self.median_s} s and {self.geometric_sd}."
            )

    @classmethod
    def published(cls, radiopharmaceutical: str, tissue: str) -> PopulationHalfLife:
        """Return the cited one for a radiopharmaceutical in a tissue.

        Raises
        ------
        UnknownName
            If none is on file.
        """
        return cls.of_row(published_half_life(radiopharmaceutical, tissue))

    @classmethod
    def of_row(cls, row: PublishedHalfLife) -> PopulationHalfLife:
        """Return the one of a row of published half-lives; where it was not verified, its source says so."""
        doubt = "; the figure was not compared with the article" if row.checked == "no" else ""
        return cls(row.half_life_h * 3600.0, row.geometric_sd, row.source + doubt)

    def quantile(self, normal_deviate: float) -> float:
        """Return the half-life that lies so many geometric standard deviations above the median, s."""
        return float(self.median_s * self.geometric_sd**normal_deviate)

    def rates(
        self, decay_constant: float, n: int = 81, span: tuple[float, float] = (-4.0, 4.0)
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return effective rates (n,), 1/s, and their weights (n,), sum 1, for a quadrature over patients.

        Half-lives beyond the physical one cannot be: the distribution is cut there. `span` is in geometric standard
        deviations about the median.
        """
        z = np.linspace(*span, n)
        rates = math.log(2) / (self.median_s * self.geometric_sd**z)
        weights = np.exp(-0.5 * z**2) * (rates >= decay_constant)
        if not weights.any():
            return np.array([decay_constant]), np.ones(1)
        return rates, weights / weights.sum()
