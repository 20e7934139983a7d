import json
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import nibabel
import numpy as np
import pytest

from hevesy.cli import main

TABLE = {
    "0": {
        "name": "soft",
        "density_g_cm3": 1.0,
        "mass_fractions": {"H": 0.101172, "C": 0.111, "N": 0.026, "O": 0.761828},
    },
    "7": {"name": "lung", "density_g_cm3": 0.26, "mass_fractions": {"H": 0.103, "C": 0.105, "N": 0.031, "O": 0.761}},
}


def save(values, path):
    nibabel.save(nibabel.Nifti1Image(values, np.diag([4.0, 4.0, 5.0, 1.0])), path)


@pytest.fixture
def folder(tmp_path):
    tia = np.zeros((7, 8, 9), np.float32)
    tia[3, 4, 4] = 1e9
    labels = np.zeros(tia.shape, np.uint8)
    labels[5:] = 7
    save(tia, tmp_path / "tia.nii.gz")
    save(labels, tmp_path / "materials.nii.gz")
    save(np.where(labels, 0.26, 1.0).astype(np.float32), tmp_path / "density.nii.gz")
    save((tia > 0).astype(np.uint8) + 2 * (labels > 0).astype(np.uint8), tmp_path / "regions.nii.gz")
    (tmp_path / "table.json").write_text(json.dumps(TABLE))
    return tmp_path


def dosemap(folder, out, *options):
    tia = folder / "tia.nii.gz"
    return main(["dosemap", str(tia), "--nuclide", "Y-90", "--out", str(folder / out), *map(str, options)])


def materials(folder):
    return ["--materials", folder / "materials.nii.gz", "--material-table", folder / "table.json"]


def test_it_writes_dose_uncertainty_and_summary(folder, capsys):
    regions = folder / "regions.nii.gz"
    assert dosemap(folder, "out", *materials(folder), "--uncertainty", "2%", "--in", regions) == 0
    summary = json.loads((folder / "out/summary.json").read_text())
    assert all(region["relative_uncertainty"] <= 0.02 for region in summary["regions"].values())
    assert summary["energy_balance"]["astray"] < 1e-9
    assert summary["histories_per_second"] > 0
    assert set(summary["regions"]) == {"1", "2"}
    dose = nibabel.load(folder / "out/dose.nii.gz")
    tia = nibabel.load(folder / "tia.nii.gz")
    assert np.allclose(dose.affine, tia.affine)
    # a cube of 0.086 g keeps 40% of the energy of Y-90 (PENELOPE): 0.08 g a little less
    assert dose.get_fdata()[3, 4, 4] == pytest.approx(1e9 * 0.934 * 1.602e-13 * 0.385 / 1e-3, rel=0.06)
    relative = nibabel.load(folder / "out/relative_uncertainty.nii.gz").get_fdata()
    assert 0 < relative[3, 4, 4] < 0.05
    assert "2: " in capsys.readouterr().out


def test_density_alone_gives_nearly_the_dose_that_materials_give(folder):
    assert dosemap(folder, "a", *materials(folder), "--histories", 60000) == 0
    assert dosemap(folder, "b", "--density", folder / "density.nii.gz", "--histories", 60000) == 0
    a, b = (nibabel.load(folder / name / "dose.nii.gz").get_fdata()[3, 4, 4] for name in "ab")
    assert a == pytest.approx(b, rel=0.02)


def test_a_stopped_simulation_goes_on_from_its_checkpoint(folder):
    density = ["--density", folder / "density.nii.gz", "--uncertainty", "5%", "--checkpoint", folder / "kept"]
    assert dosemap(folder, "part", *density, "--time", 1e-9) == 0
    assert json.loads((folder / "part/summary.json").read_text())["batches"] < 16
    assert dosemap(folder, "whole", *density) == 0
    assert dosemap(folder, "once", *density[:-2]) == 0
    whole, once = (nibabel.load(folder / name / "dose.nii.gz").get_fdata() for name in ("whole", "once"))
    assert np.array_equal(whole, once)


def test_a_killed_simulation_goes_on_as_if_it_had_not_been(folder):
    density = ["--density", folder / "density.nii.gz", "--uncertainty", "0.3%"]
    options = [*map(str, density), "--checkpoint", str(folder / "kept")]
    call = ["dosemap", str(folder / "tia.nii.gz"), "--nuclide", "Y-90", "--out", str(folder / "no"), *options]
    script = (
        f"from hevesy.workflows import dosemap; dosemap.KEEP_EVERY_S = 0.01; from hevesy.cli import main; main({call})"
    )
    killed = subprocess.Popen([sys.executable, "-c", script])
    while not (folder / "kept").exists() and killed.poll() is None:
        time.sleep(0.01)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    assert not (folder / "no").exists()
    assert dosemap(folder, "rest", *options) == 0
    assert dosemap(folder, "once", *density) == 0
    rest, once = (nibabel.load(folder / name / "dose.nii.gz").get_fdata() for name in ("rest", "once"))
    assert np.array_equal(rest, once)


