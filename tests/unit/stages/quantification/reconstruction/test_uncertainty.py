import numpy as np
import pytest

from factories.spect import small_system, water_cylinder
from hevesy.errors import BadInput
from hevesy.stages.quantification.reconstruction import Measurement, Schedule, osem
from hevesy.stages.quantification.reconstruction.uncertainty import bootstrap

INSIDE = water_cylinder(16, 3, 8.0, 40.0)


def image_of(measurement):
    return osem(measurement, Schedule(4, 6))


def test_one_scan_tells_the_spread_of_repeated_scans():
    system, random = small_system(side=16, slices=3), np.random.default_rng(5)
    mean = 40 * np.maximum(system.forward(water_cylinder(16, 3, 8.0, 50.0)), 0)
    scans = [Measurement(system, random.poisson(mean)) for _ in range(60)]
    repeated = np.stack([image_of(scan) for scan in scans])
    resampled = bootstrap(scans[0], image_of, 60, random)
    # 60 replicates: a standard deviation is known to 9%; the mean over voxels better, a sum over the region no better
    voxels = resampled.standard_uncertainty[INSIDE].mean() / repeated.std(axis=0, ddof=1)[INSIDE].mean()
    assert voxels == pytest.approx(1, abs=0.1)
    region = resampled.of_region(INSIDE.astype(np.float32)) / repeated[:, INSIDE].sum(axis=1).std(ddof=1)
    assert region == pytest.approx(1, abs=0.4)


def test_one_replicate_has_no_spread():
    system = small_system(side=16, slices=3)
    with pytest.raises(BadInput, match="two or more"):
        bootstrap(Measurement(system, np.ones(system.projection_shape)), image_of, 1, np.random.default_rng(1))
