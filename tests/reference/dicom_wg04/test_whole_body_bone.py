"""A real whole-body bone scan (GE Millennium, Tc-99m; DICOM WG-04's compressed samples, in pydicom-data, MIT).

The file holds one view. What a test needs beyond it (an opposite view, scatter windows, later scans) is made of its
real counts: a random part of a Poisson number is a Poisson number, and independent of the rest.
"""

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from hevesy.core import Administration, EnergyWindow, Measured
from hevesy.data.nuclides import nuclide
from hevesy.errors import MissingInformation
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.quantification.conjugate_pair import ConjugatePair
from hevesy.stages.quantification.energy_windows import WindowChoice, WindowRequest, without_scatter
from hevesy.stages.quantification.planar_dead_time import DeadTime, Sweep, line_gains
from hevesy.stages.registration.planar import move_view, register_views
from hevesy.workflows.conjugate_scans import ConjugateScan, conjugate_scan, views_of
from hevesy.workflows.whole_body import whole_body, whole_body_fit

FILES = Path(__file__).parents[3].parent / "shared/reference/nm"
LOSSLESS = FILES / "wg04_wholebody_bone_jpeglossless.dcm"
pytestmark = pytest.mark.skipif(not LOSSLESS.is_file(), reason="the reference images are not on this machine")

TC99M = nuclide("Tc-99m")
#: rows and columns of the pelvis, where bladder and bone are hot
PELVIS = (slice(440, 540), slice(80, 180))


@pytest.fixture(scope="module")
def view():
    (series,) = read_folder(LOSSLESS).series
    (found,) = views_of(series)
    return replace(found, view="anterior")


def thinned(view, part, seed):
    """Two independent views: each count goes to the first with a chance of `part`."""
    first = np.random.default_rng(seed).binomial(view.counts.astype(np.int64), part)
    return replace(view, counts=first), replace(view, counts=view.counts - first)


def halves(view, seed=1):
    front, back = thinned(view, 0.6, seed)
    return ConjugatePair(front, replace(back, view="posterior"))


def test_every_count_that_the_camera_states_is_read(view):
    # Counts Accumulated (0018,0070) of the header; the lossy copies hold 2% less, and say that they are lossy
    assert view.counts.sum() == 3_596_452
    assert view.timing.duration_s == pytest.approx(1210.434)
    assert view.pixel_mm == (2.26, 2.26)
    (lossy,) = views_of(read_folder(FILES / "wg04_wholebody_bone_j2k.dcm").series[0])
    assert lossy.counts.sum() < 0.99 * 3_596_452
    assert any("lossy" in note for note in lossy.provenance.notes)


def test_one_view_without_a_name_is_refused_in_one_line():
    (series,) = read_folder(LOSSLESS).series
    with pytest.raises(MissingInformation, match="There is no anterior view") as refused:
        conjugate_scan(series, WindowRequest(TC99M))
    assert "\n" not in str(refused.value)


def test_the_geometric_mean_of_two_parts_of_the_counts_is_that_of_their_shares(view):
    pair = halves(view)
    mask = np.zeros(view.counts.shape, bool)
    mask[PELVIS] = True
    front, back = pair.rates(mask)
    expected = math.sqrt(0.6 * 0.4) * view.counts[mask].sum() / view.timing.duration_s
    assert ((front * back) ** 0.5).value == pytest.approx(expected, rel=5e-3)  # counting: 0.15% a side
    assert (front + back).value == pytest.approx(view.counts[mask].sum(dtype=float) / view.timing.duration_s, rel=1e-12)


def test_the_stated_uncertainty_of_a_region_is_that_of_its_real_counts(view):
    first, second = thinned(view, 0.5, seed=3)
    pair = ConjugatePair(first, second)
    scores = []
    for row in range(100, 900, 20):
        for column in range(60, 200, 20):
            mask = np.zeros(view.counts.shape, bool)
            mask[row : row + 20, column : column + 20] = True
            one, other = pair.rates(mask)
            if one.value * view.timing.duration_s > 50:
                scores.append((one.value - other.value) / math.hypot(one.u, other.u))
    assert len(scores) > 100
    # as many regions know a standard deviation to about 5%
    assert np.std(scores) == pytest.approx(1.0, abs=4 * 0.5 / math.sqrt(len(scores) / 2))
    assert np.mean(scores) == pytest.approx(0.0, abs=4 / math.sqrt(len(scores)))


def test_two_scans_of_the_patient_are_laid_on_each_other(view):
    fixed, other = thinned(view, 0.5, seed=5)
    moving = replace(other, counts=np.roll(other.counts, (9, -6), axis=(0, 1)))
    motion = register_views(fixed, moving)
    assert motion.shift_mm == pytest.approx((9 * 2.26, -6 * 2.26), abs=1.0)
    assert abs(motion.rotation_deg) < 0.1
    back = move_view(moving, motion)
    assert back.counts[PELVIS].sum() == pytest.approx(other.counts[PELVIS].sum(), rel=0.01)


def test_scatter_windows_made_of_its_counts_are_taken_off_again(view):
    peak, below, above = (EnergyWindow((limits,)) for limits in ((126.0, 154.0), (119.0, 126.0), (154.0, 161.0)))
    primary, scatter = thinned(view, 0.7, seed=7)
    # what scatters: as much under the peak as the two windows of half its width together
    sides = thinned(replace(view, counts=np.random.default_rng(8).poisson(scatter.counts / 2)), 0.8, seed=9)
    seen = replace(view, window=peak)
    net = without_scatter(seen, [replace(sides[0], window=below), replace(sides[1], window=above)])
    mask = np.zeros(view.counts.shape, bool)
    mask[PELVIS] = True
    found, _ = ConjugatePair(net, net).rates(mask)
    expected = primary.counts[mask].sum() / view.timing.duration_s
    assert abs(found.value - expected) < 3 * found.u
    assert found.u > ConjugatePair(seen, seen).rates(mask)[0].u


def test_later_scans_of_the_patient_give_the_half_life_that_they_were_made_with(view):
    half_life_s, start = 3.0 * 3600, view.timing.start
    scans = []
    for number, hours in enumerate((0.0, 2.0, 4.0, 8.0)):
        left, _ = thinned(view, 2 ** (-hours * 3600 / half_life_s), seed=20 + number)
        timing = replace(view.timing, start=start + timedelta(hours=hours))
        pair = halves(replace(left, timing=timing), seed=30 + number)
        scans.append(ConjugateScan(f"scan {number}", pair, WindowChoice(view.window), 0.0))
    given = Administration("Tc-99m", start - timedelta(minutes=5), Measured(740e6, 7.4e6, "Bq", "activity meter"))
    fit = whole_body_fit(whole_body(scans, given, TC99M.decay_constant), TC99M.decay_constant)
    assert fit.effective_half_life.value == pytest.approx(half_life_s, rel=0.003)  # half a million counts at the end
    assert fit.tia.components["fit"] / fit.tia.value < 0.005


def test_what_a_busy_camera_would_miss_of_this_sweep(view):
    lines = view.counts.sum(axis=1, dtype=np.float64)
    lost = DeadTime(Measured(5e-6, 5e-7, "s"), "paralysable")
    # the header's own speed; the field of this camera is some 40 cm
    gains, _ = line_gains(lines, lost, view.timing.duration_s, Sweep(1.671598, 400.0), 2.26)
    # 3.6 million counts in 20 min are 3,000 a second, of which 1.5% are missed, and a little more over the trunk
    assert (gains * lines).sum() / lines.sum() - 1 == pytest.approx(0.02, abs=0.012)
    assert gains.max() > gains.min() > 1.0
