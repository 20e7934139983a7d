"""A camera's response as a file states it: widths as measured, a law, a collimator by name, tails through septa."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hevesy.data.collimators import collimator
from hevesy.errors import BadConfiguration, MissingInformation, UnreadableFile
from hevesy.stages.quantification.reconstruction import (
    LinearResponse,
    MeasuredResponse,
    QuadratureResponse,
    TailedResponse,
)
from hevesy.stages.quantification.reconstruction.response import Response, collimator_response

MM_PER_CM = 10.0


def read_response(path: Path, photon_keV: float) -> Response:
    """Read a file with ``psf``, as of a geometry file, for a photon.

    Raises
    ------
    HevesyError
        If the file cannot be read, or as `stated_response`.
    """
    return stated_response({**json_object(path), "photon_keV": photon_keV})


def json_object(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds.

    Raises
    ------
    UnreadableFile, BadConfiguration
        If it cannot be read, or is no object.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise UnreadableFile(f"{path} cannot be read as JSON ({fault}).") from fault
    if not isinstance(facts, dict):
        raise BadConfiguration(f"{path.name} must hold one JSON object.")
    return facts


def stated_response(facts: dict[str, Any]) -> Response:
    """Return the response that ``psf`` states, of a collimator by name for the photon of ``photon_keV``.

    Raises
    ------
    MissingInformation
        If it is not stated, or what it depends on is not.
    BadConfiguration
        If something else than numbers is stated, or holes of a known collimator as a fan beam.
    """
    psf = facts.get("psf")
    if isinstance(psf, dict) and "distances_cm" in psf:
        return _with_tail(_measured(psf), psf)
    if isinstance(psf, dict) and "collimator" in psf:
        return _with_tail(_geometric(psf, facts), psf)
    if not isinstance(psf, dict) or "a" not in psf or "b_cm" not in psf:
        raise MissingInformation(
            "The geometry does not give the collimator's response, 'psf' with 'a' and 'b_cm'.",
            "Add it, or go without by --no-response.",
        )
    slope, face = number(psf["a"], "psf.a"), number(psf["b_cm"], "psf.b_cm") * MM_PER_CM
    core: Response = LinearResponse(slope, face)
    if "intrinsic_cm" in psf:
        core = QuadratureResponse(number(psf["intrinsic_cm"], "psf.intrinsic_cm") * MM_PER_CM, slope, face)
    return _with_tail(core, psf)


def _geometric(psf: dict[str, Any], facts: dict[str, Any]) -> Response:
    if "photon_keV" not in facts or "intrinsic_fwhm_cm" not in psf:
        raise MissingInformation(
            "The response of a collimator by its geometry depends on the photon and on the crystal.",
            "Give 'photon_keV', and 'psf.intrinsic_fwhm_cm' of the crystal.",
        )
    if "focal_cm" in facts.get("camera", {}):
        raise BadConfiguration(
            "The holes of known collimators are parallel, and 'camera.focal_cm' makes a fan beam.",
            "Give 'psf.distances_cm' and 'psf.fwhm_cm' as measured.",
        )
    intrinsic_mm = number(psf["intrinsic_fwhm_cm"], "psf.intrinsic_fwhm_cm") * MM_PER_CM
    return collimator_response(collimator(psf["collimator"]), number(facts["photon_keV"], "photon_keV"), intrinsic_mm)


def _measured(psf: dict[str, Any]) -> MeasuredResponse:
    lists = []
    for key in ("distances_cm", "fwhm_cm"):
        if not isinstance(psf.get(key), list):
            raise BadConfiguration(f"'psf.{key}' in the geometry must be a list of numbers.")
        lists.append(tuple(number(value, f"psf.{key}") * MM_PER_CM for value in psf[key]))
    return MeasuredResponse(*lists)


def _with_tail(core: Response, psf: dict[str, Any]) -> Response:
    tail = psf.get("tail")
    if tail is None:
        return core
    if not isinstance(tail, dict) or not {"fraction", "a", "b_cm"} <= set(tail):
        raise BadConfiguration("'psf.tail' in the geometry needs 'fraction', 'a' and 'b_cm'.")
    length_mm = number(tail["b_cm"], "psf.tail.b_cm") * MM_PER_CM
    return TailedResponse(
        core, number(tail["fraction"], "psf.tail.fraction"), number(tail["a"], "psf.tail.a"), length_mm
    )


def number(value: Any, key: str) -> float:
    """Return a number of a geometry or response file.

    Raises
    ------
    BadConfiguration
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadConfiguration(f"'{key}' in the geometry must be a number, not {value!r}.")
    return float(value)
