"""The table of absorbed doses as a DICOM structured report, out and in.

An Enhanced SR after TID 1500 (Measurement Report): a measurement group (TID 1411) for each region, which names its
segment in the SEG. The administration stands in a container after TID 10022, that of the Radiopharmaceutical Radiation
Dose report (TID 10021); the rest of that template has no place for a lesion, a time-integrated activity or an
uncertainty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import EnhancedSRStorage

from hevesy import __version__
from hevesy.core import Role
from hevesy.errors import EmptyInput, UnsupportedObject
from hevesy.stages.imaging import header
from hevesy.stages.imaging import sr_content as sr
from hevesy.stages.imaging.administration import NUCLIDE_CODES
from hevesy.stages.imaging.damage import read_whole, refusing_damage
from hevesy.stages.imaging.derived import (
    DISCLAIMER,
    MANUFACTURER,
    derived_object,
    derived_uid,
    plain,
    referenced,
    save,
)
from hevesy.stages.imaging.segmentation_writer import PROPERTIES
from hevesy.stages.imaging.sr_content import PRIVATE_SCHEME, Code

REPORT: Code = ("126000", "DCM", "Imaging Measurement Report")
MEASUREMENTS: Code = ("126010", "DCM", "Imaging Measurements")
GROUP: Code = ("125007", "DCM", "Measurement Group")
REGION: Code = ("112039", "DCM", "Tracking Identifier")
FINDING: Code = ("121071", "DCM", "Finding")
DOSE: Code = ("128533", "DCM", "Mean Absorbed Radiation Dose")
VOLUME: Code = ("118565006", "SCT", "Volume")
MASS: Code = ("118538004", "SCT", "Mass")
TIA: Code = ("TIA", PRIVATE_SCHEME, "Time-integrated activity")
CUMULATIVE: Code = ("CUMULATIVE", PRIVATE_SCHEME, "Mean absorbed dose, sum of all cycles so far")
U: Code = ("371884006", "SCT", "+/-, range of measurement uncertainty")
LOWER: Code = ("LOWER95", PRIVATE_SCHEME, "Lower bound of the 95% interval")
UPPER: Code = ("UPPER95", PRIVATE_SCHEME, "Upper bound of the 95% interval")
ADMINISTRATION: Code = ("113502", "DCM", "Radiopharmaceutical Administration")
AGENT: Code = ("349358000", "SCT", "Radiopharmaceutical agent")
NUCLIDE: Code = ("89457008", "SCT", "Radionuclide")
HALF_LIFE: Code = ("304283002", "SCT", "Radionuclide Half Life")
GIVEN_AT: Code = ("123003", "DCM", "Radiopharmaceutical Start DateTime")
GIVEN: Code = ("113507", "DCM", "Administered activity")
ROUTE: Code = ("410675002", "SCT", "Route of administration")
CYCLE: Code = ("CYCLE", PRIVATE_SCHEME, "Number of the treatment cycle")
ALGORITHM: Code = ("111001", "DCM", "Algorithm Name")
VERSION: Code = ("111003", "DCM", "Algorithm Version")
METHOD: Code = ("METHOD", PRIVATE_SCHEME, "Method of dosimetry")
COMMENT: Code = ("121106", "DCM", "Comment")
UNKNOWN: Code = ("261665006", "SCT", "Unknown")
PROCEDURE: Code = ("440252007", "SCT", "Administration of radiopharmaceutical")

#: quantity of a region → (concept, unit in UCUM), in the order in which they are written
MEASURED: dict[str, tuple[Code, Code]] = {
    "volume_mL": (VOLUME, ("mL", "UCUM", "mL")),
    "mass_g": (MASS, ("g", "UCUM", "g")),
    "tia_MBq_h": (TIA, ("MBq.h", "UCUM", "MBq.h")),
    "dose_Gy": (DOSE, ("Gy", "UCUM", "Gy")),
    "cumulative_Gy": (CUMULATIVE, ("Gy", "UCUM", "Gy")),
}
MBQ: Code = ("MBq", "UCUM", "MBq")
SECOND: Code = ("s", "UCUM", "s")
NO_UNIT: Code = ("1", "UCUM", "no units")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its standard uncertainty, and its 95% interval if there is one, in the unit of the field's name."""

    value: float
    u: float
    interval95: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ReportedRegion:
    """What is reported of a region in one cycle; `cumulative_Gy` is the dose of all cycles so far, if it is known."""

    name: str
    role: Role
    volume_mL: Estimate
    mass_g: Estimate
    tia_MBq_h: Estimate
    dose_Gy: Estimate | None = None
    cumulative_Gy: Estimate | None = None


