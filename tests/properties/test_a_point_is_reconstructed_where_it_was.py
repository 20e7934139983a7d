"""Whatever a vendor's conventions, a point source is reconstructed at its place in the patient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import dicom, tomo
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.quantification.reconstruction import SystemModel, acquisition, mlem
from hevesy.stages.quantification.reconstruction.likelihood import Measurement

WRITES = ("view", "view through axis", "corner", "axis", "table")
# the point is shared between pixels of 8 mm and stored in whole counts; its centroid is kept to a tenth of a pixel
WITHIN_MM = 1.0


def centroid(tmp_path, scan, **tags):
    folder = dicom.write(tmp_path / "scan", [tomo.stored(scan, **tags)])
    (projections,) = read_folder(folder).series[0].load()
    system = SystemModel(acquisition.lattice_of(projections), acquisition.orbit_of(projections))
    volume = mlem(Measurement(system, acquisition.ordered_counts(projections)), 6)
    image = acquisition.counts_image(volume, projections)
    weights = image.values.astype(float)
    index = [float((weights.sum(axis=tuple({0, 1, 2} - {i})) * np.arange(n)).sum() / weights.sum())
             for i, n in enumerate(weights.shape)]  # fmt: skip
    return image.grid.to_mm(index), image.grid


@settings(max_examples=25, deadline=None)
@given(
    start=st.floats(0, 359),
    clockwise=st.booleans(),
    heads=st.sampled_from([(1, 0.0), (2, 180.0), (2, 90.0), (3, 120.0)]),
    side=st.tuples(*[st.sampled_from(["HF", "FF"]), st.sampled_from(["S", "P", "DR", "DL"])]),
    writes=st.sampled_from(WRITES),
    off=st.tuples(*[st.floats(-30, 30)] * 2, st.floats(-15, 15)),
    across=st.floats(-20, 20),
    above=st.floats(-35, 35),
)
def test_a_point_is_reconstructed_where_it_was(
    tmp_path_factory, start, clockwise, heads, side, writes, off, across, above
):
    upright = side[1] in ("S", "P")
    axis = (across, above, 400.0) if upright else (above, across, 400.0)
    middle = (0, 0, -(tomo.ROWS - 1) / 2 * tomo.SLICE)
    point = tuple(np.add(np.add(axis, middle), off))
    scan = tomo.Scan(axis, point, start, clockwise, *heads, position="".join(side), writes=writes)
    place, grid = centroid(tmp_path_factory.mktemp("tomo"), scan)
    np.testing.assert_allclose(place, point, atol=WITHIN_MM)
    assert grid.frame_of_reference == "1.2.3.5"


@pytest.mark.parametrize("to_feet", [True, False])
@pytest.mark.parametrize("mirrored", [True, False])
def test_stated_directions_of_rows_and_columns_are_followed(tmp_path, to_feet, mirrored):
    point = (20.0, -15.0, 380.0 if to_feet else 424.0)
    scan = tomo.Scan((2.0, -10.0, 400.0), point, heads=2, to_feet=to_feet, mirrored=mirrored, writes="view")
    place, _ = centroid(tmp_path, scan)
    np.testing.assert_allclose(place, point, atol=WITHIN_MM)
