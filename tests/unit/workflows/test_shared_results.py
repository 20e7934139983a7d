"""Results of a case whose images name nobody: numbers stay, and of words what is known to name nobody."""

import copy
import csv
import gzip
import json

import pytest

from factories.case_result import case_result
from hevesy.errors import MixedPatients, UnreadableFile
from hevesy.stages.imaging import nifti
from hevesy.stages.imaging.identity import Identity, Pseudonyms
from hevesy.stages.imaging.nifti_in import read_nifti
from hevesy.stages.reporting.results_json import to_json
from hevesy.stages.reporting.tables import write_csv
from hevesy.workflows.shared_case import Renaming
from hevesy.workflows.shared_results import write_results
from hevesy.workflows.shared_words import Words

KEY = Pseudonyms(b"a secret of 32 bytes for tests..")
WHO = KEY.patient("PHANTOM-1")


class Imaged:
    """A series as far as results ask for it."""

    def __init__(self, identifier):
        self.headers, self.description, self.uid = ({"PatientID": identifier},), "Scan of Quorble", "1.2.3"


@pytest.fixture(scope="module")
def result():
    return case_result(times_h=(4.0, 24.0))


@pytest.fixture(scope="module")
def record(result):
    made = to_json(result, None)
    made["regions"][0]["name"], made["regions"][1]["name"] = "Lesion of Quorble", "Bartholomea"
    made["time_points"][0]["label"] = "Quorble's 4 h scan"
    made["time_points"][1]["series_uid"] = "Quorble.nii.gz"
    made["regions"][0]["activity_MBq"][0]["left_out"] = "Mrs Quorble moved"
    made["radiopharmaceutical"] = "Lu-177 PSMA for Ottoline"
    made["provenance"] |= {
        "python": "3.11.10",
        "numpy": "Quorble",
        "created": "2024-03-20T12:00:00+01:00",
        "settings": {"given": {"x": "Quorble"}, "assumed": {}},
    }
    return made


@pytest.fixture(scope="module")
def case():
    identity = Identity(frozenset({"quorble", "zyxwvut^quorble"}))
    return Renaming(KEY, WHO, identity, (Imaged("PHANTOM-1"),), {"Bartholomea": "region 7"})


@pytest.fixture
def written(tmp_path, result, record, case):
    """Return a function that writes the results, changed, and returns the folder and what was left out."""

    def write(**changed):
        named, folder = tmp_path / "named", tmp_path / "result"
        named.mkdir()
        (named / "results.json").write_text(json.dumps({**record, **changed}))
        write_csv(result, named / "regions.csv")
        nifti.write(result.dose, named / "dose.nii.gz")
        (named / "report.html").write_text("Quorble")
        (named / "Quorble.txt").write_text("Quorble")
        return folder, write_results(named, folder, case, {"engine": "local"}, ())

    return write


def test_every_number_stays_and_names_dates_and_uids_go(written, record):
    folder, left_out = written()
    made = json.loads((folder / "results.json").read_text())
    assert sorted(path.name for path in folder.iterdir()) == ["dose.json", "dose.nii.gz", "regions.csv", "results.json"]
    assert left_out[0] == "report.html: drawn anew by 'hevesy dose'."
    assert made["patient"] == {**record["patient"], "identifier": WHO, "birth_date": None}
    assert [region["name"] for region in made["regions"]] == ["Lesion of", "region 7"]
    assert [point["label"] for point in made["time_points"]] == ["s 4 h scan", "SPECT 24 h"]
    assert made["time_points"][1]["series_uid"] == "REMOVED"
    assert made["regions"][0]["activity_MBq"][0]["left_out"] == "REMOVED"
    assert made["radiopharmaceutical"] == "Lu-177 PSMA"
    assert made["provenance"]["settings"] == {"given": {"engine": "local"}, "assumed": {}}
    assert made["provenance"]["created"].endswith("T12:00:00+01:00")
    assert (made["provenance"]["python"], made["provenance"]["numpy"]) == ("3.11.10", "REMOVED")
    assert not made["provenance"]["created"].startswith("2024")
    before = copy.deepcopy(record["regions"])
    for region, now in zip(before, made["regions"], strict=True):
        for key in ("name", "activity_MBq", "fit"):
            del region[key], now[key]
        assert region == now
    assert "quorble" not in (folder / "results.json").read_text().lower()


