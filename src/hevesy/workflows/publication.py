"""Everything that a dose computation leaves behind, written into one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hevesy.core import Measured
from hevesy.stages.imaging import dose_report, nifti, rtdose, rtstruct, segmentation_writer
from hevesy.stages.imaging.dose_report import DoseReport, Estimate, ReportedRegion
from hevesy.stages.reporting.html import render
from hevesy.stages.reporting.pdf import render_pdf
from hevesy.stages.reporting.results import CaseResult, RegionResult
from hevesy.stages.reporting.results_json import write_json
from hevesy.stages.reporting.tables import write_csv
from hevesy.stages.reporting.whole_file import write_bytes, write_text
from hevesy.stages.segmentation.contour import outline
from hevesy.workflows.real_world_values import write_real_world_values
from hevesy.workflows.therapy import Outcome


def publish(
    outcome: Outcome,
    folder: Path,
    progress: Callable[[str], None] = lambda step: None,
    created: datetime | None = None,
) -> None:
    """Write results.json, regions.csv, dose.nii.gz, tia.nii.gz, report.html, report.pdf, and the DICOM objects.

    Beside each NIfTI file lies its sidecar (.json). Among the DICOM objects is what the stored values of the scans are
    (rwvm.dcm). The same outcome gives the same bytes: no clock is read.

    Parameters
    ----------
    outcome : Outcome
        The result and the series of its reference scan.
    folder : Path
        An empty folder.
    progress : callable, optional
        Told each step as it starts.
    created : datetime, optional
        The date that everything bears. Without it reports bear none, and DICOM objects, which must bear one, that of
        the end of the last scan.
    """
    result = outcome.result
    progress("writing results")
    write_json(result, created, folder / "results.json")
    write_csv(result, folder / "regions.csv")
    for name, image in (("dose", result.dose), ("tia", result.tia)):
        nifti.write(image, folder / f"{name}.nii.gz", nuclide=result.nuclide.name)
    dated = created or last_scan_end(result)
    write_dicom(result, outcome.headers, folder, dated)
    write_real_world_values(result, outcome.scans, folder / "rwvm.dcm", dated)
    progress("drawing the report")
    page = render(result, created)
    write_text(folder / "report.html", page)
    write_bytes(folder / "report.pdf", render_pdf(page, dated))


def write_dicom(result: CaseResult, headers: Sequence[Any], folder: Path, created: datetime) -> tuple[Path, ...]:
    """Write the dose as RTDOSE, its regions as SEG and RTSTRUCT, and the dose table as a structured report.

    Parameters
    ----------
    result : CaseResult
    headers : sequence of Dataset
        Of the reference scan, which must name its frame of reference. Without any nothing is written, and without
        regions the RTDOSE alone.
    folder : Path
        Where rtdose.dcm, seg.dcm, rtstruct.dcm and dose_report.dcm go.
    created : datetime
        The date that they bear.

    Returns
    -------
    tuple of Path
        The files.
    """
    if not headers:
        return ()
    files = [folder / "rtdose.dcm"]
    rtdose.write(result.dose, headers, files[0], created)
    if result.regions:
        regions = [found.region for found in result.regions]
        files += [folder / name for name in ("seg.dcm", "rtstruct.dcm", "dose_report.dcm")]
        segments = segmentation_writer.write(regions, headers, files[1], created)
        rtstruct.write([outline(region) for region in regions], headers, files[2], created)
        dose_report.write(dose_table(result), headers, files[3], created, segments)
    return tuple(files)


def last_scan_end(result: CaseResult) -> datetime:
    """Return when the last scan of a case ended."""
    ends_s = [point.mid_s + point.duration_s / 2 for point in result.time_points]
    end = result.administration.time + timedelta(seconds=max(ends_s))
    return end.replace(microsecond=0)


def dose_table(
    result: CaseResult, cycle: int | None = None, cumulative: Mapping[str, Estimate] | None = None
) -> DoseReport:
    """Return the dose table of a case as DICOM reports it.

    Parameters
    ----------
    result : CaseResult
    cycle : int, optional
        Which cycle of a treatment it was.
    cumulative : mapping of str to Estimate, optional
        Region to the mean absorbed dose of all cycles so far, Gy.
    """
    given = result.administration.activity
    return DoseReport(
        nuclide=result.nuclide.name,
        radiopharmaceutical=result.administration.radiopharmaceutical,
        half_life_s=result.nuclide.half_life.value,
        given_at=result.administration.time,
        given_MBq=_estimate(given, 1e-6) if given else None,
        engine=result.engine.name,
        method=" ".join((result.engine.method, *result.engine.limits)),
        regions=tuple(_reported(found, (cumulative or {}).get(found.name)) for found in result.regions),
        cycle=cycle,
    )


def _reported(found: RegionResult, cumulative: Estimate | None) -> ReportedRegion:
    return ReportedRegion(
        name=found.name,
        role=found.region.role,
        volume_mL=_estimate(found.volume),
        mass_g=_estimate(found.mass, 1e3),
        tia_MBq_h=_estimate(found.tia, 1 / 3.6e9, found.tia_interval95),
        dose_Gy=_estimate(found.dose, 1.0, found.dose_interval95) if found.dose else None,
        cumulative_Gy=cumulative,
    )


def _estimate(measured: Measured, factor: float = 1.0, interval95: tuple[float, float] | None = None) -> Estimate:
    interval = (interval95[0] * factor, interval95[1] * factor) if interval95 else None
    return Estimate(measured.value * factor, measured.u * factor, interval)
