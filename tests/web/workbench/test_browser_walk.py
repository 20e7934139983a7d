"""A person takes a patient from a folder of images to a signed report, in a real browser on a real server."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

from factories.therapy_case import write_case

PASSWORD = "a long phrase for tests"
PERSON = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from hevesy.web.site.accounts.models import Person
Person.objects.create_user("anna", password={password!r}, role="physicist")
"""
#: s that a step may take on a machine that does other things besides
PATIENCE = 240


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Address of a site as `hevesy serve` starts it, with a worker and one physicist."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    given = {"HEVESY_HOME": str(home), "DJANGO_SETTINGS_MODULE": "hevesy.web.site.settings", "NUMBA_NUM_THREADS": "1"}
    source = Path(__file__).parents[3] / "src"
    environment = {**os.environ, **given, "PYTHONPATH": str(source)}
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
def archive(tmp_path):
    """The patient as one archive."""
    folder = write_case(tmp_path / "case")
    return Path(shutil.make_archive(str(tmp_path / "patient"), "zip", folder))


@pytest.fixture
def look(screenshot, assert_accessible):
    """Return a function that keeps a picture of a page and lets axe judge it."""

    def look(page, name):
        screenshot(page, f"workbench-{name}")
        assert_accessible(page)

    return look


@pytest.fixture
def desk(browser, site):
    """A page in which the physicist has signed in."""
    context = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900}, accept_downloads=True)
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


def bring_in(page, archive, look):
    page.goto("/import/")
    look(page, "import")
    page.set_input_files("#files", archive)
    page.wait_for_url(re.compile(r"/import/[0-9a-f-]{36}/"))
    page.locator("#new", has_text="101").wait_for()
    page.goto("/")
    look(page, "worklist")
    page.get_by_role("link", name="Phantom").click()
    look(page, "patient")
    page.get_by_role("link", name="New administration").click()
    look(page, "begin")
    page.get_by_role("button", name="Begin").click()


def draw_a_lesion(page, look):
    step(page, "Regions")
    page.wait_for_selector("[data-ready]")
    page.get_by_role("button", name="lesion", exact=True).first.click()
    page.get_by_role("button", name="New lesion").click()
    page.wait_for_selector("text=lesion 1")
    picture = page.locator(".hv-row canvas, .hv-row [tabindex='0']").first
    picture.focus()
    with page.expect_response(re.compile("/regions$")) as drawn:
        picture.press("s")
        picture.press("Space")
    assert drawn.value.status == 200
    look(page, "regions")
    page.reload()
    page.wait_for_selector("[data-ready]")
    page.locator("details.card summary", has_text="lesion 1").click()
    card = page.locator("details.card", has_text="lesion 1")
    card.get_by_label("Propagate").check()
    card.get_by_role("button", name="Save").click()


def leave_a_point_out(page, look):
    step(page, "Curves")
    page.wait_for_selector("#curves", state="attached")
    handle = page.locator(".curve").nth(0).locator(".point-handle[data-scan='2']")
    box = handle.bounding_box()
    look(page, "curves")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 60, steps=4)
    page.mouse.up()
    look(page, "leave-out")
    page.fill("#reason", "the patient moved")
    page.locator("#leave-out").get_by_role("button", name="Leave out").click()
    page.wait_for_selector("tr.left-out")
    assert "the patient moved" in page.locator("tr.left-out").inner_text()


def compute(page, engine, **sampling):
    step(page, "Engine")
    page.check(f"#engine-{engine}")
    for key in ("histories", "seed"):
        page.fill(f"[id='mc-monte_carlo.{key}']", str(sampling.get(key, "")))
    page.get_by_role("button", name="Compute the dose").click()


def test_a_patient_goes_from_images_to_a_signed_report(desk, archive, look, tmp_path):
    page = desk
    bring_in(page, archive, look)
    page.wait_for_selector("text=A dose can be computed.")
    look(page, "data")
    draw_a_lesion(page, look)
    leave_a_point_out(page, look)

    compute(page, "vsv")
    page.wait_for_selector(".job")
    look(page, "progress")
    page.wait_for_selector("#dvh")
    compute(page, "mc", histories=4_000_000, seed=5)
    page.wait_for_selector(".job .badge:has-text('Running')")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".job .badge:has-text('Cancelled')")
    look(page, "cancelled")
    compute(page, "mc", histories=32_000)
    page.wait_for_selector("#dvh")
    page.wait_for_selector("[data-ready]")
    assert "Monte Carlo" in page.locator(".lead").inner_text()
    look(page, "dose")

    step(page, "Report")
    page.fill("#password", PASSWORD)
    look(page, "report")
    page.get_by_role("button", name="Sign").click()
    page.wait_for_selector("text=Version 1, signed by anna")
    look(page, "signed")
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
