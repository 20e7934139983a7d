"""The patient, and what was administered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from hevesy.core.measured import Measured
from hevesy.errors import BadInput


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient, as the images name them; None where the source does not say."""

    identifier: str
    sex: Literal["F", "M", "O"] | None = None
    birth_date: date | None = None
    mass_kg: float | None = None
    height_m: float | None = None

    def __post_init__(self) -> None:
        if self.mass_kg is not None and not 0 < self.mass_kg < 700:
            raise BadInput(f"A patient cannot weigh {self.mass_kg} kg.")
        if self.height_m is not None and not 0 < self.height_m < 3:
            raise BadInput(f"A patient cannot be {self.height_m} m tall.")


@dataclass(frozen=True, slots=True)
class Administration:
    """One administration of a radiopharmaceutical.

    Parameters
    ----------
    nuclide : str
        Radionuclide, such as ``"Lu-177"``.
    time : datetime
        When it was given, and the instant that the activity refers to.
    activity : Measured or None
        Administered activity, Bq; None where it is not known.
    radiopharmaceutical : str
        Such as ``"Lu-177 DOTATATE"``.
    """

    nuclide: str
    time: datetime
    activity: Measured | None = None
    radiopharmaceutical: str = ""

    def __post_init__(self) -> None:
        if self.activity is not None and (self.activity.unit != "Bq" or not self.activity.value > 0):
            raise BadInput(f"An administered activity must be positive and in Bq, not {self.activity}.")
