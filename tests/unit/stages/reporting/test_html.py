import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import pytest

from factories.case_result import BALLS, case_result, rising_case
from hevesy.core import Role
from hevesy.stages.reporting.html import flattened, grouped, half_life_text, render

NOW = datetime(2024, 3, 9, 12, 0)


class Page(HTMLParser):
    """Elements with their attributes, and the text, of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def case():
    return case_result()


@pytest.fixture(scope="module")
def page(case):
    return Page(render(case, NOW))


def test_the_title_block_says_whose_what_when_and_what_it_is_not(page):
    for words in ("PHANTOM-1", "Lu-177 DOTATATE", "7400 ± 150 MBq", "2024-03-04 09:30", "local", "female, 62 years"):
        assert words in page.text
    assert "For research and education; not a medical device." in page.text


def test_every_region_has_its_dose_its_interval_and_its_doses_by_volume(case, page):
    for found in case.regions:
        assert found.region.name in page.text
        assert f"{found.dose.value:.{1 if found.dose.value > 10 else 2}f} ± " in page.text
    assert page.text.count("95% interval") >= len(case.regions)


def test_every_warning_limit_note_input_and_setting_is_on_the_page(case, page):
    for words in (*case.warnings, *case.engine.limits, *(i["sha256"] for i in case.inputs), "uncertainty.calibration"):
        assert words in page.text
    assert "DecayCorrection says ADMIN and is believed." in page.text


def test_the_page_loads_nothing_from_anywhere(page):
    targets = [
        v for _, given in page.elements for k, v in given.items() if k in ("href", "src", "data", "action", "srcset")
    ]
    assert targets
    assert all(target.startswith(("#", "data:image/png;base64,")) for target in targets)
    assert not {"script", "link", "iframe", "img", "object", "embed", "form"} & {tag for tag, _ in page.elements}
    assert not re.search(r"url\((?!#)|@import", render(case_result(), NOW))


def test_every_link_within_the_page_has_one_target(page):
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert len(ids) == len(set(ids))
    links = {
        v[1:]
        for _, given in page.elements
        for k, v in given.items()
        if k in ("href", "aria-labelledby") and v[0] == "#"
    }
    labels = {given["aria-labelledby"] for _, given in page.elements if "aria-labelledby" in given}
    assert links | labels <= set(ids)


def test_rising_activity_gives_words_and_a_wide_interval_and_no_half_life():
    case = rising_case()
    text = Page(render(case, NOW)).text
    assert half_life_text(case.regions[0]) == "not determined: activity still rising"
    assert text.count("not determined: activity still rising") == 2
    assert "A scan near 120 h after administration would narrow the interval most." in text


def test_a_half_life_that_is_absent_for_another_reason_is_not_called_rising(case):
    falling = case.regions[0]
    none = replace(falling, model=replace(falling.model, effective_half_life=None))
    assert half_life_text(none) == "not determined"


HOSTILE = "<script>alert(1)</script>\"><img src=x onerror=alert(2)> & '{{ 7*7 }}' " + "W" * 300


def test_names_with_markup_quotes_and_great_length_are_inert(case):
    balls = (replace(BALLS[0], name=HOSTILE), BALLS[1])
    hostile = case_result(balls=balls, patient_id=HOSTILE)
    hostile = replace(
        hostile,
        warnings=(HOSTILE,),
        settings={HOSTILE: HOSTILE},
        engine=replace(hostile.engine, name=HOSTILE, method=HOSTILE, limits=(HOSTILE,)),
        administration=replace(hostile.administration, radiopharmaceutical=HOSTILE),
        time_points=tuple(replace(p, label=HOSTILE, series_uid=HOSTILE) for p in hostile.time_points),
    )
    text = render(hostile, NOW)
    clean, found = Page(render(case, NOW)), Page(text)
    assert {tag for tag, _ in found.elements} == {tag for tag, _ in clean.elements}
    assert not [k for _, given in found.elements for k in given if k.startswith("on")]
    assert HOSTILE in found.text
    assert "<script" not in text


def test_what_was_aligned_is_shown_before_and_after_with_the_agreement(case):
    first, second = case.time_points[:2]
    pair = replace(case, time_points=(first, replace(second, unaligned=first.activity)))
    text = Page(render(pair, NOW)).text
    assert "Before: as its header places it" in text
    assert "Agreement 0.930; before registration 0.610." in text
    alone = replace(case, time_points=case.time_points[:1])
    assert "No scan was moved" in Page(render(alone, NOW)).text


def test_density_that_was_assumed_is_not_shown_as_anatomy(case):
    assert "over density from CT" in Page(render(case, NOW)).text
    assert "there is no CT" in Page(render(case_result(with_ct=False), NOW)).text


def test_a_region_far_colder_than_the_hottest_gets_a_scale_of_its_own_and_says_so():
    cold = replace(BALLS[1], share=BALLS[1].share / 50)
    text = Page(render(case_result(balls=(BALLS[0], cold)), NOW)).text
    assert text.count("a dose scale of its own") == 1
    assert "All regions share this dose scale unless said otherwise." in text
    assert "a dose scale of its own" not in Page(render(case_result(), NOW)).text


def test_background_and_a_region_without_a_dose_are_shown_without_one(case):
    bare = replace(case.regions[1], dose=None, dose_interval95=None, histogram=None)
    background = replace(bare, region=replace(bare.region, role=Role.BACKGROUND))
    text = Page(render(replace(case, regions=(case.regions[0], background)), NOW)).text
    assert "not computed" in text


def test_dose_and_activity_are_also_given_per_administered_activity(case):
    found = case.regions[0]
    text = Page(render(case, NOW)).text
    assert f"{found.dose.value / 7.4:.2f} ± " in text  # Gy/GBq
    assert "0.972 ± 0.056" in text  # % of 7400 MBq at 4 h: 100 × 0.010 × 2^(-4/96); 2, 5 and 2.03% in quadrature
    absent = replace(case, administration=replace(case.administration, activity=None))
    assert "per administered activity" not in Page(render(absent, NOW)).text


def test_images_without_activity_and_dose_still_give_a_page(case):
    empty = replace(
        case,
        dose=case.dose.with_values(case.dose.values * 0),
        time_points=tuple(replace(p, activity=p.activity.with_values(p.activity.values * 0)) for p in case.time_points),
    )
    assert "Liver lesion" in Page(render(empty, NOW)).text


def test_one_case_gives_one_page(case):
    assert render(case, NOW) == render(case_result(), NOW)


def test_the_page_stays_small_enough_to_send(case):
    assert len(render(case, NOW).encode()) < 3e6


def test_warnings_are_put_under_the_region_that_they_speak_of():
    warnings = ["Liver: a", "No CT.", "Liver lesion: b", "Liver: c", "Spleen: d"]
    assert grouped(warnings, ["Liver", "Liver lesion"]) == [
        ("", ["No CT.", "Spleen: d"]),
        ("Liver", ["a", "c"]),
        ("Liver lesion", ["b"]),
    ]


def test_what_all_points_of_a_curve_share_is_said_beside_it(page):
    assert "share, ± 5.0% (one standard uncertainty)" in page.text  # the calibration of 5%


def test_settings_are_listed_by_their_dotted_path():
    settings = {"a": {"b": True, "c": [1, 2]}, "d": None, "e": {}, "f": [{"g": 1}, {"g": 2}]}
    listed = [("a.b", "yes"), ("a.c", "1, 2"), ("d", "none"), ("e", "none"), ("f[0].g", "1"), ("f[1].g", "2")]
    assert list(flattened(settings)) == listed
