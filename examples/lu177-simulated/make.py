"""Scan the simulated patient at four times, reconstruct, compute doses, and compare with the truth.

    python examples/lu177-simulated/make.py OUT

Every step is a command that a person can give; this script prints each before it runs it.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import yaml
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

import patient
from hevesy.cli import main as hevesy
from hevesy.core import Grid, Image, Quantity, Region, Role
from hevesy.data.nuclides import nuclide
from hevesy.physics.attenuation_map import attenuation_from_hounsfield
from hevesy.physics.hounsfield import density_from_hounsfield
from hevesy.stages.dosimetry.local import CHARGED
from hevesy.stages.imaging.derived import decimals, derived_uid, save
from hevesy.stages.imaging.segmentation_writer import write as write_segmentation

NAME, FRAME = "SIMULATED-LU177", derived_uid("frame", "SIMULATED-LU177")
GIVEN = datetime(2024, 3, 4, 9, 0)
ADMINISTERED_MBQ = 7400
#: both heads count, so that their sensitivities add up
FACTOR = patient.SENSITIVITY * patient.HEADS
STUDY = derived_uid("study", NAME, "study")


def main(out: Path) -> None:
    """Make everything in a folder, which is replaced."""
    shutil.rmtree(out, ignore_errors=True)
    case = out / "case"
    (case / "ct").mkdir(parents=True)
    phantom = patient.phantom()
    grid = _grid(phantom)
    headers = write_ct(phantom, grid, case / "ct")
    regions = [
        Region.from_mask(organ.name, grid, phantom.mask(number), Role(organ.role))
        for number, organ in enumerate(patient.ORGANS[:-1])
    ]
    write_segmentation(regions, headers, case / "regions.dcm", GIVEN)
    for number, hours in enumerate(patient.TIMES_H, start=1):
        scan(phantom, grid, out, number, hours)
        shutil.copy(out / f"spect{number}" / "spect.dcm", case / f"spect{number}.dcm")
    (case / "case.yaml").write_text(yaml.safe_dump(settings(out), sort_keys=False), encoding="utf-8")
    run("dose", case, "--out", out / "dose")
    compare(phantom, grid, out)


def run(*words: object) -> None:
    """Show a command and run it."""
    given = [str(word) for word in words]
    print(f"$ hevesy {shlex.join(given)}", flush=True)
    if status := hevesy(given):
        sys.exit(status)


def scan(phantom: patient.Phantom, grid: Grid, out: Path, number: int, hours: float) -> None:
    """Simulate one scan and reconstruct it."""
    ct = Image(phantom.hu, grid, Quantity.HOUNSFIELD)
    np.savez_compressed(
        out / "phantom.npz",
        activity=phantom.activity(hours).astype(np.float32),
        mu=attenuation_from_hounsfield(ct, patient.PHOTON_KEV).values * 10,
        voxel_mm=[patient.PIXEL_MM, patient.SLICE_MM],
    )
    start = GIVEN + timedelta(hours=hours)
    timing = ("--seconds-per-view", patient.SECONDS_PER_VIEW, "--heads", patient.HEADS)
    given = ("--administered", GIVEN.isoformat(), "--activity-mbq", ADMINISTERED_MBQ, "--drug", "Lu-177 DOTATATE")
    who = ("--patient", NAME, "--frame", FRAME, "--nuclide", "Lu-177", "--start", start.isoformat())
    camera = ("--camera", patient.HERE / "camera.json", "--sensitivity", patient.SENSITIVITY, "--seed", number)
    run("simulate", out / "phantom.npz", *camera, *timing, *who, *given, "--out", out / f"scan{number}")
    (out / "phantom.npz").unlink()
    how = ("--collimator", "Siemens Symbia ME", "--scatter", "mc", "--iterations", 5, "--subsets", 10)
    what = ("--ct", out / "case" / "ct", "--regions", out / "case" / "regions.dcm", "--calibration", FACTOR)
    run("reconstruct", out / f"scan{number}", *what, *how, "--out", out / f"spect{number}")


def settings(out: Path) -> dict[str, object]:
    """Return case.yaml: roles, each scan's recovery coefficients, and what the inputs are known to."""
    import pydicom

    regions: dict[str, dict[str, object]] = {}
    scans = []
    for number in range(1, len(patient.TIMES_H) + 1):
        head = pydicom.dcmread(out / f"spect{number}" / "spect.dcm", stop_before_pixels=True)
        scans.append({"series": str(head.SeriesInstanceUID), "label": f"{patient.TIMES_H[number - 1]:g} h"})
        found = yaml.safe_load((out / f"spect{number}" / "recovery.yaml").read_text(encoding="utf-8"))
        for name, one in found["regions"].items():
            own = regions.setdefault(name, {"recovery": [], "recovery_u_percent": 0.0})
            own["recovery"].append(one["recovery"])  # type: ignore[attr-defined]
            own["recovery_u_percent"] = max(float(str(own["recovery_u_percent"])), one["recovery_u_percent"])
    return {
        "schema": "hevesy-case-1.0",
        "scans": scans,
        "registration": "none",
        "body_in_view": "part",
        "calibration": {"u_percent": 1},  # the camera's factor is known
        "regions": regions,
        "uncertainty": {"counts_percent": 2, "density_percent": 1, "resolution_mm": 12, "delineation_mm": 1},
    }


