from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest

from factories import camera, dicom
from hevesy.core import Administration, Measured
from hevesy.errors import BadInput, MissingInformation
from hevesy.stages.kinetics import fit_curve
from hevesy.workflows.whole_body import whole_body

HOUR = 3600.0
DECAY = Measured(math.log(2) / (6.647 * 24 * HOUR), 0.0, "1/s")
INJECTED = datetime(2024, 3, 5, 9)
GIVEN = Administration("Lu-177", INJECTED, Measured(7.4e9, 1.48e8, "Bq", "activity meter"))
#: washout from the body after the first scan
RATE = DECAY.value + math.log(2) / (30 * HOUR)


def view(name):
    code = dicom.item(CodeValue="x", CodingSchemeDesignator="99TEST", CodeMeaning=name)
    return camera.detector(ViewCodeSequence=[code])


def whole_body_scan(number, when, activity, views=("Posterior", "Anterior")):
    """Two views of a body of 100 × 40 pixels: 4e-6 of the activity in front, 1e-6 behind."""
    counts = {"Anterior": 4e-6, "Posterior": 1e-6}
    stored = np.stack([np.full((100, 40), round(activity * counts[v] / 4), np.uint16) for v in views])
    made = camera.camera(
        stored,
        "WHOLE BODY",
        DetectorVector=list(range(1, len(views) + 1)),
        DetectorInformationSequence=[view(v) for v in views],
        ActualFrameDuration=600000,
        AcquisitionDate=when.strftime("%Y%m%d"),
        AcquisitionTime=when.strftime("%H%M%S"),
    )
    made.SeriesInstanceUID = f"1.2.826.0.1.3680043.8.498.5.{number}"
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.6.{number}"
    return made


def activity(seconds):
    first = 7.4e9 * math.exp(-DECAY.value * HOUR)
    return first * math.exp(-RATE * (seconds - HOUR))


@pytest.fixture
def folder(tmp_path):
    made = []
    for number, hours in enumerate((48, 1, 24, 120)):  # not in order of time
        when = datetime.fromtimestamp(INJECTED.timestamp() + hours * HOUR)
        made.append(whole_body_scan(number, when, activity(hours * HOUR)))
    return dicom.write(tmp_path / "wb", made)


def test_the_curve_is_the_share_of_the_first_scan_times_what_was_given(folder):
    curve, scale = whole_body(folder, GIVEN, DECAY)
    assert curve.starts_s / HOUR == pytest.approx([1, 24, 48, 120])
    # the first is what is left of the administered activity half-way through the scan; pixels are whole numbers
    assert curve.activity_Bq[0] == pytest.approx(7.4e9 * math.exp(-DECAY.value * (HOUR + 300)), rel=1e-9)
    expected = [activity(t * HOUR) / activity(HOUR) for t in (1, 24, 48, 120)]
    # a pixel of the last posterior view holds 70 whole counts: up to 0.7% of it, half of that of the mean
    assert curve.activity_Bq / curve.activity_Bq[0] == pytest.approx(expected, rel=4e-3)
    assert scale.components["activity meter"] == pytest.approx(0.02)
    assert fit_curve(curve, DECAY, "mono").effective_half_life.value == pytest.approx(math.log(2) / RATE, rel=4e-3)


def test_counting_is_the_uncertainty_of_each_point(folder):
    curve, _ = whole_body(folder, GIVEN, DECAY)
    front = round(activity(120 * HOUR) * 4e-6 / 4) * 4000
    back = round(activity(120 * HOUR) * 1e-6 / 4) * 4000
    assert curve.u_Bq[-1] / curve.activity_Bq[-1] == pytest.approx(0.5 * math.hypot(front**-0.5, back**-0.5), rel=1e-6)


def test_one_view_is_no_pair(tmp_path):
    made = [whole_body_scan(1, INJECTED, 7e9, views=("Anterior",))]
    with pytest.raises(MissingInformation, match="no posterior view"):
        whole_body(dicom.write(tmp_path / "one", made), GIVEN, DECAY)


def test_an_unknown_administered_activity_is_asked_for(folder):
    with pytest.raises(MissingInformation, match="calibrated by the administered activity"):
        whole_body(folder, Administration("Lu-177", INJECTED), DECAY)


def test_a_folder_without_whole_body_scans_is_refused(tmp_path):
    folder = dicom.write(tmp_path / "spect", [camera.reconstruction(np.ones((5, 3, 4), np.uint16))])
    with pytest.raises(BadInput, match="no whole-body scan"):
        whole_body(folder, GIVEN, DECAY)
