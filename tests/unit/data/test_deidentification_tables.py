"""The table of actions is the one whose source and checksum stand beside it."""

import hashlib
from importlib.resources import files

from hevesy.data.deidentification import safe_private, vocabulary

FOLDER = files("hevesy.data.deidentification")


def test_the_table_is_that_of_the_checksum_in_its_readme():
    digest = hashlib.sha256(FOLDER.joinpath("actions.csv").read_bytes()).hexdigest()
    assert digest in FOLDER.joinpath("README.md").read_text(encoding="utf-8")


def test_private_elements_that_stay_are_numbers_or_dates_and_no_text():
    assert {one.vr for one in safe_private()} == {"DS", "DT"}
    assert all(one.group % 2 for one in safe_private())


def test_the_vocabulary_is_of_single_words_in_lower_case():
    assert all(word == word.lower() and not word.isdigit() for word in vocabulary())
    assert {"kidney", "spect", "dotatate"} <= vocabulary()
