"""A file cut off anywhere is refused, and never read as less than it was."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from hevesy.core import Grid, Image, Outline, Quantity, Region
from hevesy.errors import HevesyError
from hevesy.stages.imaging import rtdose, rtstruct, segmentation_object

GRID = Grid.regular((6, 5, 4), (2.0, 2.0, 3.0), frame_of_reference="1.2.3")
MADE = datetime(2026, 1, 2)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    header = Dataset()
    header.SOPClassUID, header.SOPInstanceUID = PositronEmissionTomographyImageStorage, "1.2.4"
    header.SeriesInstanceUID, header.StudyInstanceUID, header.FrameOfReferenceUID = "1.2.5", "1.2.6", "1.2.3"
    square = np.array([[2, 2, 3], [6, 2, 3], [6, 6, 3], [2, 6, 3.0]])
    outlines = [Outline(name, (square, np.add(square, (0, 0, 3))), "1.2.3") for name in ("a", "b")]
    regions = [Region(name, GRID, np.ones((3, 3, 3)), (1, 1, 1)) for name in ("a", "b")]
    rtstruct.write(outlines, [header], folder / "outlines", MADE)
    segmentation_object.write(regions, [header], folder / "regions", MADE)
    rtdose.write(Image(np.ones(GRID.shape), GRID, Quantity.ABSORBED_DOSE), [header], folder / "dose", MADE)
    return folder


READERS = {
    "outlines": (rtstruct.read_structures, lambda s: [len(o.contours_mm) for o in s.outlines]),
    "regions": (segmentation_object.read_segments, lambda s: [r.volume_mL for r in s.regions]),
    "dose": (rtdose.read, lambda image: image.values.tolist()),
}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 0.9999))
@example(share=0.76953125)  # within a sequence, which pydicom reads as what is left of it
@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom warns of what it then fails to read
def test_a_file_cut_off_anywhere(name, share, written, tmp_path):
    read, extent = READERS[name]
    whole = (written / name).read_bytes()
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(whole[: int(share * len(whole))])
    try:
        found = read(cut)
    except HevesyError:
        return
    assert extent(found) == extent(read(written / name))
