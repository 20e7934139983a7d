"""Gamma camera objects made for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from factories import dicom


def window(lower: float, upper: float, name: str = "") -> Dataset:
    """An item of the Energy Window Information Sequence."""
    limits = dicom.item(EnergyWindowLowerLimit=dicom.ds(lower), EnergyWindowUpperLimit=dicom.ds(upper))
    return dicom.item(EnergyWindowRangeSequence=[limits], EnergyWindowName=name)


def detector(**tags: Any) -> Dataset:
    """An item of the Detector Information Sequence, at a place in the patient; None removes a tag."""
    facts = {"ImagePositionPatient": [-50, -60, 200], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    facts.update(tags)
    return dicom.item(**{k: v for k, v in facts.items() if v is not None})


def camera(stored: NDArray[Any], kind: str, **tags: Any) -> Dataset:
    """A gamma camera object of frames (frames, rows, columns) of 4 mm pixels and of Image Type value 3 `kind`."""
    facts: dict[str, Any] = {
        "ImageType": ["ORIGINAL", "PRIMARY", kind, "EMISSION"],
        "PixelSpacing": [4, 5],
        "NumberOfFrames": len(stored),
        "EnergyWindowInformationSequence": [window(126, 154, "Tc-99m")],
        "DetectorInformationSequence": [detector()],
    }
    facts.update(tags)
    return dicom.base(dicom.NM, "NM", stored, **facts)


def reconstruction(stored: NDArray[Any], spacing: float = 3.0, **tags: Any) -> Dataset:
    """A reconstruction whose slices are stored in order of Slice Vector."""
    facts: dict[str, Any] = {
        "SliceVector": list(range(1, len(stored) + 1)),
        "SpacingBetweenSlices": dicom.ds(spacing),
        "SliceThickness": dicom.ds(abs(spacing)),
        "ActualFrameDuration": 900000,
    }
    facts.update(tags)
    return camera(stored, "RECON TOMO", **facts)


def acquisition(views: int, detectors: int = 1, windows: int = 1, **tags: Any) -> tuple[Dataset, NDArray[Any]]:
    """A tomographic acquisition over 360 degrees, in order of window, detector and view; and its counts."""
    frames = views * detectors * windows
    stored = np.arange(frames * 3 * 4).reshape(frames, 3, 4).astype(np.uint16)
    w, d, v = np.meshgrid(*(np.arange(1, n + 1) for n in (windows, detectors, views)), indexing="ij")
    step = 360 / detectors / views
    rotation = dicom.item(
        StartAngle=dicom.ds(180),
        AngularStep=dicom.ds(step),
        ScanArc=dicom.ds(360 / detectors),
        RotationDirection="CW",
        ActualFrameDuration=20000,
        NumberOfFramesInRotation=views,
    )
    heads = [
        detector(StartAngle=dicom.ds((180 + 180 * k) % 360), RadialPosition=[dicom.ds(250 + k)])
        for k in range(detectors)
    ]
    facts: dict[str, Any] = {
        "EnergyWindowVector": w.ravel().tolist(),
        "DetectorVector": d.ravel().tolist(),
        "RotationVector": [1] * frames,
        "AngularViewVector": v.ravel().tolist(),
        "RotationInformationSequence": [rotation],
        "DetectorInformationSequence": heads,
        "EnergyWindowInformationSequence": [window(187, 229, "208"), window(166, 187, "lower")][:windows],
    }
    facts.update(tags)
    return camera(stored, "TOMO", **facts), stored