def test_the_table_of_regions_keeps_its_numbers(written, tmp_path):
    folder, _ = written()
    texts = [(at / "regions.csv").read_text() for at in (tmp_path / "named", folder)]
    before, made = (list(csv.reader(text.splitlines())) for text in texts)
    assert [row[1:] for row in made] == [row[1:] for row in before]
    assert [row[0] for row in made] == ["name", "Liver lesion", "Left kidney", "Whole body"]


def test_a_map_keeps_its_voxels_and_loses_every_text_but_its_quantity(tmp_path, result, record, case):
    named = tmp_path / "named"
    named.mkdir()
    (named / "results.json").write_text(json.dumps(record))
    nifti.write(result.dose, named / "dose.nii.gz")
    original = gzip.decompress((named / "dose.nii.gz").read_bytes())
    marked = bytearray(original)
    marked[14:21] = marked[228:235] = marked[328:335] = b"Quorble"
    (named / "dose.nii.gz").write_bytes(gzip.compress(bytes(marked)))
    facts = json.loads((named / "dose.json").read_text())
    (named / "dose.json").write_text(json.dumps(facts | {"nuclide": "Quorble", "frame_of_reference": "1.2.3.5"}))
    write_results(named, tmp_path / "result", case, None, ())
    now = read_nifti(tmp_path / "result/dose.nii.gz")
    assert (now.quantity, now.grid.frame_of_reference) == (result.dose.quantity, KEY.uid("1.2.3.5"))
    assert "Quorble" not in (tmp_path / "result/dose.json").read_text()
    made = gzip.decompress((tmp_path / "result/dose.nii.gz").read_bytes())
    assert b"Quorble" not in made
    assert b"absorbed dose, Gy" in made[148:228]
    assert made == original
    (named / "dose.nii.gz").write_bytes(gzip.compress(original[:300]))
    with pytest.raises(UnreadableFile, match=r"dose\.nii\.gz"):
        write_results(named, tmp_path / "again", case, None, ())


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("Fit of one washout to 4 scans.", "Fit of one washout to 4 scans."),
        ("Lesion of Quorble: 23% lies after the last scan.", "Lesion of: 23% lies after the last scan."),
        ("CT 'Scan of Quorble' was not used.", "CT 'Scan of' was not used."),
        ("Bartholomea: too few points.", "region 7: too few points."),
        ("Structures 'drawn by Ottoline' belong to no scan.", None),
        ("Zyxwvut Quorble's scan is short.", None),
        ("The scan of 2024-03-05 is short.", None),
        ("The scan of 5 March 2024 is short.", None),
        ("Series 1.2.840.113619.2.55.3 is short.", None),
        (
            "As in Nuklearmedizin (doi 10.3413/Nukmed-0925-17-08).",
            "As in Nuklearmedizin (doi 10.3413/Nukmed-0925-17-08).",
        ),
        ("Two readings of a counter (drumgoold.csv).", None),
        ("Assumed, for want of a value in case.yaml: 5.25 mm.", "Assumed, for want of a value in case.yaml: 5.25 mm."),
    ],
)
def test_a_sentence_stays_with_the_names_of_now_or_not_at_all(case, record, sentence, kept):
    words = Words(case, record)
    assert words.sentence(sentence) == kept
    assert words.left_out == (kept is None)


def test_sentences_that_are_left_out_are_counted(written):
    folder, left_out = written(warnings=["A scan is short.", "Structures 'by Ottoline' are left out."])
    assert json.loads((folder / "results.json").read_text())["warnings"] == ["A scan is short."]
    assert "1 sentence of results.json" in left_out[1]


def test_no_two_regions_get_one_name(case, record):
    same = copy.deepcopy(record)
    same["regions"][0]["name"], same["regions"][1]["name"] = "Liver of Quorble", "Liver of Ottoline"
    assert list(Words(case, same).regions.values()) == ["Liver of", "region 2", "Whole body"]


def test_results_of_another_patient_are_refused(tmp_path, written, record):
    with pytest.raises(MixedPatients):
        written(patient={**record["patient"], "identifier": "PHANTOM-2"})
    assert not (tmp_path / "result").exists()
