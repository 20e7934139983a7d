"""A patient with a known answer: Lu-177 in a body, an organ and a lesion, scanned as often as wanted."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from factories.dicom import base, ds, item, pet, radiopharmaceutical, write

INJECTED = datetime.fromisoformat("2024-03-05T09:00:00")
ADMINISTERED_BQ = 7.4e9
LU177_HALF_LIFE_S = 6.647 * 86400
PHYSICAL_RATE = np.log(2) / LU177_HALF_LIFE_S
SHAPE = (40, 40, 24)
VOXEL_MM = 6.0
ORIGIN_MM = (-117.0, -117.0, 100.0)
DURATION_S = 1200.0

#: half-open index boxes (column, row, slice), peak concentration at time 0 (Bq/mL) and effective half-life (s)
BODY = ((4, 36), (8, 32), (0, 24))
ORGAN = ((8, 16), (14, 24), (6, 16))
LESION = ((24, 29), (16, 21), (8, 13))
WASHOUT = {"body": (5e3, 40 * 3600.0), "organ": (4e5, 55 * 3600.0), "lesion": (9e5, 80 * 3600.0)}


def concentration(name: str, t_s: float) -> float:
    """Bq/mL present at a time after injection."""
    peak, half_life = WASHOUT[name]
    return float(peak * 2 ** (-t_s / half_life))


def voxels(box: tuple[tuple[int, int], ...]) -> int:
    return int(np.prod([b - a for a, b in box]))


def true_tia_Bq_s(name: str) -> float:
    """Closed form: concentration · volume / λ_eff; the lesion and the organ displace the body's background."""
    peak, half_life = WASHOUT[name]
    count = {"organ": voxels(ORGAN), "lesion": voxels(LESION)}[name]
    return peak * count * VOXEL_MM**3 * 1e-3 * half_life / np.log(2)


def scan(hours: float, number: int, rate_of_lesion: float | None = None, **tags: object) -> list[Dataset]:
    """One scan: mean over the frame, corrected to its start as the tags say."""
    start_s = hours * 3600.0
    values = np.zeros(SHAPE)
    for name, box in (("body", BODY), ("organ", ORGAN), ("lesion", LESION)):
        peak, half_life = WASHOUT[name]
        rate = np.log(2) / half_life
        if name == "lesion" and rate_of_lesion is not None:
            rate = rate_of_lesion
        mean = peak * np.exp(-rate * start_s) * -np.expm1(-rate * DURATION_S) / (rate * DURATION_S)
        to_start = PHYSICAL_RATE * DURATION_S / -np.expm1(-PHYSICAL_RATE * DURATION_S)
        values[tuple(slice(a, b) for a, b in box)] = mean * to_start
    slope = values.max() / 60000
    stored = np.rint(values / slope).astype(np.uint16).transpose(2, 1, 0)
    start = INJECTED + timedelta(seconds=start_s)
    facts: dict[str, object] = {
        "spacing_mm": (VOXEL_MM,) * 3,
        "origin_mm": ORIGIN_MM,
        "CollimatorType": "PARA",
        "SeriesDescription": f"Scan {number}",
        "SeriesInstanceUID": f"1.2.3.{number}0",
        "SeriesDate": f"{start:%Y%m%d}",
        "SeriesTime": f"{start:%H%M%S}",
        "AcquisitionDate": f"{start:%Y%m%d}",
        "AcquisitionTime": f"{start:%H%M%S}",
        "StudyDate": f"{INJECTED:%Y%m%d}",
        "StudyTime": f"{INJECTED:%H%M%S}",
        "ActualFrameDuration": int(DURATION_S * 1000),
        "RescaleSlope": ds(slope),
        "RadiopharmaceuticalInformationSequence": [
            radiopharmaceutical(
                Radiopharmaceutical="Lu-177 DOTATATE",
                RadiopharmaceuticalStartTime=f"{INJECTED:%H%M%S}",
                RadiopharmaceuticalStartDateTime=f"{INJECTED:%Y%m%d%H%M%S}",
                RadionuclideTotalDose=ds(ADMINISTERED_BQ),
                RadionuclideHalfLife=ds(LU177_HALF_LIFE_S),
                RadionuclideCodeSequence=[
                    item(CodeValue="C-137A2", CodingSchemeDesignator="99X", CodeMeaning="^177^Lutetium")
                ],
            )
        ],
    }
    facts.update(tags)
    return pet(stored, **facts)


def structures(images: list[Dataset], number: int, **boxes: tuple[tuple[int, int], ...]) -> Dataset:
    """An RTSTRUCT with a rectangle on each slice of each box."""
    made = base("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT", np.zeros((1, 1), np.uint16))
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(made, keyword)
    made.SeriesInstanceUID, made.StructureSetLabel = f"1.2.3.{number}1", f"drawn {number}"
    made.SeriesDescription = f"Structures {number}"
    frame = item(FrameOfReferenceUID=images[0].FrameOfReferenceUID)
    reference = item(SeriesInstanceUID=images[0].SeriesInstanceUID, ContourImageSequence=Sequence([]))
    study = item(ReferencedSOPInstanceUID="1.2.3.4", RTReferencedSeriesSequence=Sequence([reference]))
    frame.RTReferencedStudySequence = Sequence([study])
    made.ReferencedFrameOfReferenceSequence = Sequence([frame])
    names, contours, observed = [], [], []
    for index, (name, box) in enumerate(boxes.items(), start=1):
        names.append(item(ROINumber=index, ROIName=name, ReferencedFrameOfReferenceUID=frame.FrameOfReferenceUID))
        observed.append(item(ObservationNumber=index, ReferencedROINumber=index, RTROIInterpretedType="ORGAN"))
        contours.append(item(ReferencedROINumber=index, ContourSequence=Sequence(_rectangles(box))))
    made.StructureSetROISequence, made.ROIContourSequence = Sequence(names), Sequence(contours)
    made.RTROIObservationsSequence = Sequence(observed)
    return made


def _rectangles(box: tuple[tuple[int, int], ...]) -> list[Dataset]:
    (x0, x1), (y0, y1), (z0, z1) = box
    x, y = (
        np.array([a - 0.5, b - 0.5]) * VOXEL_MM + o for (a, b), o in zip(((x0, x1), (y0, y1)), ORIGIN_MM, strict=False)
    )
    found = []
    for k in range(z0, z1):
        z = ORIGIN_MM[2] + k * VOXEL_MM
        points = [(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)]
        found.append(
            item(
                ContourGeometricType="CLOSED_PLANAR",
                NumberOfContourPoints=4,
                ContourData=[ds(c) for point in points for c in point],
            )
        )
    return found


def write_case(
    folder: Path, hours: tuple[float, ...] = (4.0, 24.0, 96.0, 168.0), config: str = "", drawn: str = "each"
) -> Path:
    """Write a whole case: scans, structures on `each` scan, the `first` or `none`, and a case.yaml."""
    for number, time in enumerate(hours, start=1):
        images = scan(time, number)
        write(folder / f"scan{number}", images)
        if drawn == "each" or (drawn == "first" and number == 1):
            write(folder / f"scan{number}", [structures(images, number, organ=ORGAN, lesion=LESION)], "rs")
    settings = config or "registration: none\nregions: {lesion: {role: lesion}}\n"
    (folder / "case.yaml").write_text(settings, encoding="utf-8")
    return folder
