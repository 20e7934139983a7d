"""What the viewer fetches of an image: its numbers, and a preview of a large one."""

import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hevesy.workflows.viewer_numbers import PREVIEW_VOXELS, averaged, preview_factor, write_numbers


def read(folder, name, shape):
    return np.frombuffer(zlib.decompress((folder / name).read_bytes()), "<i2").reshape(shape)


@given(st.tuples(*[st.integers(1, 12)] * 3), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_a_voxel_of_a_preview_is_the_mean_of_those_that_it_stands_for(shape, factor, seed):
    stored = np.random.default_rng(seed).integers(-32767, 32768, shape).astype(np.int16)
    found = averaged(stored, factor)
    assert found.shape == tuple(-(-n // factor) for n in shape)
    for index in np.ndindex(found.shape):
        cube = stored[tuple(slice(i * factor, (i + 1) * factor) for i in index)]
        assert found[index] == pytest.approx(cube.mean(), abs=0.51)  # whole numbers: half of one, and of rounding


@given(st.tuples(*[st.integers(1, 2000)] * 3))
def test_a_preview_is_as_fine_as_its_number_of_voxels_allows(shape):
    factor = preview_factor(shape)
    assert np.prod([-(-n // factor) for n in shape]) <= PREVIEW_VOXELS
    assert factor == 1 or np.prod([-(-n // (factor - 1)) for n in shape]) > PREVIEW_VOXELS


def test_a_small_image_has_no_preview(tmp_path):
    stored = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    entry = write_numbers(stored, tmp_path)
    assert "preview" not in entry
    assert (read(tmp_path, entry["url"], stored.shape) == stored).all()


def test_a_large_image_is_written_whole_and_as_a_preview_with_what_the_first_window_needs(tmp_path):
    stored = np.zeros((129, 128, 128), np.int16)
    stored[:, :10] = np.random.default_rng(3).integers(200, 20000, (129, 10, 128))
    stored[5, 5, 5] = 30000
    entry = json.loads(json.dumps(write_numbers(stored, tmp_path)))
    preview = entry["preview"]
    assert (read(tmp_path, entry["url"], stored.shape) == stored).all()
    assert (preview["factor"], preview["greatest"]) == (2, 30000)
    assert (read(tmp_path, preview["url"], (65, 64, 64)) == averaged(stored, 2)).all()
    # a sample of 33,000 voxels: the share above is known to 0.04%
    assert (stored[stored > 150] > preview["bright"]).mean() == pytest.approx(0.005, abs=0.0015)