@pytest.mark.skipif(bool(find_spec("numba_cuda")), reason="there may be a device")
def test_a_cuda_device_that_is_not_there_is_refused_and_not_needed(folder, capsys):
    density = ["--density", folder / "density.nii.gz", "--histories", 1000]
    assert dosemap(folder, "no", *density, "--device", "cuda") != 0
    assert "no CUDA device" in capsys.readouterr().err
    assert dosemap(folder, "out", *density, "--device", "auto") == 0
    assert json.loads((folder / "out/summary.json").read_text())["device"] == "cpu"


def test_arrays_for_scripts_go_in_and_out_in_one_form(folder):
    tia = np.transpose(nibabel.load(folder / "tia.nii.gz").get_fdata(), (2, 1, 0))
    edges = {
        f"{axis}_edges_cm": np.arange(n + 1) * step for axis, n, step in (("x", 7, 0.4), ("y", 8, 0.4), ("z", 9, 0.5))
    }
    np.savez(folder / "case.npz", tia_Bq_s_mL=tia, density_g_cm3=np.ones(tia.shape), **edges)
    case = str(folder / "case.npz")
    out = str(folder / "out")
    assert main(["dosemap", case, "--nuclide", "Lu-177", "--density", case, "--histories", "20000", "--out", out]) == 0
    with np.load(folder / "out/dose.npz") as made:
        assert made["dose_Gy"].shape == tia.shape
        assert np.unravel_index(made["dose_Gy"].argmax(), tia.shape) == (4, 4, 3)
        assert np.allclose(made["z_edges_cm"], edges["z_edges_cm"])


@pytest.mark.parametrize("engine", ["local", "vsv", "mvsv", "mc"])
def test_daughters_with_the_parents_own_image_give_the_dose_of_decay_in_place(folder, engine):
    tia = folder / "tia.nii.gz"
    given = ["--density", folder / "density.nii.gz", "--engine", engine, "--histories", "2000000"]
    common = ["dosemap", str(tia), "--nuclide", "Pb-212", *map(str, given), "--out"]
    # Bi-212 follows every decay of Pb-212; what it decays to goes with it
    assert main([*common, str(folder / "apart"), "--daughter-tia", f"Bi-212={tia}"]) == 0
    assert main([*common, str(folder / "in-place")]) == 0
    apart, whole = (nibabel.load(folder / name / "dose.nii.gz").get_fdata() for name in ("apart", "in-place"))
    # alphas are 97% of the energy; the rest has noise of histories in mc (0.03% here), of rays in mvsv
    assert apart.max() == pytest.approx(whole.max(), rel=1e-5 if engine in {"local", "vsv"} else 1e-3)
    summary = json.loads((folder / "apart/summary.json").read_text())
    assert summary["daughters"] == ["Bi-212", "Po-212", "Tl-208"]
    assert summary["daughters_apart"] == {"Bi-212": "tia.nii.gz"}


def test_a_daughter_gives_its_dose_where_its_own_image_is(folder):
    moved = np.zeros((7, 8, 9), np.float32)
    moved[1, 1, 1] = 1e9
    save(moved, folder / "moved.nii.gz")
    arguments = ["dosemap", folder / "tia.nii.gz", "--nuclide", "Pb-212", "--density", folder / "density.nii.gz"]
    arguments += ["--engine", "local", "--daughter-tia", f"Bi-212={folder / 'moved.nii.gz'}", "--out", folder / "out"]
    assert main([*map(str, arguments)]) == 0
    dose = nibabel.load(folder / "out/dose.nii.gz").get_fdata()
    # the alphas are those of Bi-212 and Po-212, 7.8 MeV a decay; Pb-212 has electrons of 0.17 MeV
    assert 30 < dose[1, 1, 1] / dose[3, 4, 4] < 80


def test_another_engine_answers_without_statistics(folder):
    density = ["--density", folder / "density.nii.gz"]
    assert dosemap(folder, "out", *density, "--engine", "local", "--in", folder / "regions.nii.gz") == 0
    assert not (folder / "out/relative_uncertainty.nii.gz").exists()
    summary = json.loads((folder / "out/summary.json").read_text())
    source = summary["regions"]["1"]  # one voxel of 0.08 mL
    assert source["mean_dose_Gy"] == pytest.approx(1e9 * 0.934 * 1.602e-13 / 1e-3, rel=0.01)
    assert source["relative_uncertainty"] is None
    assert source["mass_kg"] == pytest.approx(0.08e-3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "needs the mass"),
        (["--materials", "materials.nii.gz"], "need their table"),
        (["--density", "density.nii.gz", "--uncertainty", "many"], "cannot be 'many'"),
        (["--density", "density.nii.gz", "--histories", "0"], "positive number"),
        (["--density", "density.nii.gz", "--ct", "density.nii.gz"], "not both"),
        (["--density", "table.json"], "cannot be read as NIfTI"),
        (["--density", "density.nii.gz", "--engine", "magic"], "no dose engine 'magic'"),
        (["--density", "density.nii.gz", "--daughter-tia", "Bi-212"], "names no daughter"),
        (["--density", "density.nii.gz", "--daughter-tia", "Bi-212=x.nii.gz"], "Bi-212 is no daughter of Y-90"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_and_leaves_nothing(folder, capsys, options, said):
    given = [folder / option if option.endswith(("gz", "json")) else option for option in options]
    assert dosemap(folder, "out", *given) > 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (folder / "out").exists() or not any((folder / "out").iterdir())
