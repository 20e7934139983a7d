"""results.json: everything that was found, in a documented and versioned form."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hevesy import __version__
from hevesy.core import Measured
from hevesy.core.dose_volume import DoseMetrics, DoseVolumeHistogram
from hevesy.errors import BadInput, UnreadableFile
from hevesy.stages.reporting.results import (
    Alignment,
    CaseResult,
    Comparison,
    CurveModel,
    PatientBody,
    RegionResult,
    TimePoint,
)
from hevesy.stages.reporting.whole_file import write_text

SCHEMA_NAME = "hevesy/results/1.0"

#: figures kept of every number: beyond any uncertainty, and short of the bits that summing in another order moves
SIGNIFICANT_DIGITS = 9
HISTOGRAM_POINTS = 201
CURVE_POINTS = 121

_HOUR_S = 3600.0
_MEGA = 1e6
_MEGA_HOUR = _MEGA * _HOUR_S


def to_json(result: CaseResult, created: datetime | None) -> dict[str, Any]:
    """Return what ``results.json`` holds.

    Units stand in the names. Two calls on one result differ in ``provenance.created`` alone, where that differs.

    Parameters
    ----------
    result : CaseResult
        What the case came to.
    created : datetime or None
        When the result was made, where that is stated.

    Returns
    -------
    dict
        Plain JSON types, as ``schema/results-1.0.json`` describes them.

    Raises
    ------
    BadInput
        If a number is not finite, or a setting is of a kind that JSON has no form for.
    """
    administered = result.administration.activity
    record = {
        "schema": SCHEMA_NAME,
        "patient": _patient(result),
        "nuclide": result.nuclide.name,
        "physical_half_life_h": _measured(result.nuclide.half_life, _HOUR_S),
        "nuclide_data": result.nuclide.source,
        "radiopharmaceutical": result.administration.radiopharmaceutical,
        "administered_at": result.administration.time.isoformat(),
        "administered_activity_MBq": administered.value / _MEGA if administered else None,
        "administered_activity_u_MBq": administered.u / _MEGA if administered else None,
        "engine": result.engine.name,
        "method": result.engine.method,
        "limits": list(result.engine.limits),
        "time_points": [_time_point(point) for point in result.time_points],
        "whole_body": _region(result.whole_body, administered),
        "patient_body": _patient_body(result.patient_body, administered) if result.patient_body else None,
        "regions": [_region(region, administered) for region in result.regions],
        "comparisons": [_comparison(result, other) for other in result.comparisons],
        "warnings": list(result.warnings),
        "provenance": _provenance(result, created),
    }
    plain: dict[str, Any] = _plain(record, "results")
    return plain


def write_json(result: CaseResult, created: datetime | None, path: Path) -> dict[str, Any]:
    """Write ``results.json``, checked against its schema, and return what was written.

    Raises
    ------
    BadInput
        If a number is not finite.
    OutputFailed
        If the file cannot be written; nothing is left behind.
    """
    record = to_json(result, created)
    require_schema(record)
    write_text(path, dumps(record))
    return record


def dumps(record: Mapping[str, Any]) -> str:
    """Return indented JSON in which a list of numbers stays on one line."""
    return _lines(record, "") + "\n"


def require_schema(record: Mapping[str, Any]) -> None:
    """Refuse what is not as the schema of ``results.json`` says.

    Raises
    ------
    UnreadableFile
        If a value is missing, or is not of its kind.
    """
    fault = next(iter(_validator().iter_errors(record)), None)
    if fault is not None:
        raise UnreadableFile(f"results.json is not as its schema says at {fault.json_path}.", "Compute the dose again.")


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``results.json``."""
    source = files("hevesy.stages.reporting").joinpath("schema/results-1.0.json")
    schema: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return schema


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator  # 0.1 s to import, and `import hevesy` must not pay for it

    return Draft202012Validator(results_schema())


