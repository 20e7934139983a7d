"""Standardised uptake values, after the vendor-neutral rules of QIBA.

SUV = C(t) · size / A(t): concentration and administered activity brought to one instant t, the one that the image is
decay-corrected to. Which instant that is, is judged in `decay_tags`; so one formula holds for every vendor.

References
----------
QIBA, "Standardized Uptake Value (SUV): computation" (vendor-neutral pseudo-code); DICOM PS3.3 C.8.9.1 and SUV
Type (0054,1006); James, Research on Obesity, 1976; Janmahasatian et al., Clin Pharmacokinet 44:1051, 2005;
Du Bois and Du Bois, Arch Intern Med 17:863, 1916.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from hevesy.core import Image, Patient, Quantity, Timing, seconds_between
from hevesy.errors import ImpossibleTiming, MissingInformation, UnphysicalResult, WrongQuantity
from hevesy.stages.imaging import header
from hevesy.stages.imaging.administration import Injected
from hevesy.stages.imaging.administration import patient as patient_of
from hevesy.stages.imaging.pet import known_frames, known_injection, pet_quantity, pet_timing, philips_suv_factor
from hevesy.stages.imaging.series import Series
from hevesy.stages.imaging.supplied import NOTHING, Supplied


class Normalisation(Enum):
    """What uptake is divided by; lean body mass has two formulas, which differ by up to a tenth and are never mixed."""

    BODY_WEIGHT = "SUVbw"
    LEAN_BODY_MASS_JAMES = "SUVlbm (James)"
    LEAN_BODY_MASS_JANMAHASATIAN = "SUVlbm (Janmahasatian)"
    BODY_SURFACE = "SUVbsa"


#: SUV Type (0054,1006); the older LBM does not say which formula was meant and is not read
SUV_TYPES = {
    "": Normalisation.BODY_WEIGHT,
    "BW": Normalisation.BODY_WEIGHT,
    "LBMJAMES128": Normalisation.LEAN_BODY_MASS_JAMES,
    "LBMJANMA": Normalisation.LEAN_BODY_MASS_JANMAHASATIAN,
    "BSA": Normalisation.BODY_SURFACE,
}


def read_suv(
    series: Series, normalisation: Normalisation = Normalisation.BODY_WEIGHT, supplied: Supplied = NOTHING
) -> tuple[Image, ...]:
    """Read the volumes of a PET series as standardised uptake.

    Returns
    -------
    tuple of Image
        g/mL, or cm²/mL for SUVbsa.

    Raises
    ------
    MissingInformation
        If weight, height, sex, activity or times are needed and absent.
    WrongQuantity
        If the values are no activity and carry no factor to SUV, or are not corrected for attenuation and decay.
    """
    made = []
    for image in series.images(supplied):
        scale, notes = suv_scale(series.headers, image.quantity, normalisation, image.timing, supplied)
        values = (image.values.astype(np.float64) * scale).astype(np.float32)
        surface = normalisation is Normalisation.BODY_SURFACE
        quantity = Quantity.STANDARDISED_UPTAKE_BY_SURFACE if surface else Quantity.STANDARDISED_UPTAKE
        history = image.provenance.then("standardise uptake", normalisation=normalisation.value).noting(*notes)
        made.append(Image(values, image.grid, quantity, image.timing, history))
    return tuple(made)


def suv_scale(
    headers: Sequence[Any],
    quantity: Quantity,
    normalisation: Normalisation = Normalisation.BODY_WEIGHT,
    timing: Timing | None = None,
    supplied: Supplied = NOTHING,
) -> tuple[float, tuple[str, ...]]:
    """Return the factor from an image's values to SUV, and what was assumed on the way.

    Activity is standardised by the administered activity; SUV of another kind is converted; counts of Philips
    scanners carry a private factor to SUVbw, (7053,1000).

    Raises
    ------
    MissingInformation, WrongQuantity, ImpossibleTiming
        See `read_suv`.
    """
    patient = patient_of(headers[0])
    if quantity is Quantity.ACTIVITY_CONCENTRATION:
        _require_corrections(headers[0])
        if timing is None:
            timing, _ = pet_timing(headers, quantity, supplied)
        injection = known_injection(headers[0], known_frames(headers, supplied), supplied)
        assert timing is not None  # an activity always has one
        return size_of(patient, normalisation) / activity_at_reference_Bq(injection, timing), ()
    if quantity is Quantity.STANDARDISED_UPTAKE:
        stated = header.text(headers[0], "SUVType").upper()
        if stated not in SUV_TYPES:
            raise WrongQuantity(f"SUV Type {stated} does not say by which formula, so that it cannot be converted.")
        note = () if stated else ("No SUV Type (0054,1006); Units GML are taken as SUVbw, as QIBA has it.",)
        return _between(patient, SUV_TYPES[stated], normalisation), note
    factor = philips_suv_factor(headers[0])
    if factor is None or pet_quantity(headers[0], "The series", supplied)[0] is not quantity:
        raise WrongQuantity(
            f"Values are {quantity.name.lower().replace('_', ' ')}, which no header turns into SUV.",
            "Give a series in Bq/mL.",
        )
    note = (f"Counts were brought to SUVbw by the private factor {factor:g} of Philips (7053,1000).",)
    return factor * _between(patient, Normalisation.BODY_WEIGHT, normalisation), note


def activity_at_reference_Bq(injection: Injected, timing: Timing) -> float:
    """Return the administered activity, decayed to the instant that an image is corrected to, Bq.

    Raises
    ------
    MissingInformation
        If activity, half-life or instant are not known.
    WrongQuantity
        If the image is not decay-corrected: no one instant belongs to its values.
    ImpossibleTiming
        If the image is corrected to an instant before the administration.
    """
    if timing.decay_corrected_to is None:
        raise WrongQuantity("SUV needs an image that is decay-corrected.", "Correct it to the start of the scan first.")
    if injection.time is None:
        raise injection.missing or MissingInformation("The instant of the injection is not known.")
    if injection.activity_Bq is None or injection.half_life_s is None:
        raise MissingInformation(
            "Radionuclide Total Dose (0018,1074) or Half Life (0018,1075) is absent.",
            "Give administration: activity_MBq: in case.yaml.",
        )
    elapsed = seconds_between(injection.time, timing.decay_corrected_to)
    if elapsed < 0:
        raise ImpossibleTiming("The image is decay-corrected to an instant before the injection.")
    return injection.activity_Bq * math.exp2(-elapsed / injection.half_life_s)


def size_of(patient: Patient, normalisation: Normalisation) -> float:
    """Return what uptake is divided by: mass in g, or body surface in cm².

    James: 1.10 w − 128 (w/h)² for men, 1.07 w − 148 (w/h)² for women, with w in kg and h in cm. Janmahasatian:
    9270 w / (6680 + 216 BMI) for men, 9270 w / (8780 + 244 BMI) for women. Du Bois: 0.007184 w^0.425 h^0.725 m².

    Raises
    ------
    MissingInformation
        If weight, height or sex is needed and not known.
    UnphysicalResult
        If James's formula, which falls again for the obese, gives no positive mass.
    """
    weight = _known(patient.mass_kg, "Patient's Weight (0010,1030)", "mass_kg")
    if normalisation is Normalisation.BODY_WEIGHT:
        return weight * 1000
    height_cm = 100 * _known(patient.height_m, "Patient's Size (0010,1020)", "height_m")
    if normalisation is Normalisation.BODY_SURFACE:
        return float(0.007184 * weight**0.425 * height_cm**0.725 * 1e4)
    if patient.sex not in ("M", "F"):
        raise MissingInformation("Lean body mass needs the patient's sex (0010,0040), M or F.", "Complete the header.")
    man = patient.sex == "M"
    if normalisation is Normalisation.LEAN_BODY_MASS_JAMES:
        first, second = (1.10, 128) if man else (1.07, 148)
        lean = first * weight - second * (weight / height_cm) ** 2
    else:
        bmi = weight / (height_cm / 100) ** 2
        lean = 9270 * weight / (6680 + 216 * bmi if man else 8780 + 244 * bmi)
    if lean <= 0:
        raise UnphysicalResult(
            "James's formula gives no lean body mass for so heavy a patient.", "Use Janmahasatian's."
        )
    return lean * 1000


def _between(patient: Patient, stated: Normalisation, wanted: Normalisation) -> float:
    return 1.0 if stated is wanted else size_of(patient, wanted) / size_of(patient, stated)


def _require_corrections(head: Any) -> None:
    corrected = header.words(head, "CorrectedImage")
    if corrected and "ATTN" not in corrected:
        raise WrongQuantity("Corrected Image (0028,0051) does not list ATTN: SUV needs attenuation correction.")


def _known(value: float | None, tag: str, key: str) -> float:
    if value is None:
        raise MissingInformation(f"{tag} is absent; SUV needs it.", f"Give patient: {key}: in case.yaml.")
    return value
