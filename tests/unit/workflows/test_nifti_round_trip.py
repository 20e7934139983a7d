"""What a command writes as NIfTI it writes with its meaning, so that the next command reads it."""

import json

import nibabel
import numpy as np
import pytest

from factories.dicom import write
from factories.therapy_case import INJECTED, scan, write_case
from hevesy.cli import main
from hevesy.core import Grid, Image, Quantity, Timing
from hevesy.data.materials import material
from hevesy.errors import WrongQuantity
from hevesy.stages.imaging import nifti
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.nifti_in import read_nifti, read_sidecar
from hevesy.workflows.case import load_case
from hevesy.workflows.dosemap import read_volume
from hevesy.workflows.scans import gather


def written(folder):
    """Every NIfTI file of a folder, read by its sidecar; none is without."""
    found = {path.name.removesuffix(".nii.gz"): read_nifti(path) for path in sorted(folder.glob("*.nii.gz"))}
    for name, image in found.items():
        stored = nibabel.load(folder / f"{name}.nii.gz").get_fdata()
        np.testing.assert_array_equal(image.values, stored.astype(np.float32))
    return found


@pytest.mark.parametrize("quantity", list(Quantity))
def test_an_image_of_any_quantity_comes_back_with_its_meaning_time_and_frame(tmp_path, quantity):
    grid = Grid.regular((3, 2, 2), (2.0, 3.0, 4.0), (1.0, 2.0, 3.0), "1.2.3.5")
    timing = Timing(INJECTED, 600.0, INJECTED)
    image = Image(np.arange(12, dtype=np.float32).reshape(grid.shape), grid, quantity, timing)
    nifti.write(image, tmp_path / "i.nii.gz", nuclide="Lu-177")
    back = read_nifti(tmp_path / "i.nii.gz")
    np.testing.assert_array_equal(back.values, image.values)
    assert (back.quantity, back.timing) == (quantity, timing)
    assert back.grid.matches(grid)
    assert back.grid.frame_of_reference == "1.2.3.5"
    assert read_sidecar(tmp_path / "i.nii.gz").nuclide == "Lu-177"


def test_an_activity_that_was_not_decay_corrected_says_so(tmp_path):
    grid = Grid.regular((2, 2, 2), (2.0, 3.0, 4.0))
    timing = Timing(INJECTED, 600.0)
    nifti.write(Image(np.ones(grid.shape), grid, Quantity.ACTIVITY_CONCENTRATION, timing), tmp_path / "i.nii")
    assert read_nifti(tmp_path / "i.nii").timing == timing


def test_scans_written_as_nifti_make_a_case_and_what_dose_writes_dosemap_reads(tmp_path, capsys):
    case = tmp_path / "case"
    case.mkdir()
    for number, hours in enumerate((4.0, 48.0, 120.0), start=1):
        image = read_folder(write(tmp_path / f"dicom{number}", scan(hours, number))).series[0].image()
        nifti.write(image, case / f"scan{number}.nii.gz", nuclide="Lu-177")
    given = f"registration: none\nadministration: {{time: {INJECTED.isoformat()}, activity_MBq: 7400}}\n"
    (case / "case.yaml").write_text(given)
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) == 0, capsys.readouterr().err
    made = written(tmp_path / "out")
    assert {name: image.quantity for name, image in made.items()} == {
        "dose": Quantity.ABSORBED_DOSE,
        "tia": Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION,
    }
    tia = made["tia"]
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    decays = float(tia.values.sum(dtype=np.float64)) * tia.grid.voxel_volume_mL
    assert decays == pytest.approx(record["whole_body"]["tia_MBq_h"]["value"] * 3.6e9, rel=1e-4)
    # soft tissue where there is activity, in kg/m³ by its sidecar, not the g/cm³ of a bare file
    density = np.where(tia.values > 0, material("soft tissue").density_kg_m3, 0.0)
    nifti.write(tia.with_values(density, Quantity.DENSITY), tmp_path / "density.nii.gz")
    mapped = ["dosemap", str(tmp_path / "out" / "tia.nii.gz"), "--nuclide", "Lu-177", "--engine", "local"]
    assert main([*mapped, "--density", str(tmp_path / "density.nii.gz"), "--out", str(tmp_path / "map")]) == 0
    np.testing.assert_allclose(written(tmp_path / "map")["dose"].values, made["dose"].values, rtol=1e-5)


def test_what_a_sidecar_says_is_believed_over_what_a_file_was_given_as(tmp_path):
    grid = Grid.regular((2, 2, 2), (2.0, 3.0, 4.0))
    nifti.write(Image(np.ones(grid.shape), grid, Quantity.ABSORBED_DOSE), tmp_path / "dose.nii.gz")
    with pytest.raises(WrongQuantity, match="absorbed dose"):
        read_volume(tmp_path / "dose.nii.gz", Quantity.DENSITY, "density_g_cm3")
    # what other software writes beside a NIfTI file says nothing of that
    (tmp_path / "dose.json").write_text('{"Modality": "CT"}')
    assert read_volume(tmp_path / "dose.nii.gz", Quantity.DENSITY, "density_g_cm3").values.max() == 1e3


def test_a_copy_of_a_dicom_series_is_not_a_second_scan(tmp_path):
    case = write_case(tmp_path / "case", hours=(4.0, 48.0))
    series = next(one for one in read_folder(case / "scan1").series if one.headers and one.modality == "PT")
    nifti.write(series.image(), case / "copy.nii.gz", nuclide="Lu-177", same_as=series.uid)
    assert [one.label for one in gather(read_folder(case), load_case(case)).scans] == ["Scan 1", "Scan 2"]
