"""Pages of studies in the viewer, without the site around it."""

import re

import pytest

from factories.viewer import serve

OPEN_MS = 120_000


@pytest.fixture
def open_study(browser, screenshot, request):
    """Open a study's page; at its end nothing may have failed or broken the policy, and its picture is kept."""
    opened = []

    def opener(study, *, width=1000, height=700, scheme="light", fails=False, before=""):
        url, server = serve(study)
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.add_init_script(before)
        page.goto(url)
        page.wait_for_selector("html[data-state]", state="attached", timeout=OPEN_MS)
        opened.append((page, server, faults))
        if not fails:
            assert page.evaluate("window.refused ?? null") is None
            if not study.withheld:
                page.evaluate("viewer.whole")
            page.evaluate("viewer.settled()")
        return page

    yield opener
    for page, server, faults in opened:
        screenshot(page, "viewer-" + re.sub(r"[^\w]+", "-", request.node.name).strip("-"))
        violations = page.evaluate("window.heard.violations")
        page.close()
        server.shutdown()
        server.server_close()
        assert violations == []
        assert faults == []
