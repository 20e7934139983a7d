"""Files made to harm: each is refused with a reason, and the import goes on."""

import io
import struct
import time
import warnings
import zipfile
import zlib

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from factories.dicom import change, item
from hevesy.errors import BadInput
from hevesy.web.site.store.importing import import_path
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.models import Instance, Patient, Remark, Study

pytestmark = pytest.mark.django_db

MIB = 1024**2
SMALL = Limits(files=500, total=64 * MIB, file=32 * MIB, ratio=100, harmless=8 * MIB)


@pytest.fixture
def incoming(home, tmp_path, make_object):
    """A folder with one sound object, which must arrive whatever lies beside it."""
    make_object(tmp_path / "in/sound.dcm", "1.2.3.1.1")
    return tmp_path / "in"


def refused(incoming, limits=SMALL):
    """Import and return the one reason; the sound object is stored and nothing else is."""
    report = import_path(incoming, None, limits=limits)
    assert (report.new, report.refused) == (1, 1), report
    assert Instance.objects.get().uid == "1.2.3.1.1"
    return report.refusals[0][1]


def zipped(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_an_archive_of_zeros_is_a_bomb(incoming):
    zipped(incoming / "bomb.zip", [("zeros", bytes(16 * MIB))])
    assert "-fold, as no images do" in refused(incoming)


def test_a_bomb_that_tells_a_smaller_size_is_cut_where_it_said(incoming):
    path = zipped(incoming / "bomb.zip", [("zeros", bytes(16 * MIB))])
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 16 * MIB), struct.pack("<I", 1000)))
    assert "cannot be unpacked" in refused(incoming)


def test_an_archive_that_unpacks_beyond_the_limit_is_refused(incoming):
    noise = pydicom.uid.generate_uid().encode() * 200_000
    zipped(incoming / "large.zip", [(f"{n}.bin", noise) for n in range(6)])
    assert "more than is allowed" in refused(incoming)


def test_a_bomb_in_an_archive_is_found_there(incoming):
    inner = io.BytesIO()
    zipped(inner, [("zeros", bytes(16 * MIB))])
    zipped(incoming / "outer.zip", [("inner.zip", inner.getvalue())])
    assert "-fold, as no images do" in refused(incoming)


def test_an_archive_of_too_many_files_is_refused_by_its_directory(incoming):
    zipped(incoming / "many.zip", [(str(n), b"") for n in range(501)])
    assert "501 files, more than 500" in refused(incoming)


def test_a_directory_that_would_fill_the_memory_is_not_read(incoming):
    zipped(incoming / "many.zip", [(str(n), b"") for n in range(500)])
    assert "directory is" in refused(incoming, Limits(files=50))


def test_archives_that_together_bring_too_many_files_stop_the_import(incoming):
    for number in range(3):
        zipped(incoming / f"{number}.zip", [(f"{n}.txt", b"x") for n in range(200)])
    with pytest.raises(BadInput, match="more than 500 files"):
        import_path(incoming, None, limits=SMALL)
    assert "more than 500 files" in Remark.objects.order_by("-id")[0].line


@pytest.mark.parametrize("name", ["../../escape.dcm", "/etc/escape.dcm", "a/../../escape.dcm", "..\\..\\escape.dcm"])
def test_a_name_that_leads_out_of_its_archive_is_refused(incoming, tmp_path, name):
    zipped(incoming / "slip.zip", [(name, (incoming / "sound.dcm").read_bytes())])
    assert "leads out" in refused(incoming)
    assert not list(tmp_path.rglob("escape.dcm"))


