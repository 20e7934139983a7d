"""Whatever stands in the source's texts and in names of regions, the objects made are sound and hold it inert."""

import numpy as np
import pydicom
import pytest

from hevesy.core import Image, Quantity, Region
from hevesy.stages.imaging import rtdose, rtstruct, segmentation_writer
from hevesy.stages.segmentation.contour import outline

NASTY = "<script>alert(1)</script>\\x\x1b[2J\n^=\0" + "é" * 40


def write(kind, headers, region, path, made_at):
    if kind == "dose":
        dose = Image(np.ones(region.grid.shape), region.grid, Quantity.ABSORBED_DOSE)
        rtdose.write(dose, headers, path, made_at)
    elif kind == "segments":
        segmentation_writer.write([region], headers, path, made_at)
    else:
        rtstruct.write([outline(region)], headers, path, made_at)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, of the very texts that are tried here
@pytest.mark.parametrize("kind", ["dose", "segments", "structures"])
@pytest.mark.parametrize("name", ["Evil\\Na^me\x07\x1b$B", "a^b^c^d^e^f^g", "x=y=z=w", "^^^^", "n" * 90, "Люкс^И"])
def test_hostile_texts_give_a_sound_object_of_single_printable_values(
    kind, name, headers, oblique, made_at, tmp_path, faults
):
    for source in headers:
        source.SpecificCharacterSet = "ISO_IR 192"
        source.PatientName, source.PatientID = name, "1\\2"
        source.StudyDescription, source.AccessionNumber = NASTY, "12345678901234567890"
        source.PatientBirthDate, source.PatientSex = "00000000", "?"
    mask = np.zeros(oblique.shape)
    mask[2:6, 3:7, 2:5] = 1
    write(kind, headers, Region.from_mask(NASTY, oblique, mask), tmp_path / "o.dcm", made_at)
    assert faults(tmp_path / "o.dcm") == []
    made = pydicom.dcmread(tmp_path / "o.dcm")
    for element in made.iterall():
        if element.VR in ("LO", "SH", "PN", "ST") and element.value:
            assert element.VM == 1
            assert str(element.value).isprintable()
