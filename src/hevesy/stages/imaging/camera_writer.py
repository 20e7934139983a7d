"""Gamma camera objects (NM), out: projections, and planar views, as a camera would have stored them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, NuclearMedicineImageStorage

from hevesy import __version__
from hevesy.core import Administration, EnergyWindow, Patient, PlanarView, Projections, Timing
from hevesy.errors import EmptyInput, GridMismatch, MissingInformation, UnsupportedObject
from hevesy.stages.imaging.derived import MANUFACTURER, decimal, decimals, derived_uid

#: angles this close, degrees, are one
SAME_ANGLE_DEG = 1e-3
LARGEST_COUNT = 65535
#: PS3.16 CID 26
VIEWS = {"anterior": ("272460009", "SCT", "Anterior"), "posterior": ("272461008", "SCT", "Posterior")}
SUPINE = ("102538003", "SCT", "recumbent")
SUPINE_MODIFIER = ("40199007", "SCT", "supine")
HEAD_FIRST = ("102540008", "SCT", "headfirst")


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """What the objects of one visit to the camera share.

    Parameters
    ----------
    patient : Patient
        Who was seen.
    administration : Administration
        What was given.
    description : str
        Of the series.
    frame_of_reference : str
        UID of the patient's coordinates, which a CT of the same session shares.
    study : str
        Name that the study's UID follows from; objects of one study share it.
    """

    patient: Patient
    administration: Administration
    description: str
    frame_of_reference: str
    study: str = "study"

    @property
    def study_uid(self) -> str:
        """UID of the study, from patient and study alone, so that other objects can be filed with it."""
        return derived_uid("study", self.patient.identifier, self.study)


def tomographic(windows: Sequence[Projections], session: Session) -> Dataset:
    """Return one TOMO object that holds the projections of every energy window.

    Parameters
    ----------
    windows : sequence of Projections
        Of one acquisition: the same views in each, every detector's at even steps, with radii, durations and timing;
        placed in the patient where their placement says so.
    session : Session
        Who, what, and where.

    Raises
    ------
    EmptyInput
        If there is no window.
    GridMismatch
        If windows differ in views.
    MissingInformation
        If time or radii are not stated.
    UnsupportedObject
        If steps are uneven, or a count is no whole number of 16 bits.
    """
    if not windows:
        raise EmptyInput("A tomographic object needs at least one energy window.")
    first = windows[0]
    for other in windows:
        if other.counts.shape != first.counts.shape or not np.array_equal(other.angles_deg, first.angles_deg):
            raise GridMismatch("The energy windows of one acquisition must have the same views.")
    if first.timing is None or first.durations_s is None or first.radii_mm is None:
        raise MissingInformation("Projections are stored with their timing, durations and radii.")
    made = _object("TOMO", np.concatenate([p.counts for p in windows]), first.pixel_mm, first.timing, session)
    detectors = np.ones(len(first.angles_deg), np.int64) if first.detectors is None else first.detectors
    numbers = np.unique(detectors)
    per_head = len(detectors) // len(numbers)
    head_views = [np.flatnonzero(detectors == number) for number in numbers]
    step = _even_step(first.angles_deg, head_views)
    made.RotationInformationSequence = [_rotation(first, head_views[0], step)]
    made.NumberOfRotations = 1
    made.DetectorInformationSequence = [_tomographic_head(first, chosen) for chosen in head_views]
    made.NumberOfDetectors = len(numbers)
    _count_windows(made, [p.window for p in windows])
    view = np.empty(len(detectors), np.int64)
    for chosen in head_views:
        view[chosen] = np.arange(per_head) + 1
    made.EnergyWindowVector = np.repeat(np.arange(len(windows)) + 1, len(detectors)).tolist()
    made.DetectorVector = np.tile(np.searchsorted(numbers, detectors) + 1, len(windows)).tolist()
    made.RotationVector = [1] * (len(detectors) * len(windows))
    made.AngularViewVector = np.tile(view, len(windows)).tolist()
    made.FrameIncrementPointer = [Tag(k) for k in (0x00540010, 0x00540020, 0x00540050, 0x00540090)]
    made.TypeOfDetectorMotion = "STEP AND SHOOT"
    return made


def planar(views: Sequence[PlanarView], session: Session, whole_body: bool = False) -> Dataset:
    """Return one STATIC or WHOLE BODY object of views taken together, a frame each.

    Parameters
    ----------
    views : sequence of PlanarView
        Of one acquisition: one for each detector and energy window.
    session : Session
        Who, what, and where.
    whole_body : bool
        Whether the detectors passed along the body.

    Raises
    ------
    EmptyInput
        If there is no view.
    GridMismatch
        If views differ in size.
    MissingInformation
        If time is not stated.
    UnsupportedObject
        If a count is no whole number of 16 bits.
    """
    if not views:
        raise EmptyInput("A planar object needs at least one view.")
    first = views[0]
    if first.timing is None:
        raise MissingInformation("Planar views are stored with their timing.")
    if any(v.counts.shape != first.counts.shape or v.pixel_mm != first.pixel_mm for v in views):
        raise GridMismatch("The views of one acquisition must have the same pixels.")
    kind = "WHOLE BODY" if whole_body else "STATIC"
    made = _object(kind, np.stack([v.counts for v in views]), first.pixel_mm, first.timing, session)
    windows = list(dict.fromkeys(v.window for v in views))
    numbers = sorted({v.detector for v in views})
    names = {v.detector: v.view for v in views}
    made.DetectorInformationSequence = [_planar_head(names[number]) for number in numbers]
    made.NumberOfDetectors = len(numbers)
    _count_windows(made, windows)
    made.EnergyWindowVector = [windows.index(v.window) + 1 for v in views]
    made.DetectorVector = [numbers.index(v.detector) + 1 for v in views]
    made.FrameIncrementPointer = [Tag(0x00540010), Tag(0x00540020)]
    made.ActualFrameDuration = round(first.timing.duration_s * 1000)
    if whole_body:
        length_mm = first.counts.shape[0] * first.pixel_mm[0]
        made.WholeBodyTechnique, made.ScanLength = "1PS", round(length_mm)
        made.ScanVelocity = decimal(length_mm / first.timing.duration_s) if first.timing.duration_s else None
    return made


def _object(
    kind: str, frames: NDArray[np.generic], pixel_mm: tuple[float, float], timing: Timing, session: Session
) -> Dataset:
    stored = np.asarray(frames)
    if stored.min() < 0 or stored.max() > LARGEST_COUNT or (stored != np.round(stored)).any():
        raise UnsupportedObject(
            f"Counts are stored as whole numbers from 0 to {LARGEST_COUNT}.", "Count for less long."
        )
    made = Dataset()
    _identify(made, kind, stored.astype("<u2").tobytes(), timing.start, session)
    _describe_patient(made, session)
    made.FrameOfReferenceUID, made.PositionReferenceIndicator = session.frame_of_reference, ""
    made.ImageType = ["ORIGINAL", "PRIMARY", kind, "EMISSION"]
    made.NumberOfFrames, made.Rows, made.Columns = stored.shape
    made.PixelSpacing = [decimal(size) for size in pixel_mm]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 0
    made.CountsAccumulated = int(stored.sum(dtype=np.int64))
    made.AcquisitionTerminationCondition = "TIME"
    made.PixelData = stored.astype("<u2").tobytes()
    made["PixelData"].VR = "OW"
    return made


def _identify(made: Dataset, kind: str, content: bytes, start: datetime, session: Session) -> None:
    key = (session.study_uid, session.description, kind, start.isoformat(), content)
    made.SOPClassUID = NuclearMedicineImageStorage
    made.SOPInstanceUID = derived_uid("instance", *key)
    made.StudyInstanceUID, made.SeriesInstanceUID = session.study_uid, derived_uid("series", *key)
    made.Modality, made.SeriesNumber, made.InstanceNumber = "NM", 1, 1
    made.SeriesDescription, made.StudyDescription = session.description, session.study
    made.Manufacturer, made.ManufacturerModelName = MANUFACTURER, "simulated camera"
    made.SoftwareVersions = __version__
    day, time = start.strftime("%Y%m%d"), start.strftime("%H%M%S.%f")
    made.StudyDate = made.SeriesDate = made.AcquisitionDate = made.ContentDate = day
    made.StudyTime = made.SeriesTime = made.AcquisitionTime = made.ContentTime = time
    made.StudyID, made.AccessionNumber, made.ReferringPhysicianName = "1", "", ""
    made.Laterality, made.PatientOrientation = "", ""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID


def _describe_patient(made: Dataset, session: Session) -> None:
    patient, given = session.patient, session.administration
    made.PatientName = made.PatientID = patient.identifier
    made.PatientBirthDate = patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""
    made.PatientSex = patient.sex or ""
    made.PatientWeight = decimal(patient.mass_kg) if patient.mass_kg else None
    made.PatientSize = decimal(patient.height_m) if patient.height_m else None
    lying = _code(SUPINE)
    lying.PatientOrientationModifierCodeSequence = [_code(SUPINE_MODIFIER)]
    made.PatientOrientationCodeSequence = [lying]
    made.PatientGantryRelationshipCodeSequence = [_code(HEAD_FIRST)]
    element, _, number = given.nuclide.partition("-")
    drug = Dataset()
    drug.RadionuclideCodeSequence = [_code((given.nuclide, "99HEVESY", f"^{number}^{element}"))]
    drug.Radiopharmaceutical = given.radiopharmaceutical
    drug.RadiopharmaceuticalStartDateTime = given.time.strftime("%Y%m%d%H%M%S")
    drug.RadiopharmaceuticalStartTime = given.time.strftime("%H%M%S")
    if given.activity is not None:
        drug.RadionuclideTotalDose = decimal(given.activity.value * 1e-6)  # MBq in gamma camera objects
    made.RadiopharmaceuticalInformationSequence = [drug]


def _code(code: tuple[str, str, str]) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def _count_windows(made: Dataset, windows: Sequence[EnergyWindow]) -> None:
    made.EnergyWindowInformationSequence = [_window(window) for window in windows]
    made.NumberOfEnergyWindows = len(windows)


def _window(window: EnergyWindow) -> Dataset:
    item = Dataset()
    item.EnergyWindowName = window.name
    item.EnergyWindowRangeSequence = []
    for lower, upper in window.ranges_keV:
        limits = Dataset()
        limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = decimal(lower), decimal(upper)
        item.EnergyWindowRangeSequence.append(limits)
    return item


def _even_step(angles_deg: NDArray[np.float64], heads: Sequence[NDArray[np.int64]]) -> float:
    """Return the step from view to view, degrees, positive where angles rise; refuse uneven steps."""
    steps = np.concatenate([(np.diff(angles_deg[chosen]) + 180) % 360 - 180 for chosen in heads])
    if len({len(chosen) for chosen in heads}) > 1 or (steps.size and np.ptp(steps) > SAME_ANGLE_DEG):
        raise UnsupportedObject("Views at uneven steps, or shared unequally among heads, cannot be stored as TOMO.")
    return float(steps.mean()) if steps.size else 360.0


def _rotation(projections: Projections, views: NDArray[np.int64], step: float) -> Dataset:
    assert projections.durations_s is not None
    item = Dataset()
    item.StartAngle = decimal(float(projections.angles_deg[views[0]]))
    item.AngularStep = decimal(abs(step))
    item.ScanArc = decimal(abs(step) * len(views))
    item.RotationDirection = "CC" if step > 0 else "CW"
    item.ActualFrameDuration = round(float(projections.durations_s[0]) * 1000)
    item.NumberOfFramesInRotation = len(views)
    return item


def _tomographic_head(projections: Projections, views: NDArray[np.int64]) -> Dataset:
    assert projections.radii_mm is not None
    item = Dataset()
    radii = projections.radii_mm[views]
    item.CollimatorType = "PARA"
    item.StartAngle = decimal(float(projections.angles_deg[views[0]]))
    item.RadialPosition = decimals(radii[:1] if np.ptp(radii) == 0 else radii)
    item.ImagePositionPatient = item.ImageOrientationPatient = None
    placement = projections.placement
    if placement.axis_mm is not None:
        angle = np.deg2rad(projections.angles_deg[views[0]])
        across = np.array([-np.cos(angle), np.sin(angle), 0.0])
        half = (projections.counts.shape[2] - 1) / 2 * projections.pixel_mm[1]
        corner = np.array(placement.axis_mm) + radii[0] * np.array([np.sin(angle), np.cos(angle), 0.0]) - half * across
        item.ImagePositionPatient = decimals(corner)
        item.ImageOrientationPatient = decimals(np.append(across, [0.0, 0.0, -1.0 if placement.rows_to_feet else 1.0]))
    return item


def _planar_head(view: str) -> Dataset:
    item = Dataset()
    item.CollimatorType = "PARA"
    item.ImagePositionPatient = item.ImageOrientationPatient = None  # a planar view does not say where it lay
    if view in VIEWS:
        item.ViewCodeSequence = [_code(VIEWS[view])]
    return item
