"""Convolution with an even kernel against the sum that defines it."""

import numpy as np
import pytest

from hevesy.kernels.convolution import convolve_even, even_spectrum


def by_definition(volume, octant):
    result = np.zeros(volume.shape)
    for target in np.ndindex(volume.shape):
        for source in np.ndindex(volume.shape):
            offset = tuple(abs(t - s) for t, s in zip(target, source, strict=True))
            if all(o < n for o, n in zip(offset, octant.shape, strict=True)):
                result[target] += volume[source] * octant[offset]
    return result


@pytest.mark.parametrize("kernel_shape", [(1, 1, 1), (2, 3, 2), (5, 7, 4), (9, 9, 9)])
def test_convolution_is_the_sum_over_all_pairs_of_voxels(kernel_shape):
    random = np.random.default_rng(3)
    volume, octant = random.random((5, 7, 4)), random.random(kernel_shape)
    found = convolve_even(volume, even_spectrum(octant, volume.shape))
    np.testing.assert_allclose(
        found, by_definition(volume, octant), rtol=1e-5, atol=1e-5
    )  # 32-bit spectra of values near 1


def test_nothing_wraps_around_an_edge():
    volume = np.zeros((6, 6, 6))
    volume[0, 0, 0] = 1.0
    octant = np.zeros((2, 2, 2))
    octant[0, 0, 0], octant[1, 0, 0] = 1.0, 0.5
    found = convolve_even(volume, even_spectrum(octant, volume.shape))
    assert found[0, 0, 0] == pytest.approx(1.0, abs=1e-6)
    assert found[1, 0, 0] == pytest.approx(0.5, abs=1e-6)
    assert abs(found[-1]).max() < 1e-6


def test_the_number_of_threads_does_not_matter():
    random = np.random.default_rng(5)
    volume, octant = random.random((16, 16, 16)), random.random((16, 16, 16))
    one, two = (convolve_even(volume, even_spectrum(octant, volume.shape, n), n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
