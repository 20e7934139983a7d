"""However a file is damaged, reading it gives a value or a refusal: never another exception."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import camera, dicom
from hevesy.errors import HevesyError
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.summary import summarise

STORED = np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(np.uint16)
OBJECTS = {
    "pet": lambda: dicom.pet(STORED),
    "ct": lambda: dicom.ct(STORED.astype(np.int16)),
    "reconstruction": lambda: [camera.reconstruction(STORED)],
    "projections": lambda: [camera.acquisition(views=2)[0]],
    "planar": lambda: [camera.camera(STORED, "STATIC")],
}


def read_all(folder):
    for series in read_folder(folder, tolerant=True).series:
        summarise(series)
        with contextlib.suppress(HevesyError):
            series.load()


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(OBJECTS)),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
    left=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_changed_bytes_and_lost_ends_are_read_or_refused(kind, places, left):
    with tempfile.TemporaryDirectory() as folder:
        dicom.write(Path(folder), OBJECTS[kind]())
        victim = Path(folder) / "0000.dcm"
        content = bytearray(victim.read_bytes())
        for place, value in places:
            content[int(place * len(content))] = value
        victim.write_bytes(bytes(content[: int(left * len(content))]))
        with contextlib.suppress(HevesyError):
            read_all(folder)
