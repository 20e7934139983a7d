"""De-identification object by object: what goes, what stays, what moves, and what is refused."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from factories import dicom
from hevesy.core import Role
from hevesy.data.deidentification import actions
from hevesy.errors import BadInput, MissingInformation, QuantificationMoved, UnsupportedObject
from hevesy.stages.imaging import dose_report
from hevesy.stages.imaging.deidentification import deidentified, identity_of, refusal
from hevesy.stages.imaging.descriptors import clean_descriptor
from hevesy.stages.imaging.dose_report import DoseReport, Estimate, ReportedRegion
from hevesy.stages.imaging.identity import Pseudonyms
from hevesy.stages.imaging.unmoved import facts, require_unmoved

KEY = Pseudonyms(b"a secret of 32 bytes for tests..")


def scan(**tags):
    facts = {"PatientID": "QX-77", "PatientName": "Zyxwvut^Quorble", "StudyDate": "20240305", "StudyTime": "0959"}
    return dicom.pet(np.arange(512, dtype=np.uint16).reshape(2, 16, 16), **{**facts, **tags})


def dates(objects, key):
    return {str(deidentified(each, key).SeriesDate) for each in objects}


def test_size_weight_and_sex_stay_and_the_birth_date_becomes_an_age():
    made = deidentified(scan(PatientBirthDate="19610517", PatientAge=None)[0], KEY)
    assert (made.PatientWeight, made.PatientSize, made.PatientSex) == (60, 1.65, "F")
    assert made.PatientBirthDate == ""
    assert made.PatientAge == "062Y"  # 63 from 17 May 2024 on


@pytest.mark.parametrize(("stated", "kept"), [("089Y", "089Y"), ("090Y", "090Y"), ("103Y", "090Y"), ("011M", "011M")])
def test_the_oldest_are_told_as_ninety(stated, kept):
    assert deidentified(scan(PatientAge=stated)[0], KEY).PatientAge == kept


def test_the_date_of_injection_inside_its_sequence_moves_with_that_of_the_scan_and_times_stay():
    original = scan()[0]
    made = deidentified(original, KEY)
    given = made.RadiopharmaceuticalInformationSequence[0]
    assert given.RadiopharmaceuticalStartDateTime[:8] == made.AcquisitionDate != "20240305"
    assert given.RadiopharmaceuticalStartDateTime[8:] == "090000"
    assert given.RadiopharmaceuticalStartTime == "090000"
    assert made.AcquisitionTime == "100000"
    assert given.Radiopharmaceutical == "FDG"
    assert given.RadionuclideCodeSequence[0].CodeMeaning == "^18^Fluorine"


def test_one_patients_dates_go_back_alike_and_anothers_otherwise():
    one = dates([*scan(), *scan(StudyInstanceUID="1.2.8", SeriesInstanceUID="1.2.9")], KEY)
    other = dates(scan(PatientID="QX-78"), KEY)
    with_another_key = dates(scan(), Pseudonyms(b"another secret, of 32 bytes too."))
    assert len(one) == len(other) == 1
    assert one != other
    assert one != with_another_key


def test_uids_are_renewed_alike_wherever_they_stand_and_those_of_the_standard_stay():
    original = scan()[0]
    original.ReferencedImageSequence = [
        dicom.item(ReferencedSOPClassUID=dicom.PET, ReferencedSOPInstanceUID=original.SOPInstanceUID)
    ]
    made = deidentified(original, KEY)
    assert made.SOPClassUID == dicom.PET
    assert made.ReferencedImageSequence[0].ReferencedSOPInstanceUID == made.SOPInstanceUID != original.SOPInstanceUID
    assert made.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID
    assert made.FrameOfReferenceUID == deidentified(scan()[1], KEY).FrameOfReferenceUID
    assert len(made.SOPInstanceUID) <= 64


@pytest.mark.parametrize("syntax", ["RLELossless", "JPEG2000Lossless"])
def test_pixels_stay_to_the_byte_also_compressed(syntax, tmp_path):
    dicom.write(tmp_path, scan())
    dicom.compress(tmp_path, syntax)
    for file in sorted(tmp_path.iterdir()):
        original = pydicom.dcmread(file)
        deidentified(pydicom.dcmread(file), KEY).save_as(tmp_path / "made", enforce_file_format=True)
        made = pydicom.dcmread(tmp_path / "made")
        assert made.PixelData == original.PixelData
        assert made.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID
        np.testing.assert_array_equal(made.pixel_array, original.pixel_array)
        (tmp_path / "made").unlink()


def test_private_elements_go_but_for_those_that_quantification_reads_whose_dates_move():
    original = scan()[0]
    for group, creator, element, vr, value in (
        (0x7053, "Philips PET Private Group", 0x00, "DS", "0.000551"),
        (0x0009, "GEMS_PETD_01", 0x0D, "DT", "20240305095900.00"),
        (0x0009, "GEMS_PETD_01", 0x0E, "LO", "Quorble"),
        (0x0029, "SIEMENS CSA HEADER", 0x10, "OB", b"Quorble\0"),
    ):
        original.private_block(group, creator, create=True).add_new(element, vr, value)
    made = deidentified(original, KEY)
    assert made.private_block(0x7053, "Philips PET Private Group")[0x00].value == 0.000551
    moved = made.private_block(0x0009, "GEMS_PETD_01")
    assert moved[0x0D].value == made.AcquisitionDate + "095900.00"
    assert 0x0E not in moved
    assert [e.tag.group for e in made if e.tag.is_private] == [0x0009, 0x0009, 0x7053, 0x7053]


def test_curves_overlays_and_thumbnails_go():
    original = scan()[0]
    original.add_new(0x60003000, "OW", b"Quorble\0")
    original.add_new(0x50003000, "OW", b"Quorble\0")
    original.IconImageSequence = [dicom.item(Rows=1, Columns=1)]
    made = deidentified(original, KEY)
    assert not [e for e in made if e.tag.group in (0x5000, 0x6000)]
    assert "IconImageSequence" not in made


SC = "1.2.840.10008.5.1.4.1.1.7"


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"SOPClassUID": SC}, "secondary capture"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2"}, "secondary capture"),
        ({"ConversionType": "WSD"}, "secondary capture"),
        ({"BurnedInAnnotation": "YES"}, "burned into its pixels"),
        ({"Modality": "OT"}, "modality OT"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, "no image, dose or structure"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.22"}, "no image, dose or structure"),
    ],
)
def test_what_may_show_a_name_in_its_pixels_or_content_is_refused(tags, why):
    with pytest.raises(UnsupportedObject, match=why):
        deidentified(scan(**tags)[0], KEY)


def test_an_overlay_within_the_bits_of_the_pixels_is_refused_since_it_cannot_be_taken_out():
    original = scan()[0]
    original.add_new(0x60000102, "US", 12)
    assert "overlay within the bits" in refusal(original).refused


def test_an_object_that_names_no_patient_is_refused():
    with pytest.raises(MissingInformation, match="names no patient"):
        deidentified(scan(PatientID="", PatientName="")[0], KEY)


def test_a_key_that_can_be_guessed_is_refused():
    with pytest.raises(BadInput, match="can be guessed"):
        Pseudonyms(b"secret")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("SPECT Lu-177 24h Smith, John", "SPECT Lu-177 24h"),
        ("Zyxwvut_177Lu_PSMA_d4 (AC)", "177Lu_PSMA_d4 (AC)"),
        ("kidney left O'Brien", "kidney left"),
        ("Liver lesion 3", "Liver lesion 3"),
        ("Lesion 1, right lobe of liver", "Lesion 1, right lobe of liver"),
        ("born 17.04.1931", ""),
        ("17-04-31", ""),
        ("MRN 4477123", ""),
        ("C2S1D0_SPECT scan2", "C2S1D0_SPECT scan2"),
        ("D12S34", ""),
        ("4.42 mm 3D 12 03 61", "4.42 mm 3D"),
        ("<script>alert(1)</script>", "(1)"),
        ("Tc99m MDP whole body post", "Tc99m MDP whole body post"),
    ],
)
def test_of_a_descriptor_the_words_of_the_field_stay(text, clean):
    assert clean_descriptor(text) == clean


def test_regions_keep_names_that_tell_them_apart():
    drawn = Dataset()
    drawn.SOPClassUID, drawn.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", "1.2.3"
    drawn.PatientID, drawn.Modality, drawn.StructureSetLabel = "QX-77", "RTSTRUCT", "Dr Xanthippe"
    drawn.StructureSetROISequence = [
        dicom.item(ROINumber=n, ROIName=name) for n, name in enumerate(("Quorble kidney left", "Bartholomea"), start=1)
    ]
    made = deidentified(drawn, KEY)
    assert [roi.ROIName for roi in made.StructureSetROISequence] == ["kidney left", "region 2"]
    assert made.StructureSetLabel == "REMOVED"


def test_a_name_known_from_another_object_of_the_patient_is_found_in_this_one():
    other = scan(InstitutionName="Sanktvorbis")
    original = scan(ManufacturerModelName="Camera of Sanktvorbis")[0]
    assert deidentified(original, KEY).ManufacturerModelName == "Camera of Sanktvorbis"
    assert deidentified(original, KEY, identity_of([*other, original])).ManufacturerModelName == "REMOVED"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ZYXWVUTQUORBLE", "REMOVED"),  # no space between the names
        ("IDQX774411", "REMOVED"),
        ("John Lee", "REMOVED"),
        ("sleeve of Leeds", "sleeve of Leeds"),
        ("Lu-177 DOTATATE", "Lu-177 DOTATATE"),
        ("lot 20240305", "REMOVED"),
        ("2024-03-05", "REMOVED"),
        ("made for 1.2.826.0.1.3680043.8", "REMOVED"),
        ("VG60A 5.10.3", "VG60A 5.10.3"),
    ],
)
def test_a_text_that_the_table_does_not_list_stays_unless_it_names_somebody(text, kept):
    whose = {"PatientName": "Zyxwvut^Quorble", "PatientID": "QX774411", "ReferringPhysicianName": "Lee^Jo"}
    assert deidentified(scan(ManufacturerModelName=text, **whose)[0], KEY).ManufacturerModelName == kept


def test_a_patients_code_that_is_made_of_known_words_goes_from_descriptions_too():
    whose = {"PatientID": "PT12", "PatientName": "Lu-177^Phantom", "SeriesDescription": "PT12 SPECT Lu-177"}
    assert deidentified(scan(**whose)[0], KEY).SeriesDescription == "SPECT Lu-177"


@pytest.mark.parametrize(
    ("charset", "codec", "name"),
    [
        (["", "ISO 2022 IR 87"], "iso2022_jp", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 144", "iso-8859-5", "Люкceмбypг^Иванович"),
        ("ISO_IR 192", "utf-8", "Wang^XiaoDong=王^小東"),
        ("ISO_IR 100", "iso-8859-1", "Äneas^Rüdiger"),
    ],
)
def test_names_in_other_scripts_are_found_and_removed(charset, codec, name, tmp_path):
    original = scan()[0]
    original.SpecificCharacterSet, original.PatientName = charset, name
    parts = name.replace("=", "^").split("^")
    original.ManufacturerModelName = f"of {parts[-1]}"
    original.SeriesDescription = f"SPECT {parts[0]}"
    dicom.write(tmp_path, [original])
    made = deidentified(pydicom.dcmread(tmp_path / "0000.dcm"), KEY)
    made.save_as(tmp_path / "made.dcm", enforce_file_format=True)
    back = pydicom.dcmread(tmp_path / "made.dcm")
    assert (back.ManufacturerModelName, back.SeriesDescription) == ("REMOVED", "SPECT")
    written = (tmp_path / "made.dcm").read_bytes()
    assert parts[0].encode(codec) in (tmp_path / "0000.dcm").read_bytes()
    assert [part for part in parts if part.encode(codec) in written or part.encode() in written] == []


def test_the_object_says_what_was_done():
    made = deidentified(scan()[0], KEY)
    assert (made.PatientIdentityRemoved, made.LongitudinalTemporalInformationModified) == ("YES", "MODIFIED")
    codes = [c.CodeValue for c in made.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108"]
    assert made.PatientName == made.PatientID == KEY.patient("QX-77")


def test_the_validator_finds_no_error_that_the_original_did_not_have(tmp_path, faults):
    dicom.write(tmp_path, scan(SeriesInstanceUID="1.2.3.4.5"))
    original = tmp_path / "0000.dcm"
    deidentified(pydicom.dcmread(original), KEY).save_as(tmp_path / "made.dcm", enforce_file_format=True)
    assert set(faults(tmp_path / "made.dcm")) <= set(faults(original))


@pytest.mark.parametrize(
    ("tags", "moved"),
    [
        ({"PatientWeight": dicom.ds(61)}, "SUV|values of the header"),
        ({"AcquisitionDate": "20240306"}, "instants after injection"),
        ({"SeriesTime": "100001", "AcquisitionTime": "100001"}, "instants after injection"),
        (
            {"RadiopharmaceuticalInformationSequence": [dicom.radiopharmaceutical(RadionuclideTotalDose=1e8)]},
            "activity",
        ),
    ],
)
def test_a_number_that_would_move_is_refused(tags, moved):
    with pytest.raises(QuantificationMoved, match=moved):
        require_unmoved(scan(), scan(**tags), "the series")


def test_the_facts_compared_are_the_factor_to_suv_and_the_seconds_since_injection():
    found = facts(scan())
    # QIBA: weight in g over the activity an hour after injection
    assert found["the factor to SUV"] == pytest.approx(60e3 / (370e6 * 2 ** (-3600 / dicom.F18_HALF_LIFE_S)))
    assert found["the instants after injection (s)"][0][2] == 3600


def test_every_row_of_the_standards_table_has_an_action_that_is_known():
    rows = actions()
    assert len(rows) == 651
    assert {part for row in rows.values() for part in row.action.split("/")} == {"X", "Z", "D", "U", "U*"}
    # read in the standard: dates of the examination may be shifted, the birth date may not
    assert (rows[0x00080020].modified_dates, rows[0x00100030].modified_dates) == ("C", "")
    assert (rows[0x00101030].patient_characteristics, rows[0x0008103E].descriptors) == ("K", "C")


def test_a_word_in_the_place_of_a_number_a_date_a_time_or_an_age_goes(tmp_path):
    values = {"SeriesNumber": "12345678", "PatientSize": "1.234567", "SeriesTime": "101112.5", "SeriesDate": "20240311"}
    original = scan(PatientAge="077Y", **values)[0]
    dicom.write(tmp_path, [original])
    content = (tmp_path / "0000.dcm").read_bytes().replace(b"077Y", b"QUOR")
    for value in values.values():
        content = content.replace(value.encode(), b"QUORBLE7")
    assert content.count(b"QUOR") == 5
    (tmp_path / "0000.dcm").write_bytes(content)
    made = deidentified(pydicom.dcmread(tmp_path / "0000.dcm"), KEY)
    made.save_as(tmp_path / "made.dcm", enforce_file_format=True)
    assert b"QUOR" not in (tmp_path / "made.dcm").read_bytes()
    made = pydicom.dcmread(tmp_path / "made.dcm")
    assert [made[name].value or "" for name in (*values, "PatientAge")] == [""] * 5


def test_the_age_of_the_oldest_is_ninety_inside_sequences_too():
    original = scan()[0]
    original.ReferencedImageSequence = [dicom.item(PatientAge="103Y")]
    assert deidentified(original, KEY).ReferencedImageSequence[0].PatientAge == "090Y"


def test_what_is_encrypted_signed_or_no_number_of_the_image_goes():
    original = scan()[0]
    original.EncryptedAttributesSequence = [dicom.item(EncryptedContent=b"Quorble\0")]
    original.DigitalSignaturesSequence = [dicom.item(Signature=b"Quorble\0")]
    original.MACParametersSequence = [dicom.item(MACIDNumber=1)]
    original.OriginalAttributesSequence = [dicom.item(ModifiedAttributesSequence=[dicom.item(PatientID="QX-77")])]
    original.ICCProfile = b"made for Quorble"
    original.WaveformData = b"Quorble\0"
    made = deidentified(original, KEY)
    gone = ("EncryptedAttributesSequence", "DigitalSignaturesSequence", "MACParametersSequence")
    assert [name for name in (*gone, "OriginalAttributesSequence", "ICCProfile", "WaveformData") if name in made] == []
    assert made.PixelData == original.PixelData


def test_a_private_number_that_is_a_word_goes():
    original = scan()[0]
    block = original.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "UN", b"Quorble ")
    assert not [e for e in deidentified(original, KEY) if e.tag.is_private]


def test_the_object_says_that_private_elements_stay_only_where_some_do():
    original = scan()[0]
    original.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.000551")
    codes = [c.CodeValue for c in deidentified(original, KEY).DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108", "113111"]


def test_a_uid_that_only_begins_as_those_of_the_standard_is_renewed():
    assert KEY.uid("1.2.840.10008.5.1.4.1.1.2") == "1.2.840.10008.5.1.4.1.1.2"
    assert KEY.uid("1.2.840.10008.Quorble").startswith("2.25.")


@pytest.mark.parametrize("text", ["seen 5 March 2024", "05MAR2024", "Mai 5, 2024", "2024/3/5", "12. Dez 99"])
def test_a_date_whose_month_is_a_word_goes_from_texts_and_descriptions(text):
    made = deidentified(scan(ManufacturerModelName=text, SeriesDescription=f"SPECT {text}")[0], KEY)
    assert (made.ManufacturerModelName, made.SeriesDescription) == ("REMOVED", "SPECT")


def test_an_object_is_of_the_patient_that_is_known_whatever_it_says():
    alone, given = (deidentified(scan(PatientID="")[0], KEY, pseudonym=name) for name in ("", "HABCDEFGHIJK"))
    assert (given.PatientName, given.PatientID) == ("HABCDEFGHIJK", "HABCDEFGHIJK")
    assert alone.PatientID == KEY.patient("zyxwvut quorble")
    assert (
        alone.AcquisitionDate
        != given.AcquisitionDate
        == deidentified(scan()[0], KEY, pseudonym="HABCDEFGHIJK").AcquisitionDate
    )


def test_a_dose_table_of_our_own_stays_without_the_words_that_a_person_wrote(tmp_path, faults):
    images = scan(StudyDate="20240305")
    estimate = Estimate(12.5, 1.25, (10.0, 15.0))
    regions = tuple(
        ReportedRegion(name, Role.LESION, estimate, estimate, estimate, estimate)
        for name in ("liver lesion Quorble", "Bartholomea")
    )
    given = datetime(2024, 3, 5, 9, 0, 0, 250000)
    table = DoseReport("Lu-177", "Lu-177 DOTATATE for Xanthippe", 574000.0, given, estimate, "local", "As is.", regions)
    original = dose_report.write(table, images, tmp_path / "named.dcm", given)
    made = deidentified(original, KEY, regions={"Bartholomea": "region 2"})
    made.save_as(tmp_path / "made.dcm", enforce_file_format=True)
    back = dose_report.read(tmp_path / "made.dcm")
    days = KEY.days(made.PatientID)
    assert back.given_at == given - timedelta(days=days)
    assert back.radiopharmaceutical == "Lu-177 DOTATATE"
    assert [one.name for one in back.regions] == ["liver lesion", "region 2"]
    assert [replace(one, name="") for one in back.regions] == [replace(one, name="") for one in regions]
    assert (back.method, back.engine, back.half_life_s) == (table.method, table.engine, table.half_life_s)
    evidence = made.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert [one.ReferencedSOPInstanceUID for one in evidence] == [KEY.uid(one.SOPInstanceUID) for one in images]
    assert "113104" in [c.CodeValue for c in made.DeidentificationMethodCodeSequence]
    content = (tmp_path / "made.dcm").read_bytes().lower()
    told = (b"quorble", b"xanthippe", b"bartholomea", b"qx-77", b"20240305", images[0].SOPInstanceUID.encode())
    assert [text for text in told if text in content] == []
    assert faults(tmp_path / "made.dcm") == []


def test_a_report_that_holds_what_ours_do_not_is_refused(tmp_path):
    estimate = Estimate(1.0, 0.1)
    region = ReportedRegion("liver", Role.ORGAN, estimate, estimate, estimate, estimate)
    table = DoseReport("Lu-177", "", 574000.0, datetime(2024, 3, 5, 9), None, "local", "As is.", (region,))
    original = dose_report.write(table, scan(), tmp_path / "named.dcm", datetime(2024, 3, 5, 9))
    assert refusal(original) is None
    original.ContentSequence[-1].ContentSequence = [dicom.item(ValueType="PNAME", PersonName="Drumgoold^Xanthippe")]
    assert "structure" in refusal(original).refused
