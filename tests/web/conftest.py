"""A real browser on a real site, for the tests of pages.

`page` drives Chromium on the site that `live` names; `sign_in(page, role)` makes a person and signs in as one does;
`assert_accessible(page)`, which also looks at it on a telephone, and `screenshot(page, name)` are for every page.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: software graphics, so that a page looks the same on every machine; no call to anybody's server
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
PASSWORD = "a long phrase for tests"
#: WCAG 2.2 at levels A and AA
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for the browser and for the database, so that nobody has to remember to."""
    for item in items:
        asks = set(getattr(item, "fixturenames", ()))
        if "browser" in asks:
            item.add_marker(pytest.mark.browser)
        if item.get_closest_marker("django_db") or asks & {"db", "transactional_db", "django_db_setup"}:
            item.add_marker(pytest.mark.database)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Take off the guards of the audit record: a test's data is deleted after it. Tests of the guards put them back."""
    from django.db import connection

    from hevesy.web.site.audit import guard

    with django_db_blocker.unblock():
        guard.take_off(connection)
    yield
    if connection.vendor == "postgresql":
        # a request that the browser left may still hold a connection, and so the database that is to be dropped
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session")
def _server(django_db_setup: None) -> Iterator[str]:
    import uvicorn

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = uvicorn.Config(
        "hevesy.web.site.asgi:application", host="127.0.0.1", port=port, log_level="warning", lifespan="off"
    )
    server = uvicorn.Server(options)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 120
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started, "the site did not start within 120 s"
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def live(transactional_db: None, _server: str) -> str:
    """Address of a running site whose database is the test's own; what it holds is gone afterwards."""
    from django.core.cache import cache

    cache.clear()  # tries to sign in are counted there, and no flush of the database empties it
    return _server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium: one a module, for its event loop must not outlive the tests that use it."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
        "true"  # the driver's loop runs in this thread; the database is used in turn
    )
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser: Browser, live: str) -> Iterator[Page]:
    """A new page of the running site, in which an error of a script or a breach of its policy fails the test."""
    context = browser.new_context(base_url=live, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(60_000)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield opened
    context.close()
    assert not faults, faults


@pytest.fixture
def sign_in(live: str, django_user_model: Any) -> Callable[..., Any]:
    """Return a function that makes a person of a role and signs in by the page of the site."""

    def sign_in(page: Page, role: str = "physicist", username: str = "somebody") -> Any:
        person = django_user_model.objects.create_user(username, password=PASSWORD, role=role)
        page.goto("/account/login/")
        page.fill("#id_login", username)
        page.fill("#id_password", PASSWORD)
        page.locator("#id_password").press("Enter")
        page.wait_for_url(lambda url: "/account/login/" not in url)
        return person

    return sign_in


@pytest.fixture
def assert_accessible() -> Callable[[Any], None]:
    """Return a function that fails where axe finds a serious or critical breach on a page."""

    def assert_accessible(page: Page) -> None:
        # added as the page's own script would be refused by its policy: it is evaluated from outside instead
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
        found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
        grave = [
            {"rule": fault["id"], "why": fault["help"], "where": [node["html"][:200] for node in fault["nodes"]]}
            for fault in found["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
        assert found["passes"], "axe judged nothing"
        assert not grave, json.dumps(grave, indent=1, ensure_ascii=False)
        assert_narrow(page)

    return assert_accessible


def assert_narrow(page: Page) -> None:
    """Fail where a page on a telephone is wider than its window, written from the left or from the right."""
    size, turn = page.viewport_size, "way => [document.dir, document.dir = way][0]"
    page.set_viewport_size({"width": 390, "height": 844})
    was = page.evaluate(turn, "rtl")
    for way in ("rtl", "ltr"):
        page.evaluate(turn, way)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), f"{page.url}, {way}"
    page.evaluate(turn, was)
    if size:
        page.set_viewport_size(size)
        # charts that follow the width are drawn anew before a test takes hold of anything in them
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that keeps a picture of a page in the folder HEVESY_SCREENS, for looking at."""

    def screenshot(page: Page, name: str) -> Path:
        folder = Path(os.environ.get("HEVESY_SCREENS") or tmp_path)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return screenshot
