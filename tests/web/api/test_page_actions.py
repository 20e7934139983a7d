"""What a page does, the API does too: the table of the documentation against the site."""

import re
from pathlib import Path

import pytest
from django.urls import URLResolver, get_resolver

from hevesy.cli import COMMANDS
from hevesy.web.site.api import gather

PAGE = Path(__file__).parents[3] / "docs/reference/page-actions.md"
ROW = re.compile(r"^\| `(/\S*)` \| (.+?) \| (.+?) \| (.+?) \|$", flags=re.MULTILINE)
ROWS = ROW.findall(PAGE.read_text(encoding="utf-8"))
#: pages that speak of themselves, such as the language
OF_PAGES = {"/home", "/language", "/theme", "/health", "/api/", "/api/openapi.json"}


def addresses(resolver, prefix="/"):
    """Addresses of pages of ours."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, path)
        elif not entry.callback.__module__.startswith(("allauth.", "ninja.")) and "/social/" not in path:
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)


def test_every_page_stands_in_the_table_once():
    assert sorted(row[0] for row in ROWS) == sorted(set(addresses(get_resolver())))


def test_every_operation_of_the_api_stands_in_the_table():
    described = gather().get_openapi_schema()["paths"]
    there = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    named = {one for row in ROWS for one in re.findall(r"`([A-Z]+ /api/\S+)`", row[2])} - {"GET /api/openapi.json"}
    assert named == there


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_has_no_operation_has_a_reason(row):
    page, _does, api, command = row
    assert "`" in api or re.match(r"none: \w|the same", api), api
    assert page in OF_PAGES or not api.startswith("the same") or page == "/import/form"
    assert set(re.findall(r"`hevesy (\w+)", command)) <= set(COMMANDS)
