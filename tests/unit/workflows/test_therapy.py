"""The main job against a patient whose answer is known in closed form."""

import numpy as np
import pytest

from factories.therapy_case import (
    LESION,
    ORGAN,
    PHYSICAL_RATE,
    VOXEL_MM,
    concentration,
    true_tia_Bq_s,
    voxels,
    write_case,
)
from hevesy.core import EmissionKind
from hevesy.data.nuclides import nuclide
from hevesy.stages.dosimetry.local import CHARGED
from hevesy.workflows.case import load_case
from hevesy.workflows.chain import chain
from hevesy.workflows.therapy import therapy_dose


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = write_case(tmp_path_factory.mktemp("case"))
    return therapy_dose(folder, load_case(folder)).result


def by_name(result, name):
    return next(r for r in result.regions if r.region.name == name)


@pytest.mark.parametrize("name", ["organ", "lesion"])
def test_time_integrated_activity_is_that_of_the_closed_form(result, name):
    found = by_name(result, name)
    # stored as 16-bit integers: 1/60000 of the maximum, up to 1e-3 of the faintest late frame
    assert found.tia.value == pytest.approx(true_tia_Bq_s(name), rel=2e-3)
    assert found.model.model.startswith("mono")
    assert found.tia_interval95[0] < found.tia.value < found.tia_interval95[1]


@pytest.mark.parametrize(("name", "box"), [("organ", ORGAN), ("lesion", LESION)])
def test_mean_absorbed_dose_is_energy_over_mass(result, name, box):
    found = by_name(result, name)
    mass_kg = voxels(box) * VOXEL_MM**3 * 1e-6  # soft tissue of 1.00 g/mL
    expected = true_tia_Bq_s(name) * nuclide("Lu-177").energy_per_decay_J(*CHARGED) / mass_kg
    assert found.mass.value == pytest.approx(mass_kg, rel=1e-3)
    assert found.dose.value == pytest.approx(expected, rel=3e-3)
    assert found.histogram.minimum_Gy <= found.dose.value <= found.histogram.maximum_Gy


def test_activity_is_what_was_present_at_each_scan(result):
    found = by_name(result, "organ")
    volume = voxels(ORGAN) * VOXEL_MM**3 * 1e-3
    for t, activity in zip(found.times_s, found.activity, strict=True):
        # the mean over a 20 min frame and the value at its middle differ by (λT)²/24 < 1e-5
        assert activity.value == pytest.approx(concentration("organ", t) * volume, rel=1e-3)


def test_every_cause_of_uncertainty_is_named_and_together_they_make_the_whole(result):
    found = by_name(result, "lesion")
    assert {"calibration", "volume", "recovery", "density"} <= set(found.dose.components)
    assert np.hypot.reduce(list(found.dose.components.values())) == pytest.approx(found.dose.u)


def test_photons_that_the_engine_leaves_out_are_a_cause_and_are_told_by_region(result):
    for name in ("organ", "lesion"):
        dose = by_name(result, name).dose
        # GUM F.2.4.5: what is left out enters with its size
        share = dose.components["photons left out"] / dose.value
        assert any("leaves photons out" in w and f"{share:.1%} in {name}" in w for w in result.warnings)


def test_a_smaller_region_in_the_dose_has_less_volume_uncertainty_than_activity_and_mass_apart(result):
    # more volume means more activity and more mass: in the dose the two partly cancel (Gear et al. 2018, eq. 44 ff.)
    found = by_name(result, "lesion")
    relative = found.dose.components["volume"] / found.dose.value
    assert relative < found.volume.u_relative


def test_dose_energy_in_the_body_is_time_integrated_activity_times_charged_energy(result):
    energy = np.sum(result.dose.values * result.density.values * VOXEL_MM**3 * 1e-9, dtype=np.float64)
    decays = result.whole_body.tia.value
    assert energy == pytest.approx(decays * nuclide("Lu-177").energy_per_decay_J(*CHARGED), rel=1e-4)


def test_regions_drawn_once_are_used_on_every_scan_and_it_is_said(tmp_path, result):
    folder = write_case(tmp_path / "once", drawn="first")
    once = therapy_dose(folder, load_case(folder)).result
    assert by_name(once, "organ").dose.value == pytest.approx(by_name(result, "organ").dose.value, rel=1e-6)
    assert any("Drawn once" in warning for warning in once.warnings)


def test_the_physical_half_life_is_that_of_the_nuclide_and_bounds_the_effective_ones(result):
    assert result.nuclide.decay_constant.value == pytest.approx(PHYSICAL_RATE, rel=1e-4)
    for found in result.regions:
        assert found.model.effective_half_life.value < result.nuclide.half_life.value


def test_a_chain_keeps_daughters_that_live_shorter_and_their_branching():
    shares = {n.name: share for n, share in chain(nuclide("Ac-225"))}
    assert shares["Fr-221"] == pytest.approx(1.0, abs=1e-3)
    assert shares["Po-213"] + shares["Tl-209"] == pytest.approx(shares["Bi-213"], abs=1e-3)
    assert "Bi-209" not in shares
    assert [n.name for n, _ in chain(nuclide("Lu-177"))] == ["Lu-177"]
    alphas = sum(s * n.energy_per_decay_J(EmissionKind.ALPHA) for n, s in chain(nuclide("Ac-225"))) / 1.602176634e-13
    # Ac-225 5.8, Fr-221 6.3, At-217 7.1, Po-213 8.4 MeV (ICRP 107): about 27.5 MeV of alphas
    assert alphas == pytest.approx(27.5, abs=0.5)
