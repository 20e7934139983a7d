"""`hevesy kernel` as a person runs it."""

import numpy as np
import pytest

from hevesy.cli import main


def test_a_kernel_of_cubes_holds_s_values_and_closes_its_energy(tmp_path, capsys):
    out = tmp_path / "lutetium.npz"
    assert main(["kernel", "Lu-177", "--voxel", "4.8", "--reach", "30", "--out", str(out)]) == 0
    kernel = np.load(out)
    assert kernel["s_value_Gy_per_decay"].shape == (7, 7, 7)
    # 0.198 to 0.199 mGy/(MBq s): EGSnrc and PENELOPE for the electrons, ICRP 107
    assert kernel["s_value_Gy_per_decay"][0, 0, 0] * 1e9 == pytest.approx(0.1987, rel=0.01)
    mass_kg = 4.8**3 * 1e-6
    np.testing.assert_allclose(kernel["s_value_Gy_per_decay"] * mass_kg, kernel["energy_J_per_decay"], rtol=1e-12)
    assert "mGy/(MBq·s)" in capsys.readouterr().out


def test_sides_may_differ_and_the_medium_may_be_lung(tmp_path):
    out = tmp_path / "yttrium.npz"
    assert (
        main(["kernel", "Y-90", "--voxel", "2", "2", "3", "--medium", "lung", "--reach", "60", "--out", str(out)]) == 0
    )
    kernel = np.load(out)
    assert kernel["spacing_mm"].tolist() == [2.0, 2.0, 3.0]
    assert kernel["density_g_cm3"] == pytest.approx(0.26)
    stood_for = np.ones(kernel["energy_J_per_decay"].shape)
    for axis in range(3):
        stood_for *= np.where(np.arange(stood_for.shape[axis]) > 0, 2, 1).reshape(
            [-1 if a == axis else 1 for a in range(3)]
        )
    held = float((kernel["energy_J_per_decay"] * stood_for).sum() / kernel["emitted_J_per_decay"])
    assert held == pytest.approx(1.0, abs=0.01)  # betas of 2.28 MeV go 44 mm in lung


def test_daughters_in_place_count_unless_told_otherwise(tmp_path):
    values = []
    for options in ([], ["--without-daughters"]):
        out = tmp_path / "radium.npz"
        assert main(["kernel", "Ra-223", "--voxel", "4", "--reach", "8", "--out", str(out), *options]) == 0
        values.append(float(np.load(out)["emitted_J_per_decay"]) / 1.602176634e-13)
    # ICRP 107: 5.9 MeV of Ra-223 itself; alphas, betas and photons down to Pb-207 are 27 to 28 MeV
    assert values[0] == pytest.approx(27.5, abs=1.0)
    assert values[1] == pytest.approx(5.9, abs=0.2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Lu-177", "--voxel", "2", "3"], "one side or three"),
        (["Lu-177", "--voxel", "-2"], "no kernel"),
        (["Lu-177", "--voxel", "0.1", "--reach", "500"], "50 million"),
        (["Xx-99", "--voxel", "2"], "radionuclide"),
        (["Lu-177", "--voxel", "2", "--medium", "vibranium"], "medium"),
    ],
)
def test_impossible_kernels_are_refused_in_one_line(arguments, said, tmp_path, capsys):
    out = tmp_path / "k.npz"
    assert main(["kernel", *arguments, "--out", str(out)]) != 0
    assert said in capsys.readouterr().err
    assert not out.exists()
