"""Conservation laws of the way from curves to dose: nothing is lost when activity becomes energy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hevesy.core import Curve, EmissionKind, Grid, Image, Quantity, Region, Role
from hevesy.data.nuclides import nuclide
from hevesy.errors import UnphysicalResult
from hevesy.stages.dosimetry.engines import Source
from hevesy.stages.dosimetry.local import CHARGED, local_deposition
from hevesy.stages.kinetics import fit_curve
from hevesy.stages.kinetics.distribution import Part, distribute, scan_weights_s

GRID = Grid.regular((12, 10, 8), (4.0, 4.0, 5.0))
seeds = st.integers(0, 10_000)


def box(name, slices, edge=1.0, role=Role.ORGAN):
    mask = np.zeros(GRID.shape)
    mask[slices] = 1.0
    first = tuple(slice(s.start, s.start + 1) if i == 0 else s for i, s in enumerate(slices))
    mask[first] = edge
    return Region.from_mask(name, GRID, mask, role)


def parts(rng):
    organ = box("organ", np.s_[2:9, 2:8, 1:7], rng.uniform(0.2, 1))
    lesion = box("lesion", np.s_[4:7, 3:6, 2:5], rng.uniform(0.2, 1), Role.LESION)
    body = Region("whole body", GRID, np.ones(GRID.shape), role=Role.BODY)
    activity = [Image(rng.gamma(2.0, 500.0, GRID.shape), GRID, Quantity.ACTIVITY_CONCENTRATION) for _ in range(3)]
    made = []
    for region in (organ, lesion, body):
        weights = rng.uniform(1e4, 2e5, 3)
        total = sum(w * region.integral(a) for w, a in zip(weights, activity, strict=True))
        made.append(Part(region, weights, total * rng.uniform(0.98, 1.02)))
    return activity, made


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_voxels_sum_to_the_time_integrated_activity_of_every_region(seed):
    activity, made = parts(np.random.default_rng(seed))
    try:
        image = distribute(activity, made[:-1], made[-1])
    except UnphysicalResult:
        return  # regions that cannot all be right are refused, not bent
    for part in made:
        # values are stored as float32: 1e-6 of each voxel, less in the sum
        assert part.region.integral(image) == pytest.approx(part.tia_Bq_s, rel=1e-5)


def test_a_lesion_with_more_than_its_organ_is_refused():
    activity, made = parts(np.random.default_rng(0))
    organ, lesion, body = made
    with pytest.raises(UnphysicalResult, match="negative"):
        distribute(activity, [Part(organ.region, organ.weights_s, lesion.tia_Bq_s / 3), lesion], body)


@pytest.mark.parametrize("name", ["Lu-177", "Y-90", "I-131", "Tb-161", "F-18"])
def test_local_dose_energy_is_activity_times_charged_energy_per_decay(name):
    rng = np.random.default_rng(7)
    tia = Image(rng.gamma(2.0, 1e9, GRID.shape), GRID, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    density = Image(rng.uniform(300, 1900, GRID.shape), GRID, Quantity.DENSITY)
    found = nuclide(name)
    dose = local_deposition(Source(tia, density, ((found, 1.0),))).dose
    energy_J = np.sum(dose.values * density.values * GRID.voxel_volume_mL * 1e-6, dtype=np.float64)
    decays = np.sum(tia.values, dtype=np.float64) * GRID.voxel_volume_mL
    assert energy_J == pytest.approx(decays * found.energy_per_decay_J(*CHARGED), rel=1e-6)  # float32 dose
    assert not any(kind.is_photon for kind in CHARGED)
    assert set(CHARGED) >= {kind for kind in EmissionKind if kind.is_electron}


def test_voxels_without_mass_get_no_dose():
    tia = Image(np.ones(GRID.shape), GRID, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    density = Image(np.zeros(GRID.shape), GRID, Quantity.DENSITY)
    assert not local_deposition(Source(tia, density, ((nuclide("Lu-177"), 1.0),))).dose.values.any()


@given(st.floats(5e-6, 2e-5), st.lists(st.floats(3e3, 6e5), min_size=3, max_size=6, unique=True))
@settings(max_examples=25, deadline=None)
def test_scan_weights_give_back_the_time_integrated_activity(rate, times):
    times = np.array(sorted(times))
    if np.diff(times).min(initial=np.inf) < 1e3:
        return
    activity = 1e9 * np.exp(-rate * times)
    curve = Curve.at_instants(times, activity, 0.02 * activity + 1.0)
    fit = fit_curve(curve, 1e-6, "mono")
    weights = scan_weights_s(fit, curve)
    assert float(weights @ fit.activity(curve.mid_s)) == pytest.approx(fit.tia.value, rel=1e-9)
    assert (weights > 0).all()
    # the last scan of a mono-exponential stands for the time to infinity: from half way before it, at its rate
    washout = np.log(2) / fit.effective_half_life.value
    half_gap = 0.5 * (times[-1] - times[-2])
    assert weights[-1] == pytest.approx(np.exp(washout * half_gap) / washout, rel=1e-3)
