"""Engines against EGSnrc in a phantom of soft tissue, lung, bone and air (60³ voxels of 4 mm)."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hevesy.core import Grid, Image, Quantity
from hevesy.data.nuclides import nuclide
from hevesy.stages.dosimetry.engines import Source, engine

FILE = Path(__file__).parents[3].parent / "shared" / "reference" / "montecarlo" / "C_hetero.npz"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="needs ../shared/reference/montecarlo")
SHAPE = (60, 60, 60)
#: kg/m³ of soft tissue, lung, bone, air
DENSITY = np.array([1000.0, 260.0, 1920.0, 1.20479], np.float32)


@cache
def table():
    with np.load(FILE) as file:
        return {name: file[name] for name in file.files}


@cache
def region(name):
    return np.unpackbits(table()[f"region_{name}"])[: 60**3].reshape(SHAPE).astype(bool)


@cache
def dose_per_decay(name, place, of):
    """An engine's dose, Gy per decay in the source."""
    grid = Grid.regular(SHAPE, (4.0, 4.0, 4.0))
    weights = table()[f"source_{place}"].astype(float)
    tia = Image(
        weights / weights.sum() * 1e12 / grid.voxel_volume_mL, grid, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION
    )
    density = Image(DENSITY[table()["medium"]], grid, Quantity.DENSITY)
    return engine(name)(Source(tia, density, ((nuclide(of), 1.0),))).dose.values.astype(float) / 1e12


def expected(place, of, where):
    """EGSnrc's mean dose of a region, Gy per decay, and its relative standard uncertainty."""
    mean, variance = 0.0, 0.0
    for part in "eg":
        dose = table()[f"dose_{place}_{of}_{part}"].astype(float)[where]
        mean += dose.mean()
        variance += float(((dose * table()[f"relsd_{place}_{of}_{part}"][where]) ** 2).sum()) / where.sum() ** 2
    return mean, np.sqrt(variance) / mean


SOURCES = ["interface_sphere", "lung_tumour", "background"]
NUCLIDES = ["Lu-177", "Y-90", "I-131"]


def compare(name, place, of, where, tolerance):
    mean, u = expected(place, of, region(where))
    found = dose_per_decay(name, place, of)[region(where)].mean()
    assert found == pytest.approx(mean, rel=tolerance + 2 * float(u))


@pytest.mark.parametrize("of", NUCLIDES)
@pytest.mark.parametrize("place", SOURCES)
def test_mvsv_soft_tissue_is_within_five_percent(place, of):
    compare("mvsv", place, of, "soft_all", 0.05)


@pytest.mark.parametrize("of", NUCLIDES)
@pytest.mark.parametrize("where", ["interface_sphere_soft", "interface_sphere_lung", "lung"])
def test_mvsv_at_the_border_of_lung_is_within_five_percent(where, of):
    compare("mvsv", "interface_sphere", of, where, 0.05)


@pytest.mark.parametrize("of", NUCLIDES)
@pytest.mark.parametrize("where", ["lung_tumour", "lung_shell_around_tumour_10to20mm", "lung"])
def test_mvsv_about_a_tumour_in_lung_is_within_five_percent(where, of):
    compare("mvsv", "lung_tumour", of, where, 0.05)


@pytest.mark.parametrize("of", NUCLIDES)
@pytest.mark.parametrize("where", ["bone_lesion", "bone"])
def test_mvsv_in_a_lesion_of_bone_is_within_three_percent(where, of):
    compare("mvsv", "bone_lesion", of, where, 0.03)


@pytest.mark.parametrize("of", NUCLIDES)
def test_mvsv_at_the_border_of_bone_is_within_five_percent(of):
    compare("mvsv", "bone_lesion", of, "bone_shell_around_lesion", 0.05)


@pytest.mark.parametrize("of", NUCLIDES)
@pytest.mark.parametrize("where", ["soft_all", "lung"])
def test_mvsv_photons_that_leave_bone_are_within_five_percent(where, of):
    compare("mvsv", "bone_lesion", of, where, 0.05)


@pytest.mark.parametrize("of", ["Lu-177", "I-131"])
@pytest.mark.parametrize("place", ["lung_tumour", "interface_sphere"])
def test_mvsv_bone_far_from_the_activity_is_within_eight_percent(place, of):
    compare("mvsv", place, of, "bone", 0.08)


@pytest.mark.parametrize("where", ["bone_lesion", "bone_shell_around_lesion", "bone"])
def test_mvsv_electrons_of_yttrium_in_bone_are_those_of_penelope(where):
    # PENELOPE, unlike EGSnrc here, knows spin effects; photons, a thousandth of the dose, come from EGSnrc
    at, dose = region(where), table()["penred_dose_bone_lesion_Y-90_e"].astype(float)
    spread = np.sqrt(((dose * table()["penred_relsd_bone_lesion_Y-90_e"])[at] ** 2).sum()) / dose[at].sum()
    mean = dose[at].mean() + table()["dose_bone_lesion_Y-90_g"].astype(float)[at].mean()
    found = dose_per_decay("mvsv", "bone_lesion", "Y-90")[at].mean()
    assert found == pytest.approx(mean, rel=0.03 + 2 * float(spread))


@pytest.mark.parametrize("of", NUCLIDES)
@pytest.mark.parametrize("where", ["lung", "bone", "interface_sphere_soft", "interface_sphere_lung", "lung_tumour"])
def test_mvsv_with_activity_everywhere_is_within_eight_percent(where, of):
    compare("mvsv", "background", of, where, 0.08)


@pytest.mark.parametrize("of", NUCLIDES)
def test_vsv_misses_what_mvsv_finds_at_the_border_of_lung(of):
    mean, _ = expected("interface_sphere", of, region("interface_sphere_lung"))
    plain, corrected = (
        abs(dose_per_decay(name, "interface_sphere", of)[region("interface_sphere_lung")].mean() / mean - 1)
        for name in ("vsv", "mvsv")
    )
    assert corrected < plain / 2