def _patient(result: CaseResult) -> dict[str, Any]:
    patient = result.patient
    born = patient.birth_date.isoformat() if patient.birth_date else None
    return {
        "identifier": patient.identifier,
        "sex": patient.sex,
        "birth_date": born,
        "mass_kg": patient.mass_kg,
        "height_m": patient.height_m,
    }


def _time_point(point: TimePoint) -> dict[str, Any]:
    return {
        "label": point.label,
        "series_uid": point.series_uid,
        "t_h": point.mid_s / _HOUR_S,
        "duration_s": point.duration_s,
        "alignment": _alignment(point.alignment),
    }


def _alignment(alignment: Alignment | None) -> dict[str, Any] | None:
    if alignment is None:
        return None
    deformed = {} if alignment.deformation_mm is None else {"deformation_mm": alignment.deformation_mm}
    return deformed | {
        "translation_mm": list(alignment.translation_mm),
        "rotation_deg": list(alignment.rotation_deg),
        "agreement_before": alignment.agreement_before,
        "agreement_after": alignment.agreement_after,
    }


def _region(found: RegionResult, administered: Measured | None) -> dict[str, Any]:
    per_activity = found.dose / administered if administered and found.dose else None
    return {
        "name": found.region.name,
        "role": found.region.role.value,
        "volume_mL": found.volume.value,
        "volume_u_mL": found.volume.u,
        "mass_g": found.mass.value * 1e3,
        "mass_u_g": found.mass.u * 1e3,
        "recovery_coefficient": _measured(found.region.recovery),
        **_kinetics(found, administered),
        "absorbed_dose_Gy": _dose(found),
        "absorbed_dose_per_activity_Gy_GBq": _measured(per_activity, 1e-9) if per_activity else None,
        "dose_volume_histogram": _histogram(found.histogram) if found.histogram else None,
    }


def _kinetics(found: RegionResult | PatientBody, administered: Measured | None) -> dict[str, Any]:
    coefficient = found.tia / administered if administered else None
    left_out = found.left_out if isinstance(found, RegionResult) else {}
    return {
        "activity_MBq": [
            {
                "t_h": time / _HOUR_S,
                **_measured(activity, _MEGA),
                **({"left_out": left_out[n]} if n in left_out else {}),
            }
            for n, (time, activity) in enumerate(zip(found.times_s, found.activity, strict=True))
        ],
        "fit": _fit(found.model),
        "tia_MBq_h": {
            **_measured(found.tia, _MEGA_HOUR),
            "interval95": [bound / _MEGA_HOUR for bound in found.tia_interval95],
            "tail_fraction": found.model.tail_fraction,
            "components": _percent(found.tia),
        },
        "tia_coefficient_h": _measured(coefficient, _HOUR_S) if coefficient else None,
    }


def _patient_body(found: PatientBody, administered: Measured | None) -> dict[str, Any]:
    dose, interval = found.dose, found.dose_interval95
    return {
        "source": found.source,
        "mass_kg": _measured(found.mass) if found.mass else None,
        **_kinetics(found, administered),
        "absorbed_dose_Gy": {
            **_measured(dose),
            "interval95": list(interval) if interval else None,
            "components": _percent(dose),
        }
        if dose
        else None,
        "notes": list(found.notes),
    }


def _fit(model: CurveModel) -> dict[str, Any]:
    kept = _thinned(model.times_s.size, CURVE_POINTS)
    half_life = model.effective_half_life
    return {
        "model": model.model,
        "parameters": {name: {**_measured(p), "unit": p.unit} for name, p in model.parameters.items()},
        "effective_half_life_h": _measured(half_life, _HOUR_S) if half_life else None,
        "notes": list(model.notes),
        "curve": {
            "t_h": _compact(model.times_s[kept] / _HOUR_S),
            "activity_MBq": _compact(model.activity_Bq[kept] / _MEGA),
            "lower95_MBq": _compact(model.lower_Bq[kept] / _MEGA),
            "upper95_MBq": _compact(model.upper_Bq[kept] / _MEGA),
        },
    }


