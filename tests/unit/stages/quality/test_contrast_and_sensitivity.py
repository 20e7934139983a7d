"""Cold spheres of known contrast in a cylinder; count rates with known background."""

from datetime import datetime

import numpy as np
import pytest

from hevesy.core import EnergyWindow, Grid, Image, PlanarView, Quantity, Timing
from hevesy.errors import BadInput, ContradictoryInformation, MissingInformation
from hevesy.stages.quality.contrast import SPHERES_MM, jaszczak_contrast
from hevesy.stages.quality.sensitivity import net_count_rate


def phantom(contrast, turn=0.4, sense=1, noise=0.0, spacing=3.0):
    """A cylinder of 105 mm radius with six spheres on a ring of 58 mm, whose every voxel is wholly in or out."""
    n, slices = 80, 40
    z, y, x = np.meshgrid(*(np.arange(k) * spacing for k in (slices, n, n)), indexing="ij")
    middle = (n - 1) / 2 * spacing
    values = 1000.0 * (np.hypot(y - middle, x - middle) <= 105)
    for k, diameter in enumerate(SPHERES_MM):
        angle = turn + sense * k * np.pi / 3
        away = (z - 60) ** 2 + (y - middle - 58 * np.sin(angle)) ** 2 + (x - middle - 58 * np.cos(angle)) ** 2
        values[away <= (diameter / 2) ** 2] *= 1 - contrast
    values *= 1 + noise * np.random.default_rng(4).standard_normal(values.shape)
    affine = np.array([[0, 0, spacing, 0], [0, spacing, 0, 0], [spacing, 0, 0, 0], [0, 0, 0, 1.0]])
    return Image(values, Grid(values.shape, affine), Quantity.COUNTS)


@pytest.mark.parametrize(("turn", "sense"), [(0.4, 1), (2.9, -1)])
def test_the_contrast_of_every_sphere_is_found_whichever_way_they_run(turn, sense):
    found = jaszczak_contrast(phantom(0.7, turn, sense))
    assert [s.diameter_mm for s in found.spheres] == list(SPHERES_MM)
    # a third of a voxel
    assert found.ring_mm == pytest.approx(58, abs=1.0)
    for sphere in found.spheres:
        # a sphere of diameter d that is placed 1 mm off loses 1.5 mm / d of its volume
        assert sphere.contrast.value == pytest.approx(0.7, rel=1.5 / sphere.diameter_mm)


def test_noise_is_that_of_the_voxels():
    found = jaszczak_contrast(phantom(0.7, noise=0.08))
    assert found.noise_percent == pytest.approx(8.0, rel=0.05)
    # white noise: the mean of n voxels is known √n better; a quarter, for places overlap
    voxels = np.pi / 6 * SPHERES_MM[-1] ** 3 / 27
    assert found.spheres[-1].contrast.u == pytest.approx(0.08 / np.sqrt(voxels), rel=0.25)


def test_a_cylinder_without_spheres_and_an_empty_image_are_refused():
    with pytest.raises(BadInput, match="sphere"):
        jaszczak_contrast(phantom(0.0))
    with pytest.raises(BadInput, match="cylinder"):
        jaszczak_contrast(phantom(0.7).with_values(np.zeros((40, 80, 80))))


def view(total, seconds, keV=(126.0, 154.0), pixel=4.0):
    counts = np.full((10, 10), total / 100)
    timing = Timing(datetime(2024, 3, 1, 12), seconds) if seconds else None
    return PlanarView(counts, (pixel, pixel), window=EnergyWindow((keV,)), timing=timing)


def test_the_net_rate_is_the_difference_of_rates_with_counting_uncertainty():
    found = net_count_rate(view(60_000, 60.0), view(3_000, 300.0))
    assert found.value == pytest.approx(1000 - 10)
    assert found.u == pytest.approx(np.sqrt(60_000 / 60**2 + 3_000 / 300**2))
    assert found.unit == "1/s"


def test_backgrounds_that_do_not_belong_are_refused():
    source = view(60_000, 60.0)
    with pytest.raises(ContradictoryInformation, match="windows"):
        net_count_rate(source, view(3_000, 300.0, keV=(100.0, 120.0)))
    with pytest.raises(ContradictoryInformation, match="pixels"):
        net_count_rate(source, view(3_000, 300.0, pixel=2.0))
    with pytest.raises(MissingInformation):
        net_count_rate(view(60_000, 0.0))
    with pytest.raises(BadInput):
        net_count_rate(view(600, 60.0), view(3_000, 30.0))
