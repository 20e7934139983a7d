"""CT number to density and tissue: the corner points of Schneider et al. 2000 and what the door refuses."""

import numpy as np
import pytest

from hevesy.core import Grid, Image, Quantity
from hevesy.data.hounsfield import HounsfieldTable, read_hounsfield_table, schneider_2000
from hevesy.errors import BadInput, MissingInformation, UnreadableFile, WrongQuantity
from hevesy.physics.hounsfield import density_from_hounsfield, materials_from_hounsfield


def ct(*numbers):
    grid = Grid.regular((len(numbers), 1, 1), (1, 1, 1))
    return Image(np.reshape(numbers, (-1, 1, 1)), grid, Quantity.HOUNSFIELD)


@pytest.mark.parametrize(
    ("hounsfield", "density_g_cm3"),
    # Schneider et al. 2000, their linear fits evaluated by hand: 1.018 + 0.893e-3 H to 14 HU,
    # 1.003 + 1.169e-3 H from 23 to 100 HU, 1.017 + 0.592e-3 H above
    [(-1000, 0.00121), (0, 1.018), (-50, 1.018 - 0.04465), (50, 1.06145), (500, 1.313), (1500, 1.905)],
)
def test_density_follows_the_published_fits(hounsfield, density_g_cm3):
    density = density_from_hounsfield(ct(hounsfield)).values.item()
    assert density == pytest.approx(density_g_cm3 * 1e3, abs=1.0)  # kg/m³: the fits are published to 1e-3 g/cm³


def test_density_is_constant_beyond_the_table_and_never_zero():
    low, high, higher = density_from_hounsfield(ct(-3024, 3000, 20000)).values.ravel()
    assert low == pytest.approx(1.21)
    assert high == higher == pytest.approx(2800)


def test_a_step_belongs_to_the_ct_number_above_it():
    at, above = density_from_hounsfield(ct(100, 101)).values.ravel()
    assert at == pytest.approx(1119.9, abs=0.5)
    assert above == pytest.approx(1076.8, abs=0.5)


def test_tissues_are_chosen_by_ct_number():
    labels, tissues = materials_from_hounsfield(ct(-2000, -700, -100, 40, 1600))
    assert [tissues[i].name for i in labels.values.ravel()] == [
        "air",
        "lung",
        "adipose 1",
        "soft tissue",
        "marrow and bone 15",
    ]


def test_every_tissue_sums_to_one_and_bone_gains_calcium():
    tissues = schneider_2000().tissues
    assert all(sum(tissue.mass_fractions.values()) == pytest.approx(1) for tissue in tissues)
    calcium = [tissue.mass_fractions.get("Ca", 0) for tissue in tissues]
    assert calcium == sorted(calcium)


def test_images_of_another_quantity_are_refused():
    image = ct(0).with_values(np.zeros((1, 1, 1)), Quantity.DENSITY)
    with pytest.raises(WrongQuantity):
        density_from_hounsfield(image)


def test_a_scanners_own_table_replaces_the_published_one(tmp_path):
    path = tmp_path / "scanner.csv"
    path.write_text("# HU, g/cm3\n-1000,0.001\n0,1\n1000,1.6\n", encoding="utf-8")
    table = read_hounsfield_table(path)
    assert density_from_hounsfield(ct(500), table).values.item() == pytest.approx(1300)
    with pytest.raises(MissingInformation):
        materials_from_hounsfield(ct(500), table)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    path = tmp_path / "scanner.csv"
    path.write_text("water,1\n", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="CT number"):
        read_hounsfield_table(path)
    with pytest.raises(UnreadableFile):
        read_hounsfield_table(tmp_path / "absent.csv")


def test_falling_ct_numbers_are_refused():
    with pytest.raises(BadInput, match="rise"):
        HounsfieldTable(np.array([0.0, -1.0]), np.array([1.0, 1.0]), np.array([]), (), "made up")
