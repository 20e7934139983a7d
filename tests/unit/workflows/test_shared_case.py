"""case.yaml of a case whose images name nobody: its dates, UIDs and names follow theirs, its numbers stay."""

from datetime import datetime
from pathlib import Path

import pytest
import yaml

from factories.dicom import write
from factories.therapy_case import LESION, ORGAN, scan, structures
from hevesy.errors import BadConfiguration, UnsupportedObject
from hevesy.stages.imaging.deidentification import deidentified, identity_of
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.identity import Pseudonyms
from hevesy.workflows.case import check
from hevesy.workflows.shared_case import Renaming, renamed_regions

KEY = Pseudonyms(b"a secret of 32 bytes for tests..")
WHO = {"PatientName": "Zyxwvut^Quorble", "PatientID": "QX-77"}


@pytest.fixture(scope="module")
def renaming(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("case")
    images = scan(4.0, 1, **WHO)
    drawn = structures(images, 1, organ=ORGAN, lesion=LESION)
    drawn.PatientName, drawn.PatientID = WHO["PatientName"], WHO["PatientID"]
    drawn.StructureSetROISequence[1].ROIName = "lesion Quorble"
    drawn.SeriesDescription = "drawn by Quorble"
    write(folder, images)
    write(folder, [drawn], "rs")
    series = tuple(read_folder(folder).series)
    identity = identity_of(head for one in series for head in one.headers)
    pairs = [(one.headers, [deidentified(head, KEY, identity) for head in one.headers]) for one in series]
    regions = {was: now for before, after in pairs for was, now in renamed_regions(before, after).items()}
    return Renaming(KEY, KEY.patient("QX-77"), identity, series, regions)


def test_dates_go_back_by_the_patients_days_and_keep_their_times(renaming):
    made = renaming.settings({"created": "2024-03-20T12:00:00", "administration": {"time": "2024-03-05T09:00:00.5"}})
    moved = datetime.fromisoformat("2024-03-05T09:00:00.5") - datetime.fromisoformat(made["administration"]["time"])
    assert (moved.days, moved.seconds, moved.microseconds) == (KEY.days(KEY.patient("QX-77")), 0, 0)
    assert made["created"].endswith("T12:00:00")


def test_series_and_structures_are_named_by_the_uids_that_they_have_now(renaming):
    scans = [{"series": "Scan*", "structures": "drawn by *", "label": "Quorble, 4 h", "duration_s": 1200}]
    made = renaming.settings({"scans": scans, "planar": {"series": ["1.2.3.10", "Scan 1"]}})
    images, drawn = (next(s for s in renaming.series if s.modality == kind) for kind in ("PT", "RTSTRUCT"))
    assert made["scans"][0]["series"] == KEY.uid(images.uid) == made["planar"]["series"][1]
    assert made["scans"][0]["structures"] == KEY.uid(drawn.uid)
    assert made["scans"][0]["label"] == "4 h"
    assert made["scans"][0]["duration_s"] == 1200
    assert (
        renaming.settings({"scans": [{"series": "Scan 1", "structures": "none"}]})["scans"][0]["structures"] == "none"
    )


def test_regions_are_called_as_in_the_drawing_and_words_name_nobody(renaming):
    given = {"lesion Quorble": {"role": "lesion", "leave_out": [{"scan": 1, "reason": "Quorble moved"}]}, "organ": {}}
    made = renaming.settings({"regions": given, "engine": "vsv"})
    assert set(made["regions"]) == {"lesion", "organ"}
    assert made["regions"]["lesion"]["role"] == "lesion"
    check(made)
    assert "quorble" not in yaml.safe_dump(made).lower()


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"half_lives": "mine.csv"}, UnsupportedObject),
        ({"scans": [{"series": "absent"}]}, BadConfiguration),
        ({"scans": [{"series": "*"}]}, BadConfiguration),
        ({"created": "yesterday"}, BadConfiguration),
    ],
)
def test_what_cannot_follow_is_refused(renaming, settings, fault):
    with pytest.raises(fault):
        renaming.settings(settings)


def test_two_regions_that_would_have_one_name_are_refused(renaming):
    both = Renaming(
        KEY, KEY.patient("QX-77"), renaming.identity, renaming.series, {"lesion Quorble": "lesion", "lesion": "lesion"}
    )
    with pytest.raises(BadConfiguration, match="one name"):
        both.settings({})