def test_a_link_in_an_archive_is_refused(incoming):
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(incoming / "links.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "a link" in refused(incoming)


def test_an_encrypted_member_is_refused(incoming):
    path = zipped(incoming / "secret.zip", [("a.dcm", b"abc")])
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    path.write_bytes(content)
    assert "encrypted" in refused(incoming)


@pytest.mark.parametrize("kept", [10, 60, 100])
def test_a_truncated_archive_is_refused(incoming, kept):
    path = zipped(incoming / "cut.zip", [("a.dcm", b"abc")])
    path.write_bytes(path.read_bytes()[:kept])
    assert "archive is" in refused(incoming)


def test_an_object_that_inflates_without_end_is_refused(incoming):
    made = pydicom.dcmread(incoming / "sound.dcm")
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1.2"
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    start = 144 + pydicom.dcmread(io.BytesIO(content)).file_meta.FileMetaInformationGroupLength
    whole = zlib.decompress(content[start:], -zlib.MAX_WBITS)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    (incoming / "bomb.dcm").write_bytes(content[:start] + packer.compress(whole + bytes(16 * MIB)) + packer.flush())
    assert "unpacks to more than" in refused(incoming)


def changed(incoming, **tags):
    made = pydicom.dcmread(incoming / "sound.dcm")
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1.2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what is wrong on purpose
        return change(made, **tags)


def write(made, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.save_as(path)


def test_truncated_pixels_are_refused(incoming):
    whole = (incoming / "sound.dcm").read_bytes()
    for cut in (1, 31):
        (incoming / "cut.dcm").write_bytes(whole[:-cut])
        assert "truncated" in import_path(incoming, None).refusals[0][1]
    assert Instance.objects.count() == 1


def test_an_object_cut_anywhere_is_refused_or_says_what_is_missing(incoming):
    """A cut between two elements of the header cannot be told from an end, but leaves no object with pixels."""
    whole = (incoming / "sound.dcm").read_bytes()
    for cut in range(140, len(whole), 23):
        (incoming / "cut.dcm").write_bytes(whole[:cut])
        report = import_path(incoming / "cut.dcm", None)
        assert (report.new, report.refused) == (0, 1), cut


def test_fewer_pixels_than_rows_and_columns_say_are_refused(incoming):
    changed(incoming, Rows=2000, Columns=2000).save_as(incoming / "claims.dcm")
    assert "bytes of pixels, not 8000000" in refused(incoming)


def test_an_object_that_claims_pixels_without_measure_is_refused(incoming):
    made = changed(incoming, Rows=65535, Columns=65535, NumberOfFrames=1000)
    made.file_meta.TransferSyntaxUID = RLELossless
    made.PixelData = pydicom.encaps.encapsulate([b"\x00" * 64])
    made["PixelData"].VR = "OB"
    made.save_as(incoming / "claims.dcm")
    assert "claims" in refused(incoming)


def test_compressed_pixels_that_end_too_early_are_refused(incoming):
    made = changed(incoming)
    made.file_meta.TransferSyntaxUID = RLELossless
    made.PixelData = pydicom.encaps.encapsulate([b"\x00" * 640])
    made["PixelData"].VR = "OB"
    made.save_as(incoming / "cut.dcm")
    (incoming / "cut.dcm").write_bytes((incoming / "cut.dcm").read_bytes()[:-300])
    assert "compressed pixels end too early" in refused(incoming)


def test_sequences_nested_without_end_are_refused(incoming):
    """Undefined lengths all the way: what is read by recursion must not end the process."""
    deep = b"\x08\x00\x15\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 5000
    whole = (incoming / "sound.dcm").read_bytes()
    start = 144 + pydicom.dcmread(incoming / "sound.dcm").file_meta.FileMetaInformationGroupLength
    (incoming / "deep.dcm").write_bytes(whole[:start] + deep)
    assert "damaged" in refused(incoming)


@pytest.mark.parametrize("uid", ["../../../etc/passwd", "<script>alert(1)</script>", "1", "1.2." + "3" * 70])
def test_what_is_no_uid_is_refused(incoming, uid):
    write(changed(incoming, SOPInstanceUID=uid), incoming / "odd.dcm")
    assert "is no UID" in refused(incoming)


def test_control_characters_in_texts_do_not_reach_the_database(incoming):
    changed(
        incoming, PatientName="Name\x00\x1b[31m", StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.9.1", PatientID="P9"
    ).save_as(incoming / "odd.dcm")
    import_path(incoming, None)
    assert Patient.objects.get(identifier="P9").name == "Name  [31m"


def test_absurd_dates_numbers_and_lengths_are_no_reason_to_lose_an_object(incoming):
    made = changed(
        incoming,
        StudyInstanceUID="1.2.9",
        SeriesInstanceUID="1.2.9.1",
        StudyDate="99999999",
        StudyTime="x",
        InstanceNumber="99999999999",
        StudyDescription="long " * 500,
        RadiopharmaceuticalInformationSequence=[item(Radiopharmaceutical="x" * 500)],
    )
    write(made, incoming / "odd.dcm")
    assert import_path(incoming, None).new == 2
    assert len(Study.objects.get(uid="1.2.9").description) == 200


def test_random_bytes_behind_a_sound_beginning_never_end_the_import(incoming):
    import random

    chance = random.Random(3)
    whole = (incoming / "sound.dcm").read_bytes()
    (incoming / "odd").mkdir()
    for number in range(150):
        spoilt = bytearray(whole)
        for _ in range(8):
            spoilt[chance.randrange(132, len(whole))] = chance.randrange(256)
        (incoming / f"odd/{number}.dcm").write_bytes(spoilt)
    report = import_path(incoming, None)
    assert report.new + report.duplicate + report.refused + report.ignored == 151


def test_a_file_that_starts_as_an_archive_and_is_dicom_is_dicom(incoming):
    made = changed(incoming)
    made.preamble = b"PK\x03\x04" + bytes(124)
    made.save_as(incoming / "both.dcm")
    assert import_path(incoming, None).new == 2


def test_thousands_of_files_that_are_no_images_are_refused_in_bounded_time(incoming):
    zipped(incoming / "many.zip", [(f"{n}.txt", b"x") for n in range(3_000)])
    started = time.process_time()
    report = import_path(incoming, None)
    assert (report.new, report.refused) == (1, 3_000)
    assert len(report.refusals) == Remark.objects.count() == Limits().remarks
    assert time.process_time() - started < 15
