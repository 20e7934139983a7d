"""The import page in a real browser."""

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.store.models import Import, Instance

FILES = 30


@pytest.fixture
def folder(tmp_path, make_object):
    for number in range(1, FILES + 1):
        make_object(tmp_path / f"dropped/{number % 3}/IM{number}", f"1.2.3.1.{number}", InstanceNumber=number)
    (tmp_path / "dropped/<img src=x onerror=alert(1)>.txt").write_text("x", encoding="ascii")
    (tmp_path / "dropped/large.csv").write_bytes(b"1,2\n" * 5_000_000)  # 20 MB: three pieces
    return tmp_path / "dropped"


def choose(page, folder):
    page.set_input_files("#folder", folder)


def test_a_folder_is_sent_and_reported(home, page, sign_in, folder, assert_accessible, screenshot):
    sign_in(page)
    page.goto("/import/")
    assert_accessible(page)
    screenshot(page, "import")
    choose(page, folder)
    page.wait_for_url("**/import/*-*/")
    screenshot(page, "import-waiting")
    assert carry_out_waiting() == 1
    expect(page.locator("#new")).to_have_text("31", timeout=30_000)
    assert page.inner_text("#refused") == "1"
    assert page.inner_text(".file-name").endswith("<img src=x onerror=alert(1)>.txt")
    assert_accessible(page)
    screenshot(page, "import-report")
    assert Instance.objects.count() == FILES


def test_a_broken_connection_is_taken_up_where_it_broke(home, page, sign_in, folder):
    sign_in(page)
    page.goto("/import/")
    asked, broken = [], []

    def break_some(route):
        asked.append(route.request.method)
        if len(asked) in (2, 4):
            broken.append(1)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/api/store/imports/*/files", break_some)
    choose(page, folder)
    page.wait_for_url("**/import/*-*/", timeout=30_000)
    carry_out_waiting()
    arrival = Import.objects.get()
    assert len(broken) == 2
    assert (arrival.new, arrival.refused) == (31, 1)


def test_a_page_that_was_left_goes_on_when_the_same_files_are_chosen_again(home, page, sign_in, folder):
    sign_in(page)
    page.goto("/import/")
    page.route("**/api/store/imports/*/files", lambda route: route.continue_())
    page.route("**/finish", lambda route: route.abort("connectionreset"))
    choose(page, folder)
    expect(page.locator("#whole")).to_have_js_property("value", 1, timeout=30_000)
    page.unroute("**/finish")
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    page.goto("/import/")
    choose(page, folder)
    page.wait_for_url("**/import/*-*/")
    carry_out_waiting()
    assert sent == []  # all of it was there
    assert Import.objects.get().new == 31
