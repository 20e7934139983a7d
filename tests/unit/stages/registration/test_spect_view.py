import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hevesy.core import PlanarView
from hevesy.errors import BadInput, RegistrationWorsened
from hevesy.stages.registration.spect_view import laid_on_view, place_on_view


@pytest.fixture(scope="module")
def patient():
    """Blurred organs of unlike activity in a long body, 3 mm pixels."""
    random = np.random.default_rng(4)
    seen = np.zeros((200, 90))
    seen[10:190, 20:70] = 20.0
    for _ in range(12):
        row, column = random.integers(20, 170), random.integers(22, 58)
        seen[row : row + random.integers(6, 20), column : column + random.integers(5, 12)] += random.uniform(50, 400)
    return gaussian_filter(seen, 2.0)


def test_a_part_is_found_far_from_the_middle_and_lies_on_its_like(patient):
    view = PlanarView(np.random.default_rng(5).poisson(patient), (3.0, 3.0))
    part = patient[25:85, 12:80] * 7e3
    place = place_on_view(view, part)
    shift = [c + s / 3.0 for c, s in zip(place.corner, place.motion.shift_mm, strict=True)]
    # a third of a pixel, 1 mm, as the registration of two views
    assert shift == pytest.approx([25, 12], abs=0.34)
    laid = laid_on_view(view, part, place)
    assert laid.shape == patient.shape
    assert laid[30:80, 15:75] == pytest.approx(7e3 * patient[30:80, 15:75], rel=0.1, abs=7e3 * 12)
    assert not laid[:20].any()


def test_a_part_wider_than_the_view_is_cut(patient):
    view = PlanarView(patient[:, 15:75], (3.0, 3.0))
    place = place_on_view(view, patient[25:85])
    laid = laid_on_view(view, patient[25:85], place)
    assert laid[30:80] == pytest.approx(patient[30:80, 15:75], rel=0.1, abs=12)


def test_another_patient_is_refused(patient):
    noise = np.random.default_rng(6).poisson(30.0, patient.shape)
    with pytest.raises(RegistrationWorsened):
        place_on_view(PlanarView(noise, (3.0, 3.0)), patient[25:85])


def test_a_spect_without_activity_is_refused(patient):
    with pytest.raises(BadInput, match="without activity"):
        place_on_view(PlanarView(patient, (3.0, 3.0)), np.zeros((20, 20)))


@pytest.mark.parametrize(("axes", "how"), [((0,), "upside down"), ((1,), "mirrored"), ((0, 1), "turned by 180°")])
def test_a_view_that_is_not_upright_is_refused(patient, axes, how):
    with pytest.raises(RegistrationWorsened, match=how):
        place_on_view(PlanarView(np.flip(patient, axes), (3.0, 3.0)), patient[25:85])
