"""Total activity is conserved by reading: sum of value × voxel volume is that of the stored slices."""

import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import camera, dicom
from hevesy.stages.imaging.folder import read_folder

spacings = st.tuples(*[st.floats(0.5, 10).map(lambda x: round(x, 3))] * 3)
seeds = st.integers(0, 2**32 - 1)


def rotation(seed):
    """Two perpendicular unit vectors in a random direction, as a DICOM orientation."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return (*q[:, 0], *q[:, 1])


@settings(max_examples=25, deadline=None)
@given(spacing=spacings, seed=seeds, slices=st.integers(2, 6))
def test_whatever_the_orientation_spacing_slopes_and_order_of_pet_slices(spacing, seed, slices):
    random_numbers = np.random.default_rng(seed)
    stored = random_numbers.integers(0, 65535, (slices, 4, 5)).astype(np.uint16)
    slopes = [float(f"{s:.6g}") for s in random_numbers.uniform(1e-4, 50, slices)]
    objects = dicom.pet(stored, slopes, spacing_mm=spacing, orientation=rotation(seed))
    random.Random(seed).shuffle(objects)
    with tempfile.TemporaryDirectory() as folder:
        image = read_folder(dicom.write(Path(folder), objects)).series[0].image()
    held = float((stored.sum((1, 2)) * np.array(slopes)).sum()) * float(np.prod(spacing)) * 1e-3
    read = float(image.values.sum(dtype=np.float64)) * image.grid.voxel_volume_mL
    # 1e-4: positions and directions are decimal strings of sixteen characters, values are single precision
    assert read == pytest.approx(held, rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, spacing=st.floats(-9, 9).filter(lambda s: abs(s) > 0.5).map(lambda s: round(s, 3)))
def test_whichever_way_a_camera_stacks_its_slices(seed, spacing):
    stored = np.random.default_rng(seed).integers(0, 65535, (5, 3, 4)).astype(np.uint16)
    with tempfile.TemporaryDirectory() as folder:
        made = camera.reconstruction(stored, spacing=spacing)
        image = read_folder(dicom.write(Path(folder), [made])).series[0].image()
    read = float(image.values.sum(dtype=np.float64)) * image.grid.voxel_volume_mL
    assert read == pytest.approx(float(stored.sum()) * 4 * 5 * abs(spacing) * 1e-3, rel=1e-6)
