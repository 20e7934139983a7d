"""What the values of an image mean, and the one unit that each meaning has inside."""

from __future__ import annotations

from enum import Enum


class Quantity(Enum):
    """The meaning of an image's values; the member's value is its unit inside the package."""

    ACTIVITY_CONCENTRATION = "Bq/mL"
    ACTIVITY_CONCENTRATION_UNCERTAINTY = "Bq/mL (standard uncertainty)"
    TIME_INTEGRATED_ACTIVITY_CONCENTRATION = "Bq·s/mL"
    ABSORBED_DOSE = "Gy"
    ABSORBED_DOSE_RATE = "Gy/s"
    BIOLOGICALLY_EFFECTIVE_DOSE = "Gy (BED)"
    DENSITY = "kg/m³"
    HOUNSFIELD = "HU"
    ATTENUATION = "1/mm"
    STANDARDISED_UPTAKE = "g/mL"
    STANDARDISED_UPTAKE_BY_SURFACE = "cm²/mL"
    COUNTS = "counts"
    COUNTS_UNCERTAINTY = "counts (standard uncertainty)"
    PROPORTIONAL_TO_COUNTS = "a.u."
    RELATIVE = "1"
    LABEL = "label"

    @property
    def unit(self) -> str:
        """The unit of the values."""
        return self.value
