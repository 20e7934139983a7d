import numpy as np
import pytest

from factories.spect import water_cylinder
from hevesy.errors import BadInput, IncompleteSeries
from hevesy.stages.quantification.reconstruction import Lattice, Orbit, SystemModel
from hevesy.stages.quantification.reconstruction.analytic import filtered_backprojection, smoothed

LATTICE = Lattice(48, 2, 4.0, 4.0)


@pytest.mark.parametrize("arc", [180.0, 360.0])
def test_filtered_backprojection_keeps_the_value_of_a_disc(arc):
    angles = np.arange(90) * arc / 90
    system = SystemModel(LATTICE, Orbit(angles, np.full(90, 150.0)))
    image = filtered_backprojection(system, system.forward(3.0 * water_cylinder(48, 2, 4.0, 70.0)))
    inside = water_cylinder(48, 2, 4.0, 55.0)
    # interpolation of 48 bins and 90 views
    assert image[inside].mean() == pytest.approx(3.0, rel=0.01)
    assert np.abs(image[~water_cylinder(48, 2, 4.0, 85.0)]).mean() < 0.1


def test_filtered_backprojection_needs_a_half_circle():
    angles = np.arange(0.0, 120, 4)
    system = SystemModel(LATTICE, Orbit(angles, np.full(angles.size, 150.0)))
    with pytest.raises(IncompleteSeries):
        filtered_backprojection(system, np.ones(system.projection_shape))


def test_smoothing_has_its_width_in_mm_and_keeps_the_sum():
    image = np.zeros((31, 31, 31))
    image[15, 15, 15] = 1
    out = smoothed(image, Lattice(31, 31, 2.0, 3.0), 9.0)
    place = np.arange(31) - 15
    assert out.sum() == pytest.approx(1, abs=1e-4)
    for axis, size in ((0, 2.0), (2, 3.0)):
        profile = out.sum(axis=tuple(a for a in range(3) if a != axis))
        # a sampled Gaussian of more than a bin
        assert 2.3548 * size * np.sqrt((profile * place**2).sum()) == pytest.approx(9.0, rel=0.01)
    with pytest.raises(BadInput):
        smoothed(image, LATTICE, -1.0)
