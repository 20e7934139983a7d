"""No name, identifier, date or UID of an original is anywhere in the bytes of what was made of it."""

import io
import re
import warnings
from datetime import datetime, timedelta

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.config import IGNORE
from pydicom.datadict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from factories import dicom
from hevesy.errors import IdentityRemains
from hevesy.stages.imaging.deidentification import BULK, deidentified
from hevesy.stages.imaging.derived import save
from hevesy.stages.imaging.identity import Pseudonyms, elements_within

PSEUDONYMS = Pseudonyms(b"a secret of 32 bytes for tests..")
NAME, IDENTIFIER, PHYSICIAN, HOSPITAL = (
    "Zyxwvut^Quorble^Bartholomea",
    "QX-7744119",
    "Drumgoold^Xanthippe",
    "Sanktvorbis",
)
BORN, DATES = "19310417", ("20180317", "20180324", "20180411")
UIDS = tuple(f"1.2.826.0.1.998877.6655.{n}4433221" for n in (1, 2, 3))
SECRETS = (*re.split(r"\^", f"{NAME}^{PHYSICIAN}"), IDENTIFIER, HOSPITAL, BORN, *DATES, *UIDS)

TEXTS = st.sampled_from(
    [
        NAME,
        "Mrs Quorble, known since 17.04.1931",
        f"{IDENTIFIER} liver lesion",
        "Zyxwvut_SPECT_24h",
        HOSPITAL,
        f"seen by XANTHIPPE on {DATES[0]}",
        f"see {UIDS[1]}",
        "Lu-177 DOTATATE",
        "kidney left",
        "<script>alert(1)</script>",
    ]
)
INSTANTS = st.sampled_from([f"{DATES[0]}101500", f"{DATES[1]}235959.123456+0100", DATES[2]])
VALUES = {
    "PN": st.sampled_from([NAME, PHYSICIAN, "Quorble=Zyxwvut"]),
    **dict.fromkeys(("LO", "LT", "ST", "UT", "UC"), TEXTS),
    "SH": st.sampled_from([IDENTIFIER, HOSPITAL, "Quorble 1"]),
    "AE": st.just("SANKTVORBIS"),
    "DA": st.sampled_from([BORN, *DATES]),
    "DT": INSTANTS,
    "TM": st.sampled_from(["101500", "QUORBLE"]),
    "AS": st.sampled_from(["095Y", "QUORBLE"]),
    "UI": st.sampled_from([*UIDS, "1.2.840.10008.Quorble"]),
    "DS": st.just("4.25"),
    "FD": st.just(2.5),
    "UR": st.just(f"https://example.invalid/{IDENTIFIER}"),
    **dict.fromkeys(("OB", "OW", "OB or OW", "OD", "OF", "OL", "OV", "UN"), st.just(b"Quorble\0")),
}
FIXED = {Tag(k) for k in ("SOPClassUID", "SOPInstanceUID", "PatientID", "PatientName", "SpecificCharacterSet")}
FIXED |= {Tag(k) for k in ("Modality", "ConversionType", "BurnedInAnnotation", "StudyInstanceUID")}
#: every attribute of the standard that holds a text, a date, a UID or a number, but groups that files do not hold
TAGS = sorted(
    Tag(tag)
    for tag, (vr, *_) in DicomDictionary.items()
    if vr in VALUES and Tag(tag) not in FIXED | BULK and 0x0008 <= Tag(tag).group < 0x7FE0 and Tag(tag).element
)
SEQUENCES = sorted(Tag(t) for t, (vr, *_) in DicomDictionary.items() if vr == "SQ" and Tag(t).group >= 0x0008)


@st.composite
def items(draw, depth=3):
    made = Dataset()
    for tag in draw(st.lists(st.sampled_from(TAGS), max_size=8, unique=True)):
        vr = DicomDictionary[tag][0]
        made.add(DataElement(tag, vr.split(" or ")[-1], draw(VALUES[vr]), validation_mode=IGNORE))
    if depth:
        for tag in draw(st.lists(st.sampled_from(SEQUENCES), max_size=2, unique=True)):
            made.add_new(tag, "SQ", draw(st.lists(items(depth - 1), max_size=2)))
    if draw(st.booleans()):
        made.private_block(0x0099, "HOSPITAL SYSTEM", create=True).add_new(1, "LO", NAME)
    return made


@st.composite
def objects(draw):
    made = draw(items())
    made.SOPClassUID, made.SOPInstanceUID, made.StudyInstanceUID = dicom.PET, UIDS[0], UIDS[1]
    made.PatientName, made.PatientID, made.PatientBirthDate = NAME, IDENTIFIER, BORN
    made.ReferringPhysicianName, made.InstitutionName, made.Modality = PHYSICIAN, HOSPITAL, "PT"
    made.add_new(0x60003000, "OB", b"Quorble\0")
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = draw(st.sampled_from([ImplicitVRLittleEndian, ExplicitVRLittleEndian]))
    made.file_meta.SourceApplicationEntityTitle = "SANKTVORBIS"
    made.preamble = b"Quorble".ljust(128, b"\0")
    return made


def written(dataset, path):
    save(dataset, path)
    return path.read_bytes()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(original=objects())
def test_no_identifying_value_survives_in_the_bytes_however_deep_it_stood(original, tmp_path_factory):
    folder = tmp_path_factory.mktemp("d")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of texts longer than their kind of value allows
        before = written(original, folder / "a.dcm")
        assert NAME.encode() in before
        after = written(deidentified(pydicom.dcmread(folder / "a.dcm"), PSEUDONYMS), folder / "b.dcm").lower()
    assert [secret for secret in SECRETS if secret.lower().encode() in after] == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(original=objects())
def test_numbers_and_times_stay_and_every_date_that_stays_goes_back_by_one_and_the_same_span(original):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = io.BytesIO()
        pydicom.dcmwrite(file, original)
        made = deidentified(pydicom.dcmread(io.BytesIO(file.getvalue())), PSEUDONYMS)
    back = timedelta(days=PSEUDONYMS.days(PSEUDONYMS.patient(IDENTIFIER)))
    moved = {f"{datetime.strptime(day, '%Y%m%d') - back:%Y%m%d}" for day in (BORN, *DATES)}
    for element in elements_within(made):
        if element.VR in ("DA", "DT") and element.value:
            assert str(element.value)[:8] in moved
        if element.VR == "DT" and len(str(element.value)) > 8:
            assert str(element.value)[8:] in ("101500", "235959.123456+0100")
        if element.VR == "DS":
            assert element.value in (4.25, 0)
        if element.VR == "TM":
            assert element.value in ("101500", "000000", "")


def test_a_name_in_a_coded_value_is_refused_since_a_code_cannot_be_cleaned():
    (original,) = dicom.pet(
        np.ones((1, 2, 2), np.uint16), PatientID="QUORBLE7", ImageType=["ORIGINAL", "PRIMARY", "QUORBLE7"]
    )
    with pytest.raises(IdentityRemains, match="Image Type"):
        deidentified(original, PSEUDONYMS)