def compare(phantom: patient.Phantom, grid: Grid, out: Path) -> None:
    """Print activity at 24 h and absorbed dose beside the truth, and write them as truth.json."""
    results = json.loads((out / "dose" / "results.json").read_text(encoding="utf-8"))
    rows = []
    for number, organ in enumerate(patient.ORGANS[:-1]):
        found = next(r for r in results["regions"] if r["name"] == organ.name)
        truth = true_dose_Gy(phantom, grid, number)
        dose, (low, high) = found["absorbed_dose_Gy"]["value"], found["absorbed_dose_Gy"]["interval95"]
        rows.append({"region": organ.name, "dose_Gy": dose, "low_Gy": low, "high_Gy": high, "true_Gy": truth})
        inside = "yes" if low <= truth <= high else "NO"
        off = f"{dose / truth - 1:+.1%}, inside: {inside}"
        print(f"{organ.name:14} {dose:7.2f} Gy ({low:.2f} to {high:.2f}), truth {truth:7.2f}: {off}")
    (out / "comparison.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (out / "comparison.svg").write_text(figure(rows), encoding="utf-8")


def figure(rows: list[dict[str, float | str]]) -> str:
    """Draw each dose and its 95% interval over the truth, as SVG."""
    lines = []

    def across(value: float) -> float:
        return 130 + (value - 0.6) * 400

    for tick in (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4):
        x, colour = across(tick), "#333" if tick == 1.0 else "#ddd"
        lines.append(f'<path d="M{x:.1f} 10V{30 + 28 * len(rows)}" stroke="{colour}"/>')
        lines.append(f'<text x="{x:.1f}" y="{46 + 28 * len(rows)}" text-anchor="middle">{tick:.1f}</text>')
    for place, row in enumerate(rows):
        y, truth = 32 + 28 * place, float(row["true_Gy"])
        low, middle, high = (across(float(row[key]) / truth) for key in ("low_Gy", "dose_Gy", "high_Gy"))
        lines.append(f'<text x="120" y="{y + 4}" text-anchor="end">{row["region"]}</text>')
        lines.append(f'<path d="M{low:.1f} {y}H{high:.1f}" stroke="#1b6ca8" stroke-width="3"/>')
        lines.append(f'<circle cx="{middle:.1f}" cy="{y}" r="5" fill="#1b6ca8"/>')
    lines.append(f'<text x="290" y="{68 + 28 * len(rows)}" text-anchor="middle">dose over truth, 95% interval</text>')
    size = f'width="480" height="{80 + 28 * len(rows)}" font-family="sans-serif" font-size="13"'
    white = '<rect width="100%" height="100%" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{white}{"".join(lines)}</svg>\n'


def true_dose_Gy(phantom: patient.Phantom, grid: Grid, number: int) -> float:
    """Return the true mean dose of an organ, by the energy of charged particles over its mass."""
    density = density_from_hounsfield(Image(phantom.hu, grid, Quantity.HOUNSFIELD)).values
    mask = phantom.mask(number)
    mass_kg = float(density[mask].sum()) * patient.VOXEL_ML * 1e-6
    return phantom.tia_Bq_s(number) * nuclide("Lu-177").energy_per_decay_J(*CHARGED) / mass_kg


def write_ct(phantom: patient.Phantom, grid: Grid, folder: Path) -> list[Dataset]:
    """Write the CT as DICOM slices; return their headers."""
    headers = []
    for k in range(phantom.hu.shape[2]):
        made = Dataset()
        made.SOPClassUID, made.Modality = CTImageStorage, "CT"
        made.SOPInstanceUID = derived_uid("ct", NAME, str(k))
        made.StudyInstanceUID, made.SeriesInstanceUID = STUDY, derived_uid("ct", NAME)
        made.FrameOfReferenceUID, made.PositionReferenceIndicator = FRAME, ""
        made.PatientName = made.PatientID = NAME
        made.PatientBirthDate = made.PatientSex = made.StudyID = made.AccessionNumber = made.ReferringPhysicianName = ""
        made.StudyDate = made.SeriesDate = made.AcquisitionDate = made.ContentDate = f"{GIVEN:%Y%m%d}"
        made.StudyTime = made.SeriesTime = made.AcquisitionTime = made.ContentTime = f"{GIVEN:%H%M%S}"
        made.ImageType, made.Laterality = ["ORIGINAL", "PRIMARY", "AXIAL"], ""
        made.SeriesDescription, made.SeriesNumber, made.InstanceNumber, made.AcquisitionNumber = "CT", 1, k + 1, 1
        made.Manufacturer, made.KVP, made.PatientPosition = "Hevesy", 120, "HFS"
        made.ImagePositionPatient = decimals(grid.to_mm((0, 0, k)))
        made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        made.PixelSpacing, made.SliceThickness = [patient.PIXEL_MM, patient.PIXEL_MM], patient.SLICE_MM
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.Columns, made.Rows = phantom.hu.shape[:2]
        made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 1
        made.RescaleSlope, made.RescaleIntercept, made.RescaleType = 1, 0, "HU"
        made.PixelData = np.ascontiguousarray(phantom.hu[..., k].T).astype("<i2").tobytes()
        made["PixelData"].VR = "OW"
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.file_meta.MediaStorageSOPClassUID = CTImageStorage
        made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
        save(made, folder / f"{k + 1:03}.dcm")
        headers.append(made)
    return headers


def _grid(phantom: patient.Phantom) -> Grid:
    """Place the phantom about the origin of patient coordinates."""
    affine = np.diag([patient.PIXEL_MM, patient.PIXEL_MM, -patient.SLICE_MM, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(phantom.hu.shape) - 1) / 2)
    return Grid(phantom.hu.shape, affine, FRAME)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/simulated"))