@dataclass(frozen=True, slots=True)
class DoseReport:
    """The dose table of one administration.

    Parameters
    ----------
    nuclide, radiopharmaceutical : str
        Such as ``"Lu-177"`` and ``"Lu-177 DOTATATE"``; the drug may be empty.
    half_life_s : float
        Physical half-life, s.
    given_at : datetime
        When it was administered.
    given_MBq : Estimate or None
        Administered activity, MBq; None where it is not known.
    engine, method : str
        The dose engine's name, and what it does, in sentences.
    regions : tuple of ReportedRegion
    cycle : int or None
        Which cycle of a treatment it was.
    version : str
        The version of the software that computed it.
    """

    nuclide: str
    radiopharmaceutical: str
    half_life_s: float
    given_at: datetime
    given_MBq: Estimate | None
    engine: str
    method: str
    regions: tuple[ReportedRegion, ...]
    cycle: int | None = None
    version: str = __version__


def write(
    report: DoseReport,
    sources: Sequence[Dataset],
    path: Path,
    created: datetime,
    segmentation: Dataset | None = None,
) -> Dataset:
    """Write the dose table as an Enhanced SR and return the object.

    Parameters
    ----------
    report : DoseReport
    sources : sequence of Dataset
        Headers of the reference images.
    path : Path
        File to write.
    created : datetime
        When the doses were computed.
    segmentation : Dataset, optional
        The SEG whose segments are the regions, in their order.

    Raises
    ------
    EmptyInput
        If there is no region or no source.
    MissingInformation
        If the sources name no study.
    """
    if not report.regions or not sources:
        raise EmptyInput("A dose report needs at least one region and one source image.")
    evidence = [*sources, *([segmentation] if segmentation is not None else [])]
    made = derived_object(sources[0], EnhancedSRStorage, "SR", _content(report, evidence), created)
    made.SeriesDescription = "Absorbed doses"
    made.ReferencedPerformedProcedureStepSequence = []
    made.CompletionFlag, made.VerificationFlag = "COMPLETE", "UNVERIFIED"
    made.PerformedProcedureCodeSequence = []
    made.CurrentRequestedProcedureEvidenceSequence = [_evidence(evidence)]
    made.CodingSchemeIdentificationSequence = [_private_scheme()]
    del made.OperatorsName
    root = sr.container(REPORT, *_root(report, sources, segmentation, made.SOPInstanceUID), template="1500")
    del root.RelationshipType
    made.update(root)
    save(made, path)
    return made


def _content(report: DoseReport, evidence: Sequence[Dataset]) -> bytes:
    return repr((report, [str(e.SOPInstanceUID) for e in evidence])).encode()


def _evidence(objects: Sequence[Dataset]) -> Dataset:
    study = Dataset()
    study.StudyInstanceUID = objects[0].StudyInstanceUID
    study.ReferencedSeriesSequence = []
    for uid in dict.fromkeys(str(one.SeriesInstanceUID) for one in objects):
        series = Dataset()
        series.SeriesInstanceUID = uid
        series.ReferencedSOPSequence = [referenced(one) for one in objects if str(one.SeriesInstanceUID) == uid]
        study.ReferencedSeriesSequence.append(series)
    return study


def _private_scheme() -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator, item.CodingSchemeName = PRIVATE_SCHEME, "Codes of Hevesy"
    item.CodingSchemeResponsibleOrganization = MANUFACTURER
    return item


def _root(report: DoseReport, sources: Sequence[Dataset], segmentation: Dataset | None, key: str) -> Iterator[Dataset]:
    observer = "HAS OBS CONTEXT"
    english: Code = ("en", "RFC5646", "English")
    yield sr.code(
        ("121049", "DCM", "Language of Content Item and Descendants"), english, relationship="HAS CONCEPT MOD"
    )
    yield sr.code(("121005", "DCM", "Observer Type"), ("121007", "DCM", "Device"), relationship=observer)
    yield sr.uid(("121012", "DCM", "Device Observer UID"), derived_uid(MANUFACTURER, report.version), observer)
    yield sr.text(("121013", "DCM", "Device Observer Name"), f"{MANUFACTURER} {report.version}", observer)
    yield sr.code(("121058", "DCM", "Procedure reported"), PROCEDURE, relationship="HAS CONCEPT MOD")
    library = sr.container(("126200", "DCM", "Image Library Group"), *(sr.image(source) for source in sources))
    yield sr.container(("111028", "DCM", "Image Library"), library, template="1600")
    groups = (
        _group(report, region, number, sources[0], segmentation, key)
        for number, region in enumerate(report.regions, start=1)
    )
    yield sr.container(MEASUREMENTS, *groups)
    yield _administration(report, key)
    yield sr.text(ALGORITHM, report.engine)
    yield sr.text(METHOD, report.method)
    yield sr.text(COMMENT, DISCLAIMER)


def _group(
    report: DoseReport, region: ReportedRegion, number: int, source: Dataset, segmentation: Dataset | None, key: str
) -> Dataset:
    observed = "HAS OBS CONTEXT"
    items = [
        sr.text(REGION, region.name, observed),
        sr.uid(("112040", "DCM", "Tracking Unique Identifier"), derived_uid("region", key, str(number)), observed),
        sr.code(FINDING, PROPERTIES[region.role][1]),
    ]
    if segmentation is not None:
        items.append(sr.image(segmentation, ("121191", "DCM", "Referenced Segment"), number))
        items.append(sr.uid(("121232", "DCM", "Source series for segmentation"), str(source.SeriesInstanceUID)))
    for field, (concept, unit) in MEASURED.items():
        estimate = getattr(region, field)
        if estimate is not None:
            by = _algorithm(report) if unit[0] == "Gy" else ()
            items.append(_estimate(concept, estimate, unit, *by))
    return sr.container(GROUP, *items, template="1411")


