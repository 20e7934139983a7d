"""Everything that a dose computation leaves behind, written into one folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hevesy.stages.imaging import nifti, rtdose, segmentation_writer
from hevesy.stages.reporting.html import write_html
from hevesy.stages.reporting.results_json import write_json
from hevesy.stages.reporting.tables import write_csv
from hevesy.workflows.therapy import Outcome


def publish(outcome: Outcome, folder: Path, progress: Callable[[str], None] = lambda step: None) -> None:
    """Write results.json, regions.csv, dose.nii.gz, tia.nii.gz, rtdose.dcm, seg.dcm and report.html.

    The DICOM objects need the reference scan's headers and frame of reference; where it has none, they are left out.

    Parameters
    ----------
    outcome : Outcome
        The result and the series of its reference scan.
    folder : Path
        An empty folder.
    progress : callable, optional
        Told each step as it starts.
    """
    result = outcome.result
    created = datetime.now(UTC).replace(microsecond=0)
    progress("writing results")
    write_json(result, created, folder / "results.json")
    write_csv(result, folder / "regions.csv")
    nifti.write(result.dose, folder / "dose.nii.gz")
    nifti.write(result.tia, folder / "tia.nii.gz")
    headers = outcome.headers
    if headers:
        rtdose.write(result.dose, headers, folder / "rtdose.dcm", created)
        if result.regions:
            segmentation_writer.write([r.region for r in result.regions], headers, folder / "seg.dcm", created)
    progress("drawing the report")
    write_html(result, created, folder / "report.html")