def _dose(found: RegionResult) -> dict[str, Any] | None:
    if found.dose is None:
        return None
    return {
        **_measured(found.dose),
        "interval95": list(found.dose_interval95) if found.dose_interval95 else None,
        **_metrics(found.metrics),
        "components": _percent(found.dose),
    }


def _metrics(metrics: DoseMetrics | None) -> dict[str, Any]:
    """Return each metric and its standard uncertainty; null where there is none."""
    names = {"min": "minimum", "d98": "d98", "d50": "d50", "d2": "d2", "max": "maximum"}
    found = {key: getattr(metrics, name) if metrics else None for key, name in names.items()}
    values = {key: one.value if one else None for key, one in found.items()}
    return values | {f"u_{key}": one.u if one else None for key, one in found.items()}


def _comparison(result: CaseResult, other: Comparison) -> dict[str, Any]:
    regions = [
        {"name": found.region.name, **_measured(mean), **_metrics(metrics)}
        for found, mean, metrics in zip(result.regions, other.means, other.metrics, strict=True)
    ]
    return {"engine": other.engine.name, "method": other.engine.method, "absorbed_dose_Gy": regions}


def _histogram(histogram: DoseVolumeHistogram) -> dict[str, Any]:
    kept = _thinned(histogram.dose_Gy.size, HISTOGRAM_POINTS)
    return {
        "dose_Gy": _compact(histogram.dose_Gy[kept]),
        "volume_fraction": _compact(histogram.volume_fraction[kept]),
    }


def _provenance(result: CaseResult, created: datetime | None) -> dict[str, Any]:
    return {
        "created": created.isoformat() if created else None,
        "hevesy": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "inputs": list(result.inputs),
        "settings": result.settings,
        "notes": notes(result),
    }


def notes(result: CaseResult) -> list[str]:
    """Return what the images' provenance has to say, each note once, in order of the scans."""
    images = [point.activity for point in result.time_points] + [result.tia, result.density, result.dose]
    return list(dict.fromkeys(note for image in images for note in image.provenance.notes))


def _measured(measured: Measured, divisor: float = 1.0) -> dict[str, float]:
    return {"value": measured.value / divisor, "u": measured.u / divisor}


def _percent(measured: Measured) -> dict[str, float]:
    scale = 100 / abs(measured.value) if measured.value else 0.0
    return {label or "not named": scale * u for label, u in measured.components.items()}


def _thinned(size: int, most: int) -> Any:
    """Return the indices of at most `most` of `size` points, first and last included."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


def _compact(values: ArrayLike) -> list[float]:
    return [float(f"{value:.6g}") for value in np.asarray(values, np.float64)]


def _plain(value: Any, where: str) -> Any:
    """Return a value in JSON's own types, its numbers rounded to `SIGNIFICANT_DIGITS`."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [_plain(item, where) for item in items]
    if isinstance(value, (float, np.floating)):
        return _number(float(value), where)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Measured):
        return _plain({**_measured(value), "unit": value.unit}, where)
    if isinstance(value, PurePath):
        return value.as_posix()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise BadInput(f"{where} is a {type(value).__name__}, which results.json has no form for.")


def _number(value: float, where: str) -> float:
    if not np.isfinite(value):
        raise BadInput(f"{where} is {value}; results.json holds finite numbers alone.")
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0  # the sum turns -0.0 into 0.0


def _lines(value: Any, margin: str) -> str:
    inner = margin + "  "
    if isinstance(value, Mapping) and value:
        rows = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_lines(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{margin}}}"
    if isinstance(value, list) and any(isinstance(item, (Mapping, list, str)) for item in value):
        return "[\n" + ",\n".join(inner + _lines(item, inner) for item in value) + f"\n{margin}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
