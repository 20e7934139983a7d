import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pypdf
import pytest

from factories.case_result import case_result, rising_case
from hevesy.core import Patient
from hevesy.stages.reporting.html import render
from hevesy.stages.reporting.pdf import render_pdf

NOW = datetime(2024, 3, 9, 12, 0, tzinfo=UTC)
HOSTILE = 'x"]; #eval("1+1") \\ $a^2$ *b* _c_ @d <e> `f` // g'


class Words(HTMLParser):
    """The text of a page but for what only a screen shows."""

    def __init__(self, page):
        super().__init__()
        self.found, self._unseen = [], 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self._unseen += tag in ("head", "svg", "footer")

    def handle_endtag(self, tag):
        self._unseen -= tag in ("head", "svg", "footer")

    def handle_data(self, data):
        if not self._unseen:
            self.found.append(data)


def letters(text):
    """Only what a line break, a ligature or a hyphen cannot change."""
    text = text.replace("ﬁ", "fi").replace("ﬂ", "fl").replace("ﬀ", "ff").replace("ﬃ", "ffi")
    return re.sub(r"[\W_]+", "", text)


def read(pdf):
    return pypdf.PdfReader(io.BytesIO(pdf))


@pytest.fixture(scope="module", params=[case_result, rising_case], ids=["washout", "rising"])
def page(request):
    return render(request.param(), NOW)


def test_every_word_and_number_of_the_page_is_on_paper(page):
    shown = letters("".join(sheet.extract_text() for sheet in read(render_pdf(page, NOW)).pages))
    missing = [text for text in Words(page).found if letters(text) not in shown]
    assert not missing


def test_each_sheet_says_what_the_report_is_not(page):
    sheets = read(render_pdf(page, NOW)).pages
    assert all("For research and education; not a medical device." in sheet.extract_text() for sheet in sheets)


def test_the_same_page_gives_the_same_bytes(page):
    assert render_pdf(page, NOW) == render_pdf(page, NOW)


def test_a_reader_aloud_is_told_what_the_drawings_show(page):
    described = render_pdf(page, NOW)
    catalogue = read(described).trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"].lower().startswith("en")


def test_text_from_outside_is_not_taken_for_markup():
    case = case_result()
    hostile = replace(case, patient=Patient(HOSTILE), warnings=(HOSTILE, '#import "/etc/passwd"', "\x00\x1b[31m"))
    shown = letters("".join(sheet.extract_text() for sheet in read(render_pdf(render(hostile, NOW), NOW)).pages))
    assert shown.count(letters(HOSTILE)) >= 2
    assert "importetcpasswd" in shown
