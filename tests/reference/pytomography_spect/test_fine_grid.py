"""Projections on a grid of half the voxel size against an independent projector, from the phantom's description."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from hevesy.stages.quantification.reconstruction import Lattice, LinearResponse, Orbit, SystemModel

FILE = Path(__file__).parents[3].parent / "shared" / "reference" / "spect" / "ref128_noisefree.npz"
SIDE, PIXEL_MM = 256, 2.4
VIEWS = np.array([13, 40])


def phantom(shift_mm):
    """Activity and body of the elliptical cylinder with six spheres, sampled at voxel centres moved by a shift."""
    place = (np.arange(SIDE) - (SIDE - 1) / 2) * PIXEL_MM
    x, y, z = np.meshgrid(*(place + s for s in shift_mm), indexing="ij", sparse=True)
    body = ((x / 150) ** 2 + (y / 115) ** 2 <= 1) & (np.abs(z) <= 97)
    activity = body.astype(np.float32)
    for number, diameter in enumerate((10, 13, 17, 22, 28, 37)):
        angle = np.deg2rad(60 * number)
        away = (x - 57.2 * np.cos(angle)) ** 2 + (y - 57.2 * np.sin(angle)) ** 2 + z**2
        activity[away <= (diameter / 2) ** 2] = 8
    return activity, body


@pytest.mark.skipif(not FILE.is_file(), reason="shared/reference/spect is not beside the project")
def test_noise_free_projections_agree_within_0_2_percent():
    activity = mu = 0
    for shift in itertools.product((-0.6, 0.6), repeat=3):  # edges by eight samples a voxel
        samples, body = phantom(shift)
        activity, mu = activity + samples / 8, mu + 0.01353 * body / 8
    orbit = Orbit(3.0 * VIEWS + 180, np.full(VIEWS.size, 220.0))
    system = SystemModel(Lattice(SIDE, SIDE, PIXEL_MM, PIXEL_MM), orbit, LinearResponse(0.03161982, 1.248503), mu)
    ours = system.forward(activity).reshape(VIEWS.size, 128, 2, 128, 2).sum(axis=(2, 4)) / 8
    with np.load(FILE) as file:
        theirs = file["proj_fine"][VIEWS]
    assert np.linalg.norm(ours - theirs) / np.linalg.norm(theirs) < 2e-3  # issue: 0.2% L2
