"""The instant that activity refers to, told by tags of which none is trusted alone."""

import math
from datetime import datetime, timedelta

import numpy as np
import pytest

from factories import dicom
from hevesy.errors import ImpossibleTiming, MissingInformation
from hevesy.stages.imaging.decay_tags import mean_count_time_s
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.supplied import Supplied

STORED = np.full((3, 4, 4), 1000, np.uint16)
SCAN = datetime(2024, 3, 5, 10)
INJECTION = datetime(2024, 3, 5, 9)
DECAY = math.log(2) / dicom.F18_HALF_LIFE_S


def image(tmp_path, supplied=None, **tags):
    series = read_folder(dicom.write(tmp_path, dicom.pet(STORED, **tags))).series[0]
    return series.image(supplied) if supplied else series.image()


def sequence(**tags):
    return [dicom.radiopharmaceutical(**tags)]


@pytest.mark.parametrize(("word", "to"), [("START", SCAN), ("ADMIN", INJECTION)])
def test_decay_correction_names_the_instant(tmp_path, word, to):
    timing = image(tmp_path, DecayCorrection=word).timing
    assert timing.decay_corrected_to == to
    assert (timing.start, timing.duration_s) == (SCAN, 600)


def test_no_decay_correction_means_no_instant(tmp_path):
    read = image(tmp_path, DecayCorrection="NONE", CorrectedImage=["ATTN"])
    assert read.timing.decay_corrected_to is None
    assert read.provenance.notes == ()


def test_words_that_contradict_each_other_are_settled_and_noted(tmp_path):
    read = image(tmp_path, DecayCorrection="START", CorrectedImage=["ATTN"])
    assert read.timing.decay_corrected_to == SCAN
    assert "does not list DECY" in read.provenance.notes[0]


def test_a_decay_factor_that_fits_is_believed_over_the_word(tmp_path):
    factor = math.exp(DECAY * 3600) * DECAY * 600 / (1 - math.exp(-DECAY * 600))
    read = image(tmp_path, DecayCorrection="START", DecayFactor=dicom.ds(round(factor, 5)))
    assert read.timing.decay_corrected_to == INJECTION
    assert "the number is believed" in read.provenance.notes[0]


def test_a_decay_factor_that_agrees_needs_no_note(tmp_path):
    factor = DECAY * 600 / (1 - math.exp(-DECAY * 600))
    read = image(tmp_path, DecayFactor=dicom.ds(round(factor, 5)))
    assert read.timing.decay_corrected_to == SCAN
    assert read.provenance.notes == ()


def test_a_decay_factor_of_one_beside_a_large_correction_is_doubted_aloud(tmp_path):
    read = image(tmp_path, DecayCorrection="ADMIN", DecayFactor="1")
    assert read.timing.decay_corrected_to == INJECTION
    assert "Decay Factor is 1" in read.provenance.notes[0]


def test_neither_word_is_missing_information(tmp_path):
    with pytest.raises(MissingInformation, match="decay_corrected_to"):
        image(tmp_path, DecayCorrection=None, CorrectedImage=None)


@pytest.mark.parametrize(("given", "to"), [("administration", INJECTION), ("start", SCAN), ("none", None)])
def test_what_is_supplied_replaces_the_tags(tmp_path, given, to):
    read = image(tmp_path, Supplied(decay_corrected_to=given), DecayCorrection=None, CorrectedImage=None)
    assert read.timing.decay_corrected_to == to
    assert "supplied" in read.provenance.notes[-1]


def test_an_injection_before_midnight_is_found_from_a_time_of_day(tmp_path):
    tags = {"SeriesTime": "003000", "AcquisitionTime": "003000", "DecayCorrection": "ADMIN"}
    rph = sequence(RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime="234500")
    read = image(tmp_path, RadiopharmaceuticalInformationSequence=rph, **tags)
    assert read.timing.decay_corrected_to == datetime(2024, 3, 4, 23, 45)
    assert any("before midnight" in note for note in read.provenance.notes)


def test_a_time_of_day_is_not_enough_for_a_nuclide_that_lives_for_days(tmp_path):
    rph = sequence(RadiopharmaceuticalStartDateTime=None, RadionuclideHalfLife="574300")
    with pytest.raises(MissingInformation, match="lives for more than a day"):
        image(tmp_path, DecayCorrection="ADMIN", RadiopharmaceuticalInformationSequence=rph)


def test_a_scan_before_its_injection_is_refused(tmp_path):
    rph = sequence(RadiopharmaceuticalStartDateTime="20240305103000", RadiopharmaceuticalStartTime="103000")
    with pytest.raises(ImpossibleTiming, match="starts before the injection"):
        image(tmp_path, DecayCorrection="ADMIN", RadiopharmaceuticalInformationSequence=rph)


def test_a_date_shifted_by_de_identification_is_put_right_and_noted(tmp_path):
    rph = sequence(RadiopharmaceuticalStartDateTime="20240306090000")
    tags = {"LongitudinalTemporalInformationModified": "MODIFIED", "DecayCorrection": "ADMIN"}
    read = image(tmp_path, RadiopharmaceuticalInformationSequence=rph, **tags)
    assert read.timing.decay_corrected_to == INJECTION
    assert any("shifted differently" in note for note in read.provenance.notes)


