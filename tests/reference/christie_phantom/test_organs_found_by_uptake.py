"""Organs that are found in a patient whose outlines an expert drew (Christie NHS; licence in examples/lu177-simulated).

The SPECT is the phantom's known activity, blurred by 12 mm. The gates are ours: Dice above 0.85 (one voxel of 4 mm off
all around a kidney is 0.7), activity within a tenth, the true volume within two standard uncertainties.
"""

import dataclasses
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hevesy.core import Grid, Image, Quantity
from hevesy.errors import OutsideValidity, UnknownName
from hevesy.stages.segmentation.organs import ORGANS, find_organs

FWHM_MM = 12.0
LEAST_DICE, MOST_OFF = 0.85, 0.10
#: the part of the phantom that holds its organs with 5 cm to spare
BOX = (slice(3, 105), slice(18, 85), slice(2, 70))


@pytest.fixture(scope="module")
def patient():
    path = Path(__file__).parents[3] / "examples" / "lu177-simulated" / "patient.py"
    spec = importlib.util.spec_from_file_location("simulated_patient", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # what its dataclasses look themselves up in
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def images(patient, **concentrations):
    """Return SPECT and CT, and the masks by name; `concentrations` (kBq/mL) replace the patient's own."""
    phantom = patient.phantom()
    affine = np.diag([patient.PIXEL_MM, patient.PIXEL_MM, -patient.SLICE_MM, 1.0])
    grid = Grid(phantom.hu.shape, affine).part(BOX)
    given = [concentrations.get(o.name.replace(" ", "_"), o.kBq_mL) * 1e3 for o in patient.ORGANS]
    activity = np.array([0.0, *given])[phantom.labels] * phantom.share
    blurred = gaussian_filter(activity, FWHM_MM / 2.3548 / np.array(grid.spacing_mm))[BOX]
    masks = {organ.name: phantom.mask(number)[BOX] for number, organ in enumerate(patient.ORGANS)}
    ct = Image(phantom.hu[BOX], grid, Quantity.HOUNSFIELD)
    return Image(blurred.astype(np.float32), grid, Quantity.ACTIVITY_CONCENTRATION), ct, masks


def flipped(image, axis):
    return image.with_values(np.flip(image.values, axis))


@pytest.fixture(scope="module")
def scans(patient):
    return images(patient)


@pytest.fixture(scope="module")
def found(scans):
    spect, ct, masks = scans
    return find_organs(spect, ct), spect, masks


@pytest.mark.parametrize("name", ORGANS)
def test_an_organ_is_where_the_expert_drew_it(found, name):
    finding, spect, masks = found
    one = next(f for f in finding.found if f.region.name == name)
    mask, true = one.region.mask() > 0, masks[name]
    assert 2 * (mask & true).sum() / (mask.sum() + true.sum()) > LEAST_DICE
    assert spect.values[mask].sum() == pytest.approx(spect.values[true].sum(), rel=MOST_OFF)
    assert abs(one.volume.value - true.sum() * spect.grid.voxel_volume_mL) < 2 * one.volume.u
    assert "uptake and CT" in one.region.found_by


def test_a_right_kidney_that_takes_up_as_much_as_the_liver_is_refused_and_the_liver_with_it(patient):
    spect, ct, _ = images(patient, left_kidney=100.0, right_kidney=100.0)
    finding = find_organs(spect, ct)
    assert {"left kidney", "right kidney", "liver"} <= finding.refused.keys()
    assert "not told apart" in finding.refused["liver"]


def test_a_patient_as_in_a_mirror_has_no_organs(scans):
    spect, ct, _ = scans
    finding = find_organs(flipped(spect, 0), flipped(ct, 0))
    assert not finding.found
    assert finding.refused.keys() == set(ORGANS)


def test_a_patient_upside_down_has_no_organs(scans):
    spect, ct, _ = scans
    finding = find_organs(flipped(spect, 2), flipped(ct, 2))
    assert not finding.found
    assert all("upside down" in reason for reason in finding.refused.values())


def test_a_spine_in_front_is_refused(scans):
    spect, ct, _ = scans
    with pytest.raises(OutsideValidity, match="front and back"):
        find_organs(flipped(spect, 1), flipped(ct, 1))


def test_a_ct_without_bone_is_refused(scans):
    spect, ct, _ = scans
    with pytest.raises(OutsideValidity, match="bone"):
        find_organs(spect, ct.with_values(np.minimum(ct.values, 100)))


def test_a_kidney_at_the_edge_of_the_image_is_refused(scans):
    spect, ct, masks = scans
    middle = int(np.argwhere(masks["right kidney"])[:, 2].mean())
    grid = ct.grid.part((slice(0, 102), slice(0, 67), slice(0, middle)))
    cut = [dataclasses.replace(i, values=i.values[:, :, :middle], grid=grid) for i in (spect, ct)]
    assert "right kidney" in find_organs(*cut).refused


def test_an_organ_that_cannot_be_found_is_refused(scans):
    spect, ct, _ = scans
    with pytest.raises(UnknownName, match="pancreas"):
        find_organs(spect, ct, ["pancreas"])
