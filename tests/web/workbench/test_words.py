"""Words of the workbench in other languages."""

import re
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext

import hevesy.web.workbench
from hevesy.web.workbench.words import WORDS, viewer_words

VIEWER = Path(hevesy.web.workbench.__file__).parent / "static/workbench/viewer"


def test_every_word_that_the_viewer_asks_for_is_known():
    asked = {word for path in VIEWER.glob("*.js") for word in re.findall(r'\btext\("([^"]+)"\)', path.read_text())}
    help_keys = set(re.findall(r'^  \["[^"]+", "([^"]+)"\],$', (VIEWER / "help.js").read_text(), re.MULTILINE))
    assert len(help_keys) > 10
    assert asked | help_keys <= set(WORDS)


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_every_word_of_the_viewer_is_translated(language):
    with translation.override(language):
        words = viewer_words()
        same = {word for word, said in words.items() if word == said}
        assert gettext("Absorbed dose") in ("Dose absorbée", "الجرعة الممتصة")
    assert set(words) == set(WORDS)
    assert same <= {"Projection", "Maximum", "Volume, mL", "Gradient", "isodose", "viridis", "PERCIST"}
    with translation.override("en"):
        assert viewer_words() == {}
