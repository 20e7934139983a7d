"""The dose table as a structured report: read back equal, by us and by another library, and sound to the validator."""

from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from hevesy.core import Region, Role
from hevesy.errors import EmptyInput, UnreadableFile, UnsupportedObject
from hevesy.stages.imaging import dose_report, segmentation_writer
from hevesy.stages.imaging.dose_report import DoseReport, Estimate, ReportedRegion

#: concepts that DICOM's templates (TID 10022) call otherwise than the dictionary does
OTHER_NAME = {
    "349358000": "Radiopharmaceutical agent",
    "304283002": "Radionuclide Half Life",
    "89457008": "Radionuclide",
}

KIDNEY = ReportedRegion(
    "Left kidney",
    Role.ORGAN,
    Estimate(182.53125, 11.0),
    Estimate(189.8, 12.1),
    Estimate(1 / 3 * 1e4, 210.7, (2920.1, 3746.2)),
    Estimate(4.0 / 7.0, 0.061, (0.47, 0.70)),
    Estimate(1.7142857142857, 0.2, (1.3, 2.1)),
)
LESION = ReportedRegion("Lesion", Role.LESION, Estimate(8.0, 1.0), Estimate(8.3, 1.1), Estimate(1e-9, 1e-10))


def report(**changes):
    facts = {
        "nuclide": "Lu-177",
        "radiopharmaceutical": "Lu-177 DOTATATE",
        "half_life_s": 574300.8,
        "given_at": datetime(2024, 3, 5, 9, 0, 30),
        "given_MBq": Estimate(7412.3, 370.6),
        "engine": "mc",
        "method": "Photons and electrons are followed one by one.",
        "regions": (KIDNEY, LESION),
        "cycle": 2,
    }
    return DoseReport(**{**facts, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"given_MBq": None, "cycle": None, "radiopharmaceutical": "", "regions": (LESION,)},
        {"nuclide": "Pb-212", "given_at": datetime(2024, 3, 5, 9, tzinfo=UTC), "half_life_s": 38304.0 / 7},
    ],
)
def test_what_was_written_is_read_back_equal_to_the_last_bit(changes, headers, made_at, tmp_path, faults):
    expected = report(**changes)
    dose_report.write(expected, headers, tmp_path / "r.dcm", made_at)
    assert dose_report.read(tmp_path / "r.dcm") == expected
    assert faults(tmp_path / "r.dcm") == []


def test_another_library_finds_each_dose_with_its_unit_and_its_segment(headers, oblique, made_at, tmp_path):
    hd = pytest.importorskip("highdicom")
    regions = []
    for number, one in enumerate((KIDNEY, LESION), start=1):
        mask = np.zeros(oblique.shape)
        mask[number : number + 3, 2:5, 3:6] = 1
        regions.append(Region.from_mask(one.name, oblique, mask, one.role))
    drawn = segmentation_writer.write(regions, headers, tmp_path / "seg.dcm", made_at)
    dose_report.write(report(), headers, tmp_path / "r.dcm", made_at, drawn)
    found = hd.sr.srread(tmp_path / "r.dcm")
    groups = found.content.get_volumetric_roi_measurement_groups()
    assert [g.tracking_identifier for g in groups] == ["Left kidney", "Lesion"]
    segments = [group.referenced_segment[0] for group in groups]
    assert [s.referenced_segment_numbers for s in segments] == [[1], [2]]
    assert {s.referenced_sop_instance_uid for s in segments} == {drawn.SOPInstanceUID}
    doses = groups[0].get_measurements(name=codes.DCM.MeanAbsorbedRadiationDose)
    assert [(m.value, m.unit.value) for m in doses] == [(4.0 / 7.0, "Gy")]
    assert groups[1].get_measurements(name=codes.DCM.MeanAbsorbedRadiationDose) == []


def test_every_standard_code_has_the_meaning_that_its_scheme_gives_it():
    from pydicom.sr._concepts_dict import concepts

    ours = [v for v in vars(dose_report).values() if isinstance(v, tuple) and len(v) == 3 and v[1] in ("DCM", "SCT")]
    assert len(ours) > 15
    for value, scheme, meaning in ours:
        names = {m for entry in concepts[scheme].values() for c, (m, _) in entry.items() if c == value}
        known = {name.split(" (")[0].lower() for name in names} | {OTHER_NAME.get(value, "").lower()}
        assert meaning.lower() in known, (value, meaning, names)


def test_hostile_names_stay_one_inert_value_and_sound(headers, made_at, tmp_path, faults):
    nasty = "<script>alert(1)</script>\\x\x1b[2J\n^=" + "é" * 20
    for source in headers:
        source.SpecificCharacterSet = "ISO_IR 192"
        source.PatientName, source.PatientID = "Evil\\Na^me\x07", "1\\2"
        source.StudyDescription = nasty[:60]
    hostile = report(
        regions=(ReportedRegion(nasty, *[getattr(LESION, f) for f in ("role", "volume_mL", "mass_g", "tia_MBq_h")]),)
    )
    dose_report.write(hostile, headers, tmp_path / "r.dcm", made_at)
    assert faults(tmp_path / "r.dcm") == []
    read = pydicom.dcmread(tmp_path / "r.dcm")
    assert str(read.PatientName) == "Evil/Na^me"
    assert read.PatientID == "1/2"
    name = dose_report.read(read).regions[0].name
    assert name.isprintable()
    assert "\\" not in name


def test_the_same_report_made_at_the_same_time_gives_the_same_bytes(headers, made_at, tmp_path):
    for name in ("a", "b"):
        dose_report.write(report(), headers, tmp_path / name, made_at)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_it_says_that_it_is_for_research_and_who_made_it(headers, made_at, tmp_path):
    made = dose_report.write(report(), headers, tmp_path / "r.dcm", made_at)
    assert (made.ManufacturerModelName, made.ContentQualification) == ("Hevesy", "RESEARCH")
    assert made.StudyInstanceUID == headers[0].StudyInstanceUID
    comments = [str(i.TextValue) for i in made.ContentSequence if i.ValueType == "TEXT"]
    assert any("not a medical device" in comment for comment in comments)


def test_a_report_without_regions_other_objects_and_damage_are_refused(headers, made_at, tmp_path):
    with pytest.raises(EmptyInput, match="at least one region"):
        dose_report.write(report(regions=()), headers, tmp_path / "r.dcm", made_at)
    with pytest.raises(UnsupportedObject, match="dose table"):
        dose_report.read(headers[0])
    made = dose_report.write(report(), headers, tmp_path / "r.dcm", made_at)
    made.ContentSequence = [i for i in made.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue != "126010"]
    with pytest.raises(UnreadableFile, match="damaged"):
        dose_report.read(made)
