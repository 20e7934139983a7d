"""A person takes the patient of `make demo` from a folder to a signed report, in a real browser on a real server."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

from factories.databases import database_of

PATIENT = Path(__file__).parents[3] / "examples" / "lu177-dotatate"
PASSWORD = "a long phrase for tests"
PERSON = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from hevesy.web.site.accounts.models import Person
Person.objects.create_user("anna", password={password!r}, role="physicist")
"""
pytestmark = pytest.mark.process
#: s that a step may take on a machine that does other things besides
PATIENCE = 300


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Address of a site as `hevesy serve` starts it, with a worker and one physicist."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    given = {"DJANGO_SETTINGS_MODULE": "hevesy.web.site.settings", "NUMBA_NUM_THREADS": "1"}
    source = Path(__file__).parents[3] / "src"
    with database_of(home) as database:
        yield from serving(port, home, os.environ | database.environment | given | {"PYTHONPATH": str(source)})


def serving(port, home, environment):
    subprocess.run([sys.executable, "-c", PERSON.format(password=PASSWORD)], env=environment, check=True, timeout=120)
    log = (home / "serve.log").open("wb")
    command = [sys.executable, "-m", "hevesy", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()
            break
        except OSError:
            assert server.poll() is None and time.monotonic() < until, (home / "serve.log").read_text()
            time.sleep(0.2)
    yield address
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=60)
    log.close()


@pytest.fixture
def look(screenshot, assert_accessible):
    """Return a function that keeps a picture of a page and, once for each page, lets axe judge it."""

    def look(page, name, judge=True):
        page.evaluate("scrollTo(0, 0)")  # else the head of the page, which stays in sight, lies in the middle
        screenshot(page, f"workbench-{name}")
        if judge:
            assert_accessible(page)

    return look


@pytest.fixture
def desk(browser, site):
    """A page in which the physicist has signed in."""
    context = browser.new_context(base_url=site, viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    page.goto("/account/login/")
    page.fill("#id_login", "anna")
    page.fill("#id_password", PASSWORD)
    page.locator("#id_password").press("Enter")
    page.wait_for_url(lambda url: "/account/login/" not in url)
    yield page
    context.close()
    assert not faults, faults


def step(page, name):
    page.locator(".steps").get_by_role("link", name=name).click()


def drop(page, folder):
    """Drop a folder on the page, as from the desktop."""
    box = page.locator("#drop").bounding_box()
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    hand = page.context.new_cdp_session(page)
    held = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for moment in ("dragEnter", "dragOver", "drop"):
        hand.send("Input.dispatchDragEvent", {"type": moment, "data": held, **where})


def bring_in(page, look):
    page.goto("/import/")
    look(page, "import")
    drop(page, PATIENT)
    page.wait_for_url(re.compile(r"/import/[0-9a-f-]{36}/"))
    page.get_by_role("link", name="Go on").wait_for()
    assert page.locator("#new").inner_text() == "401"  # 400 objects, and the case.yaml beside them
    look(page, "imported")
    page.get_by_role("link", name="Go on").click()
    look(page, "worklist")
    page.locator("tbody a").first.click()
    look(page, "patient")
    page.get_by_role("link", name="New administration").click()
    for study in page.locator("[name=studies]").all():
        study.check()
    look(page, "begin")
    page.get_by_role("button", name="Begin").click()


def draw_a_lesion(page, look):
    step(page, "Regions")
    page.wait_for_selector("[data-ready]")
    page.get_by_role("button", name="lesion2 liver L lateral", exact=True).first.click()
    page.get_by_role("button", name="New lesion").click()
    page.wait_for_selector("text=lesion 1")
    picture = page.locator(".hv-row canvas, .hv-row [tabindex='0']").first
    picture.focus()
    with page.expect_response(re.compile("/regions$")) as drawn:
        picture.press("s")
        picture.press("Space")
    assert drawn.value.status == 200
    page.locator("#said summary", has_text="lesion 1").wait_for()  # beside the viewer, which stays open
    look(page, "regions")
    say_that_it_is_on_every_scan(page)


def say_that_it_is_on_every_scan(page):
    """Say it on the page of data, which loads no pictures again."""
    step(page, "Data")
    page.locator("summary", has_text="As case.yaml").click()
    said = page.input_value("#case_yaml")
    assert "regions:\n" in said
    page.fill("#case_yaml", said.replace("regions:\n", "regions:\n  lesion 1: {propagate: true}\n"))
    page.locator("form", has=page.locator("#case_yaml")).get_by_role("button", name="Save").click()
    page.wait_for_load_state()


def leave_a_point_out(page, look):
    """Drag a point off its chart, see the curve without it where it stood, and take the point back."""
    step(page, "Curves")
    page.wait_for_selector("#curves", state="attached")
    look(page, "curves")
    handle = page.locator(".curve").nth(0).locator(".point-handle[data-scan='2']")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 60, steps=4)
    page.mouse.up()
    look(page, "leave-out")
    page.fill("#reason", "the patient moved")
    page.evaluate("window.stays = true")
    page.locator("#leave-out").get_by_role("button", name="Leave out").click()
    page.wait_for_selector("tr.left-out")
    assert "the patient moved" in page.locator("tr.left-out").inner_text()
    assert page.evaluate("window.stays"), "the page was left for another"
    page.get_by_role("button", name="Take back").click()
    page.wait_for_selector("tr.left-out", state="detached")