def test_the_same_shift_without_de_identification_is_refused(tmp_path):
    rph = sequence(RadiopharmaceuticalStartDateTime="20240306090000")
    with pytest.raises(ImpossibleTiming):
        image(tmp_path, DecayCorrection="ADMIN", RadiopharmaceuticalInformationSequence=rph)


def test_times_carry_the_zone_of_the_header(tmp_path):
    timing = image(tmp_path, TimezoneOffsetFromUTC="-0400", DecayCorrection="ADMIN").timing
    assert timing.start.utcoffset() == timing.decay_corrected_to.utcoffset() == timedelta(hours=-4)


def test_an_injection_stated_in_another_zone_is_the_same_instant(tmp_path):
    rph = sequence(RadiopharmaceuticalStartDateTime="20240305110000+0200", RadiopharmaceuticalStartTime=None)
    read = image(
        tmp_path, TimezoneOffsetFromUTC="+0100", DecayCorrection="ADMIN", RadiopharmaceuticalInformationSequence=rph
    )
    assert (read.timing.start - read.timing.decay_corrected_to).total_seconds() == 0


def test_no_radiopharmaceutical_sequence_is_missing_information_where_it_is_needed(tmp_path):
    with pytest.raises(MissingInformation, match=r"Radiopharmaceutical Information Sequence"):
        image(tmp_path, DecayCorrection="ADMIN", RadiopharmaceuticalInformationSequence=None)


def test_dates_blanked_by_de_identification_are_missing(tmp_path):
    with pytest.raises(MissingInformation, match="date and time of acquisition"):
        image(tmp_path, AcquisitionDate="00010101", SeriesDate="00010101")


def test_bed_positions_lengthen_the_acquisition(tmp_path):
    objects = dicom.pet(STORED)
    for bed, one in enumerate(objects):
        one.FrameReferenceTime = dicom.ds(bed * 650e3)
    read = read_folder(dicom.write(tmp_path, objects)).series[0].image()
    assert read.timing.duration_s == 2 * 650 + 600


def test_uncorrected_bed_positions_are_brought_to_one_instant(tmp_path):
    objects = dicom.pet(STORED, DecayCorrection="NONE", CorrectedImage=["ATTN"])
    for bed, one in enumerate(objects):
        one.AcquisitionTime = f"10{10 * bed:02d}00"
    read = read_folder(dicom.write(tmp_path, objects)).series[0].image()
    assert read.timing.decay_corrected_to == SCAN
    # a frame's mean over T is A(start) (1 − exp(−λT)) / (λT); here by hand for beds that start every ten minutes
    mean = (1 - math.exp(-DECAY * 600)) / (DECAY * 600)
    np.testing.assert_allclose(
        read.values[0, 0], [1000 * math.exp(DECAY * 600 * bed) / mean for bed in range(3)], rtol=1e-6
    )


def test_a_series_dated_after_its_acquisition_does_not_move_the_start(tmp_path):
    timing = image(tmp_path, SeriesTime="140000").timing
    assert timing.decay_corrected_to == SCAN


@pytest.mark.parametrize("ratio", [1e-6, 0.1, 1.0, 5.0])
def test_the_mean_count_time_is_where_the_rate_equals_its_mean(ratio):
    duration = ratio * 6586.2
    decay = math.log(2) / 6586.2
    mean_rate = -math.expm1(-decay * duration) / (decay * duration)
    assert math.exp(-decay * mean_count_time_s(6586.2, duration)) == pytest.approx(mean_rate, rel=1e-9)


@pytest.mark.parametrize(
    ("group", "creator", "element"), [(0x0009, "GEMS_PETD_01", 0x0D), (0x0071, "SIEMENS MED PT", 0x22)]
)
def test_a_later_series_date_gives_way_to_what_the_vendor_writes_privately(tmp_path, group, creator, element):
    objects = dicom.pet(STORED, SeriesTime="140000")
    for one in objects:
        one.private_block(group, creator, create=True).add_new(element, "DT", "20240305095500")
    read = read_folder(dicom.write(tmp_path, objects)).series[0].image()
    assert read.timing.decay_corrected_to == datetime(2024, 3, 5, 9, 55)
    assert "dated after its acquisition" in read.provenance.notes[0]


def test_a_later_series_date_gives_way_to_the_frame_reference_time(tmp_path):
    # a second bed: its counts refer to 15 min after the scan's start, at the mean count time of its own ten minutes
    since_start = 900 + mean_count_time_s(dicom.F18_HALF_LIFE_S, 600)
    objects = dicom.pet(
        STORED, SeriesTime="140000", AcquisitionTime="101500", FrameReferenceTime=dicom.ds(since_start * 1e3)
    )
    read = read_folder(dicom.write(tmp_path, objects)).series[0].image()
    assert abs((read.timing.decay_corrected_to - SCAN).total_seconds()) < 0.001
