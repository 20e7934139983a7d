from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest

from factories import camera, dicom
from hevesy.core import Administration, Measured
from hevesy.data.nuclides import nuclide
from hevesy.errors import MissingInformation, NoWashout, UnphysicalCurve
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.kinetics import fit_curve
from hevesy.stages.quantification.energy_windows import WindowRequest
from hevesy.stages.quantification.first_reading import calibrated_by_first
from hevesy.workflows.conjugate_scans import conjugate_scans
from hevesy.workflows.whole_body import whole_body, whole_body_fit

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


def scans_in(folder):
    return conjugate_scans(read_folder(folder).of_kind(Kind.WHOLE_BODY), WindowRequest(nuclide("Tc-99m")))


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
    found = whole_body(scans_in(folder), GIVEN, DECAY)
    curve = found.curve
    assert curve.starts_s / HOUR == pytest.approx([1, 24, 48, 120])
    # the first is what is left of the administered activity half-way through the scan; pixels are whole numbers
    assert curve.activity_Bq[0] == pytest.approx(7.4e9 * math.exp(-DECAY.value * (HOUR + 300)), rel=1e-9)
    expected = [activity(t * HOUR) / activity(HOUR) for t in (1, 24, 48, 120)]
    # a pixel of the last posterior view holds 70 whole counts: up to 0.7% of it, half of that of the mean
    assert curve.activity_Bq / curve.activity_Bq[0] == pytest.approx(expected, rel=4e-3)
    assert found.present.u_relative == pytest.approx(0.02)
    assert fit_curve(curve, DECAY, "mono").effective_half_life.value == pytest.approx(math.log(2) / RATE, rel=4e-3)


def test_counting_is_the_uncertainty_of_each_point(folder):
    curve = whole_body(scans_in(folder), GIVEN, DECAY).curve
    front = round(activity(120 * HOUR) * 4e-6 / 4) * 4000
    back = round(activity(120 * HOUR) * 1e-6 / 4) * 4000
    assert curve.u_Bq[-1] / curve.activity_Bq[-1] == pytest.approx(0.5 * math.hypot(front**-0.5, back**-0.5), rel=1e-6)


def test_one_view_is_no_pair(tmp_path):
    made = [whole_body_scan(1, INJECTED, 7e9, views=("Anterior",))]
    with pytest.raises(MissingInformation, match="no posterior view"):
        scans_in(dicom.write(tmp_path / "one", made))


def test_an_unknown_administered_activity_is_asked_for(folder):
    with pytest.raises(MissingInformation, match="calibrated by the administered activity"):
        whole_body(scans_in(folder), Administration("Lu-177", INJECTED), DECAY)


def readings(counts, seconds=60.0, hours=(1, 24, 48, 120), given=GIVEN.activity):
    times = np.array(hours) * HOUR
    rates = [Measured(n / seconds, math.sqrt(n) / seconds, "1/s", "counts") for n in counts]
    return calibrated_by_first((times, times + seconds), rates, given, DECAY.value)


def test_the_stated_uncertainty_is_the_spread_of_counted_readings_and_of_the_activity_meter():
    """Brute force: the first reading counts in the fit and in the scale, and must be told once."""
    rng = np.random.default_rng(20)
    # three readings, and so one washout: to choose between models would add to the spread.
    # The first one says most of the scale: 900 counts, 3.3%
    hours, longer = np.array((1, 24, 72)), np.array((1, 4, 16))
    expected = 900 * np.exp(-RATE * (hours - 1) * HOUR) * longer
    seconds, times = 60.0 * longer, hours * HOUR
    found = []
    for _ in range(1500):
        counts = rng.poisson(expected)
        rates = [Measured(n / s, math.sqrt(n) / s, "1/s", "counts") for n, s in zip(counts, seconds, strict=True)]
        given = Measured(7.4e9 * (1 + 0.01 * rng.standard_normal()), 7.4e7, "Bq", "activity meter")
        known = calibrated_by_first((times, times), rates, given, DECAY.value)
        found.append(whole_body_fit(known, DECAY))
    tia = np.array([fit.tia.value for fit in found])
    true = activity(HOUR) * math.exp(RATE * HOUR) / RATE
    stated = math.sqrt(np.mean([fit.tia.u**2 for fit in found]))
    # 1500 draws know a spread to 1.8%; counting the first reading twice stated a quarter too much
    assert tia.std(ddof=1) == pytest.approx(stated, rel=0.06)
    assert tia.mean() == pytest.approx(true, rel=0.005)
    inside = np.mean([low < true < high for low, high in (fit.interval95 for fit in found)])
    assert 0.93 < inside < 0.97
    assert set(found[0].tia.components) >= {"activity meter"}


def test_the_fitted_curve_holds_at_the_first_reading_what_was_administered_less_decay():
    fit = whole_body_fit(readings((90000, 52000, 29000, 5100)), DECAY)
    at = HOUR + 30
    assert fit.activity(at) == pytest.approx(7.4e9 * math.exp(-DECAY.value * at), rel=1e-12)
    assert "what was administered" in fit.method


def test_a_body_that_gains_activity_is_refused():
    with pytest.raises(UnphysicalCurve):
        whole_body_fit(readings((5000, 9000, 8000, 7000)), DECAY)


def test_a_body_that_only_decays_slower_than_physics_allows_gives_no_washout():
    with pytest.raises((NoWashout, UnphysicalCurve)):
        whole_body_fit(readings((1000, 1060), hours=(1, 24)), DECAY)
