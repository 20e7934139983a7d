"""NIfTI needs a sidecar that says what its values mean; RAS becomes LPS."""

import json
from datetime import datetime

import nibabel
import numpy as np
import pytest

from hevesy.core import Quantity
from hevesy.errors import BadConfiguration, MissingInformation, UnreadableFile, UnsupportedObject
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.nifti_in import read_nifti
from hevesy.stages.imaging.series import Kind

VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
RAS = np.array([[-2.0, 0, 0, 10], [0, 3, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1]])
ACTIVITY = {
    "quantity": "activity_concentration",
    "unit": "kBq/mL",
    "start": "2024-03-05T10:00:00",
    "duration_s": 1200,
    "decay_corrected_to": "2024-03-05T09:00:00",
    "nuclide": "Lu-177",
}


def written(folder, facts=ACTIVITY, values=VALUES, affine=RAS, name="scan.nii.gz"):
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, folder / name)
    if facts is not None:
        (folder / "scan.json").write_text(json.dumps(facts))
    return folder / name


def test_ras_becomes_lps_and_kilobecquerels_become_becquerels(tmp_path):
    image = read_nifti(written(tmp_path))
    np.testing.assert_allclose(image.values, VALUES * 1000)
    np.testing.assert_allclose(image.grid.to_mm((1, 2, 3)), (-(10 - 2), -(-20 + 6), 30 + 12))
    assert image.quantity is Quantity.ACTIVITY_CONCENTRATION
    assert image.timing.start == datetime(2024, 3, 5, 10)
    assert image.timing.decay_corrected_to == datetime(2024, 3, 5, 9)


def test_a_folder_finds_the_volume_and_does_not_list_its_sidecar(tmp_path):
    written(tmp_path, name="scan.nii")
    folder = read_folder(tmp_path)
    assert [s.kind for s in folder.series] == [Kind.NIFTI]
    assert folder.passed_over == ()
    assert folder.series[0].image().values.max() == 23000


def test_uncorrected_activity_says_none(tmp_path):
    assert read_nifti(written(tmp_path, ACTIVITY | {"decay_corrected_to": "none"})).timing.decay_corrected_to is None


def test_density_needs_no_times(tmp_path):
    image = read_nifti(written(tmp_path, {"quantity": "density", "unit": "g/mL"}))
    assert image.timing is None
    np.testing.assert_allclose(image.values, VALUES * 1000)


def test_no_sidecar_is_missing_information(tmp_path):
    with pytest.raises(MissingInformation, match=r"no sidecar scan\.json"):
        read_nifti(written(tmp_path, None))


@pytest.mark.parametrize("key", ["quantity", "unit", "start", "duration_s", "decay_corrected_to"])
def test_a_key_that_activity_needs_is_missed_by_name(tmp_path, key):
    with pytest.raises(MissingInformation, match=f"lacks '{key}'"):
        read_nifti(written(tmp_path, {k: v for k, v in ACTIVITY.items() if k != key}))


def test_a_misspelt_key_is_refused_with_the_nearest_right_one(tmp_path):
    with pytest.raises(BadConfiguration, match="Did you mean 'duration_s'"):
        read_nifti(written(tmp_path, ACTIVITY | {"durations": 3}))


@pytest.mark.parametrize(
    ("key", "value"), [("unit", "Ci/L"), ("quantity", "activty"), ("start", "noon"), ("duration_s", "long")]
)
def test_a_wrong_value_is_refused(tmp_path, key, value):
    with pytest.raises(BadConfiguration, match=r"scan\.json"):
        read_nifti(written(tmp_path, ACTIVITY | {key: value}))


def test_a_sidecar_that_is_not_json_is_refused(tmp_path):
    path = written(tmp_path)
    (tmp_path / "scan.json").write_text("{")
    with pytest.raises(UnreadableFile, match="not JSON"):
        read_nifti(path)


def test_a_truncated_volume_is_refused(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnreadableFile, match="cannot be read as NIfTI"):
        read_nifti(path)


def test_four_dimensions_are_refused(tmp_path):
    with pytest.raises(UnsupportedObject, match="4 dimensions"):
        read_nifti(written(tmp_path, values=np.zeros((2, 2, 2, 3), np.float32)))


def test_a_volume_without_orientation_is_refused(tmp_path):
    path = written(tmp_path)
    image = nibabel.load(path)
    image.header["sform_code"] = image.header["qform_code"] = 0
    bare = nibabel.Nifti1Image(VALUES, None, image.header)
    bare.set_sform(None, 0)
    bare.set_qform(None, 0)
    nibabel.save(bare, path)
    with pytest.raises(MissingInformation, match="neither sform nor qform"):
        read_nifti(path)
