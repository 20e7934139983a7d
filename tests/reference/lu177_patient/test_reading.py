"""The real Lu-177 patient (University of Michigan, doi 10.7302/0n8e-rz46, CC BY-NC 4.0) opens in full and right."""

from datetime import datetime
from pathlib import Path

import pytest

from hevesy.core import Quantity
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.imaging.supplied import Supplied

SOURCE = Path(__file__).parents[3] / "examples/lu177-dotatate"


@pytest.fixture(scope="module")
def patient():
    return read_folder(SOURCE)


def test_two_spect_scans_and_two_structure_sets_are_found(patient):
    assert [len(s.files) for s in patient.of_kind(Kind.SPECT)] == [199, 199]
    assert len(patient.of_kind(Kind.RTSTRUCT)) == 2
    assert patient.patient.mass_kg == pytest.approx(92.987)
    assert [s.problems for s in patient.series] == [()] * 4


def test_the_administration_is_that_of_the_header(patient):
    for series in patient.of_kind(Kind.SPECT):
        given = series.injected.administration()
        assert (given.nuclide, given.time) == ("Lu-177", datetime(2018, 11, 15, 9, 22))
        assert given.activity.value == pytest.approx(194.876 * 37e6, rel=1e-5)  # written as millicuries by the maker


def test_activity_is_plausible_and_its_reference_instant_is_doubted_aloud(patient):
    first, second = (s.image() for s in patient.of_kind(Kind.SPECT))
    for image, start in ((first, datetime(2018, 11, 15, 13, 6, 28)), (second, datetime(2018, 11, 16, 13, 5, 31))):
        assert image.quantity is Quantity.ACTIVITY_CONCENTRATION
        assert image.timing.start.replace(microsecond=0) == start
        assert image.timing.duration_s == pytest.approx(1506, abs=2)
        assert image.timing.decay_corrected_to == datetime(2018, 11, 15, 9, 22)
        assert any("Decay Factor is 1" in note for note in image.provenance.notes)
        seen = float(image.values.sum(dtype=float)) * image.grid.voxel_volume_mL
        assert 0.05 * 7.21e9 < seen < 7.21e9  # 39 cm of the body, and no more than was given
    # the second scan holds values that only unsigned 16-bit integers can: 34710 × 100 Bq/mL
    assert float(second.values.max()) == 34710 * 100


def test_who_knows_that_decay_was_not_corrected_can_say_so(patient):
    image = patient.of_kind(Kind.SPECT)[0].image(Supplied(decay_corrected_to="none"))
    assert image.timing.decay_corrected_to is None