def compute(page, engine, compare=None, **sampling):
    step(page, "Engine")
    page.check(f"#engine-{engine}")
    if compare:
        page.check(f"[name=compare][value={compare}]")
    for key in ("histories", "seed"):
        page.fill(f"[id='mc-monte_carlo.{key}']", str(sampling.get(key, "")))
    page.get_by_role("button", name="Compute the dose").click()


def run_engines(page, look):
    """Begin a long Monte Carlo and cancel it; then kernels, with a short Monte Carlo beside them."""
    step(page, "Engine")
    look(page, "engine")
    compute(page, "mc", histories=400_000_000, seed=5)
    page.wait_for_selector(".job .badge:has-text('Running')")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".job .badge:has-text('Cancelled')")
    look(page, "cancelled", judge=False)
    compute(page, "vsv", compare="mc", histories=20_000)
    page.wait_for_selector(".job progress[value]")
    look(page, "progress")
    page.wait_for_selector("#dvh")
    page.wait_for_selector("[data-ready]")
    assert "Monte Carlo" not in page.locator(".lead").inner_text()
    assert page.locator("thead th", has_text=re.compile("^mc")).count() == 1
    look(page, "dose")


def sign(page, look):
    step(page, "Report")
    page.fill("#password", PASSWORD)
    look(page, "report")
    page.get_by_role("button", name="Sign").click()
    page.wait_for_selector("text=Version 1, signed by anna")
    look(page, "signed", judge=False)


def test_the_demo_patient_goes_from_a_folder_to_a_signed_report(desk, look, tmp_path):
    page = desk
    bring_in(page, look)
    page.wait_for_selector("text=A dose can be computed.")
    look(page, "data")
    draw_a_lesion(page, look)
    leave_a_point_out(page, look)
    run_engines(page, look)
    sign(page, look)
    step(page, "Export")
    look(page, "export")
    with page.expect_download() as download:
        page.get_by_role("link", name="Everything in one archive").click()
    download.value.save_as(tmp_path / "all.zip")
    names = zipfile.ZipFile(tmp_path / "all.zip").namelist()
    assert {"case.yaml", "regions-1.dcm", "report.html", "rtdose.dcm", "results.json"} <= set(names)
    page.locator(".crumbs a").nth(2).click()
    page.wait_for_selector("text=What the cycles add up to")
    look(page, "course")
