"""The script of the how-to page about the API runs against a real server, and its doses are the site's."""

import contextlib
import io
import json
import re
import threading
import time
from pathlib import Path

import pytest

from factories.therapy_case import write_case
from hevesy.web.site.accounts import tokens
from hevesy.web.site.audit.models import Event
from hevesy.web.site.home import Home
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.jobs.queue import result_folder
from hevesy.web.site.store.importing import import_path
from hevesy.web.site.store.models import Patient, Result

PAGE = Path(__file__).parents[3] / "docs/how-to/use-the-api-from-a-script.md"


@pytest.fixture
def patient(live, settings, tmp_path, django_user_model):
    """A patient whose images and case.yaml are on the site; the server sees what is committed."""
    settings.HOME = Home(tmp_path / "home")
    settings.HOME.prepare()
    import_path(write_case(tmp_path / "case"), django_user_model.objects.create_user("physicist", role="physicist"))
    return Patient.objects.get()


def test_the_script_goes_from_images_to_doses(live, patient, django_user_model, monkeypatch):
    physicist = django_user_model.objects.get()
    monkeypatch.setenv("HEVESY_SITE", live)
    monkeypatch.setenv("HEVESY_TOKEN", tokens.create(physicist, "the script", 7, ["physicist"]))
    script = re.search(r"^```py\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)[1]
    script = script.replace("SIM-1", patient.identifier).replace("time.sleep(0.5)", "time.sleep(0.1)")
    printed, failed = io.StringIO(), []

    def run():
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(script, PAGE.name, "exec"), {})
        except BaseException as fault:
            failed.append(fault)

    program = threading.Thread(target=run)
    program.start()
    until = time.monotonic() + 60
    while program.is_alive() and time.monotonic() < until:
        carry_out_waiting()
        time.sleep(0.02)
    assert not program.is_alive()
    assert not failed, failed
    made = json.loads((result_folder(Result.objects.get().fingerprint) / "results.json").read_text(encoding="utf-8"))
    doses = {one["name"]: one["absorbed_dose_Gy"]["value"] for one in made["regions"] if one["absorbed_dose_Gy"]}
    assert doses
    assert printed.getvalue().splitlines() == [f"{name} {value} Gy" for name, value in doses.items()]
    assert Event.objects.get(action="dose.asked").details["token"] == "the script"