def _algorithm(report: DoseReport) -> tuple[Dataset, Dataset]:
    modifier = "HAS CONCEPT MOD"
    return sr.text(ALGORITHM, report.engine, modifier), sr.text(VERSION, f"{MANUFACTURER} {report.version}", modifier)


def _estimate(concept: Code, estimate: Estimate, unit: Code, *more: Dataset) -> Dataset:
    bounds = zip((LOWER, UPPER), estimate.interval95 or (), strict=False)
    parts = [(U, estimate.u), *bounds]
    properties = [sr.number(what, value, unit, relationship="HAS PROPERTIES") for what, value in parts]
    return sr.number(concept, estimate.value, unit, *more, *properties)


def _administration(report: DoseReport, key: str) -> Dataset:
    by_name = {name: value for value, name in NUCLIDE_CODES.items() if value.isdigit() and len(value) > 6}
    standard = by_name.get(report.nuclide)
    nuclide: Code = (standard or report.nuclide, "SCT" if standard else PRIVATE_SCHEME, report.nuclide)
    drug = plain(report.radiopharmaceutical)
    agent: Code = (derived_uid(drug)[-16:], PRIVATE_SCHEME, drug) if drug else UNKNOWN
    properties = (
        sr.code(NUCLIDE, nuclide, relationship="HAS PROPERTIES"),
        sr.number(HALF_LIFE, report.half_life_s, SECOND, relationship="HAS PROPERTIES"),
    )
    items = [
        sr.code(AGENT, agent, *properties),
        sr.uid(("113503", "DCM", "Radiopharmaceutical Administration Event UID"), derived_uid("event", key)),
        sr.instant(GIVEN_AT, report.given_at),
    ]
    if report.given_MBq is not None:
        items.append(_estimate(GIVEN, report.given_MBq, MBQ))
    items.append(sr.code(ROUTE, UNKNOWN))
    if report.cycle is not None:
        items.append(sr.number(CYCLE, report.cycle, NO_UNIT))
    return sr.container(ADMINISTRATION, *items, template="10022")


def read(source: Dataset | Path) -> DoseReport:
    """Read a dose table that `write` wrote.

    Raises
    ------
    UnreadableFile
        If the file is not DICOM, or a part of the report is missing.
    UnsupportedObject
        If the object is no structured report, or none of Hevesy's dose tables.
    """
    dataset = source if isinstance(source, Dataset) else read_whole(source)
    if dataset.get("SOPClassUID") != EnhancedSRStorage or sr.child(dataset, ADMINISTRATION) is None:
        raise UnsupportedObject("The object is not a structured report with a dose table of Hevesy.")
    with refusing_damage("The dose report"):
        return _read(dataset)


def _read(dataset: Dataset) -> DoseReport:
    given = next(sr.children(dataset, ADMINISTRATION))
    agent = next(sr.children(given, AGENT))
    cycle, activity = sr.child(given, CYCLE), sr.child(given, GIVEN)
    groups = list(sr.children(next(sr.children(dataset, MEASUREMENTS)), GROUP))
    instant = header.date_time(str(next(sr.children(given, GIVEN_AT)).DateTime), None)
    assert instant is not None
    drug = sr.meaning_of(agent)
    return DoseReport(
        nuclide=sr.meaning_of(next(sr.children(agent, NUCLIDE))),
        radiopharmaceutical="" if drug == UNKNOWN[2] else drug,
        half_life_s=sr.value_of(next(sr.children(agent, HALF_LIFE))),
        given_at=instant,
        given_MBq=_read_estimate(activity) if activity is not None else None,
        engine=sr.text_of(dataset, ALGORITHM),
        method=sr.text_of(dataset, METHOD),
        regions=tuple(_read_region(group) for group in groups),
        cycle=int(sr.value_of(cycle)) if cycle is not None else None,
        version=str(dataset.SoftwareVersions),
    )


def _read_region(group: Dataset) -> ReportedRegion:
    finding = next(sr.children(group, FINDING)).ConceptCodeSequence[0].CodeValue
    role = next(role for role, (_, kind) in PROPERTIES.items() if kind[0] == finding)
    found = {field: sr.child(group, concept) for field, (concept, _) in MEASURED.items()}
    estimates = {field: _read_estimate(item) for field, item in found.items() if item is not None}
    return ReportedRegion(sr.text_of(group, REGION), role, **estimates)


def _read_estimate(item: Dataset) -> Estimate:
    u, lower, upper = (sr.child(item, concept) for concept in (U, LOWER, UPPER))
    assert u is not None
    interval = (sr.value_of(lower), sr.value_of(upper)) if lower is not None and upper is not None else None
    return Estimate(sr.value_of(item), sr.value_of(u), interval)
