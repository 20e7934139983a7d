from datetime import datetime

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from hevesy.core import Grid

FRAME = "1.2.826.0.1.3680043.8.498.9"


@pytest.fixture
def made_at():
    return datetime(2026, 1, 2, 3, 4, 5)


@pytest.fixture
def oblique():
    """Return a right-handed grid turned about two axes, in the frame of the source headers."""
    a, b = 0.3, -0.2
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag((2.0, 2.5, 10 / 3))
    affine[:3, 3] = -249.0233333333, -410.0123456789, 1156.93
    return Grid((12, 11, 9), affine, FRAME)


@pytest.fixture
def headers(oblique):
    """Return the headers of the PET slices that lie on the oblique grid."""
    made = []
    for k in range(oblique.shape[2]):
        d = Dataset()
        d.SOPClassUID = PositronEmissionTomographyImageStorage
        d.SOPInstanceUID = f"1.2.826.0.1.3680043.8.498.1.{k + 1}"
        d.SeriesInstanceUID, d.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.2", "1.2.826.0.1.3680043.8.498.3"
        d.FrameOfReferenceUID, d.PositionReferenceIndicator = FRAME, ""
        d.PatientName, d.PatientID, d.PatientBirthDate, d.PatientSex = "Phantom^Oblique", "P1", "", "O"
        d.StudyDate, d.StudyTime, d.StudyID, d.AccessionNumber = "20260101", "101500", "1", ""
        d.ReferringPhysicianName = ""
        d.Modality, d.SeriesNumber, d.InstanceNumber = "PT", 1, k + 1
        d.Rows, d.Columns = oblique.shape[1], oblique.shape[0]
        d.PixelSpacing, d.SliceThickness = [2.5, 2.0], "3.333333"
        d.ImageOrientationPatient = [round(float(x), 8) for x in (oblique.affine[:3, :2] / [2.0, 2.5]).T.ravel()]
        d.ImagePositionPatient = [round(float(x), 6) for x in oblique.to_mm((0, 0, k))]
        made.append(d)
    return made
