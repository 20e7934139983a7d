"""report.html: one file that holds everything, for a screen, a phone or paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from hevesy.core import Measured, Role
from hevesy.stages.reporting import charts, rounding
from hevesy.stages.reporting.pictures import DosePlanes, Pictures
from hevesy.stages.reporting.results import CaseResult, PatientBody, RegionResult
from hevesy.stages.reporting.results_json import to_json

#: regions drawn with dose planes; lesions come first, and the page stays small
MOST_REGIONS_WITH_PLANES = 16

REFERENCES = (
    "Bolch WE, Eckerman KF, Sgouros G, Thomas SR. MIRD Pamphlet No. 21: a generalized schema for radiopharmaceutical"
    " dosimetry: standardization of nomenclature. J Nucl Med 2009; 50: 477–484.",
    "Gear JI, Cox MG, Gustafsson J, et al. EANM practical guidance on uncertainty analysis for molecular radiotherapy"
    " absorbed dose calculations. Eur J Nucl Med Mol Imaging 2018; 45: 2456–2474.",
    "ICRP. Nuclear decay data for dosimetric calculations. ICRP Publication 107. Ann ICRP 2008; 38(3).",
    "ICRU. Dosimetry-guided radiopharmaceutical therapy. ICRU Report 96. J ICRU 2021; 21(1).",
    "JCGM. Evaluation of measurement data: guide to the expression of uncertainty in measurement. JCGM 100:2008.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One region as the page shows it: its number on the projections, what was found, and its drawings.

    `shared_percent` is the standard uncertainty that scales the whole curve.
    """

    number: int
    found: RegionResult | PatientBody
    curve: Markup
    shared_percent: float
    budget: tuple[tuple[str, float | None, float | None, Markup], ...]
    histogram: Markup | None = None
    planes: DosePlanes | None = None
    scale: Markup | None = None
    bar: Markup | None = None


def render(result: CaseResult, created: datetime | None) -> str:
    """Return the page.

    Every text that came from outside is escaped. The page loads nothing: pictures are within it.

    Parameters
    ----------
    result : CaseResult
        What the case came to.
    created : datetime or None
        When the result was made, where that is stated; shown, and nothing else.
    """
    pictures = Pictures(result)
    template = _environment().get_template("report.html.jinja")
    return template.render(
        result=result,
        sections=_sections(result, pictures),
        whole_body=_section(0, result.whole_body, pictures, _upper(result.whole_body), False),
        planar_s=_planar_s(result),
        patient_body=_drawn(0, result.patient_body) if result.patient_body else None,
        pictures=pictures,
        warnings=grouped(result.warnings, [r.region.name for r in (*result.regions, result.whole_body)]),
        style=Markup(_resource("report.css")),  # our own file, not what came from outside
        age_years=_age_years(result),
        record=to_json(result, created),
        created=created,
        settings=list(flattened(result.settings)),
        references=REFERENCES,
    )


def half_life_text(found: RegionResult | PatientBody) -> str:
    """Return the effective half-life in words: with its uncertainty, or why there is none."""
    half_life = found.model.effective_half_life
    if half_life is not None:
        return f"{rounding.with_uncertainty(half_life, 3600)} h"
    rises = len(found.activity) > 1 and found.activity[-1].value >= found.activity[-2].value
    return "not determined: activity still rising" if rises else "not determined"


def grouped(warnings: Sequence[str], names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Put warnings that begin with a region's name and a colon under that name; those on the whole case come first."""
    groups: dict[str, list[str]] = {"": [], **{name: [] for name in names}}
    for warning in warnings:
        about = max((name for name in names if warning.startswith(f"{name}: ")), key=len, default="")
        groups[about].append(warning.removeprefix(f"{about}: ") if about else warning)
    return [(name, found) for name, found in groups.items() if found]


def flattened(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting with the dotted path to it."""
    for key, value in settings.items():
        where = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{where}.")
        elif isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
            yield from flattened({f"{where}[{n}]": item for n, item in enumerate(value)})
        else:
            yield where, _setting_text(value)


def _setting_text(value: Any) -> str:
    if value is None or value == {} or value == [] or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(_setting_text(item) for item in value)
    return str(value)


def _planar_s(result: CaseResult) -> list[float]:
    """Return when the planar views were taken that gave curves their shape, s after administration."""
    shapes = [found.model.shape_points for found in result.regions]
    return sorted({float(mid) for shape in shapes if shape is not None for mid in shape.mid_s})


def _sections(result: CaseResult, pictures: Pictures) -> list[Section]:
    numbered = list(enumerate(result.regions, start=1))
    first = sorted(numbered, key=lambda pair: pair[1].region.role is not Role.LESION)
    drawn = {number for number, found in first[:MOST_REGIONS_WITH_PLANES] if found.dose is not None}
    most = max((_upper(found) for found in result.regions), default=1.0)
    return [_section(number, found, pictures, most, number in drawn) for number, found in numbered]


def _section(number: int, found: RegionResult, pictures: Pictures, most_Gy: float, with_planes: bool) -> Section:
    planes = pictures.dose_planes(found) if with_planes else None
    bar = None
    if found.dose is not None and found.dose_interval95 is not None:
        bar = charts.interval_bar(found.dose, found.dose_interval95, most_Gy)
    return replace(
        _drawn(number, found),
        histogram=charts.dose_volume_chart(found, found.histogram) if found.histogram else None,
        planes=planes,
        scale=pictures.dose_bar(planes, number) if planes else None,
        bar=bar,
    )


def _drawn(number: int, found: RegionResult | PatientBody) -> Section:
    """Return the curve and the budget of uncertainty alone."""
    return Section(
        number=number,
        found=found,
        curve=charts.time_activity_chart(found),
        shared_percent=100 * charts.own_and_shared(found.activity)[1],
        budget=_budget(found),
    )


def _upper(found: RegionResult) -> float:
    return max(
        found.dose_interval95[1] if found.dose_interval95 else 0.0, found.dose.value if found.dose else 0.0, 1e-9
    )


def _budget(found: RegionResult | PatientBody) -> tuple[tuple[str, float | None, float | None, Markup], ...]:
    """Return each cause with its share (%) in the TIA and in the dose, largest first, and its bar."""
    tia = _percent(found.tia)
    dose = _percent(found.dose) if found.dose is not None else tia
    most = max([*tia.values(), *dose.values()], default=0.0)
    causes = sorted(tia.keys() | dose.keys(), key=lambda cause: (-dose.get(cause, 0.0), -tia.get(cause, 0.0), cause))
    return tuple((c, tia.get(c), dose.get(c), charts.share_bar(dose.get(c, tia.get(c, 0.0)), most)) for c in causes)


def _percent(measured: Measured) -> dict[str, float]:
    if not measured.value:
        return {}
    return {label: 100 * u / abs(measured.value) for label, u in measured.components.items()}


def _age_years(result: CaseResult) -> int | None:
    born, given = result.patient.birth_date, result.administration.time
    if born is None:
        return None
    return given.year - born.year - ((given.month, given.day) < (born.month, born.day))


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "measured": rounding.with_uncertainty,
        "precise": lambda measured, divisor: rounding.with_uncertainty(measured, divisor, digits=5),
        "interval": rounding.interval,
        "plain": rounding.plain,
        "alike": rounding.alike,
        "half_life": half_life_text,
        "scientific": rounding.scientific,
        "hours": lambda seconds: f"{seconds / 3600:.1f}",
    }
    return environment


def _resource(name: str) -> str:
    return files("hevesy.stages.reporting").joinpath("templates", name).read_text(encoding="utf-8")
