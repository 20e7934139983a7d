"""A patient on the site: imported as a person would, and every job carried out in this process."""

import shutil
from contextlib import ExitStack

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import override_settings

from factories.therapy_case import write_case
from hevesy.web.site.home import Home
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.store.importing import import_path
from hevesy.web.site.store.models import Administration, Patient

PASSWORD = "a long phrase for tests"


@pytest.fixture(scope="session")
def case_folder(tmp_path_factory):
    """Images of a patient whose answer is known in closed form, with a case.yaml."""
    return write_case(tmp_path_factory.mktemp("case"))


@pytest.fixture
def home(settings, tmp_path):
    """A site's folder of this test's own."""
    settings.HOME = Home(tmp_path / "home")
    settings.HOME.prepare()
    return settings.HOME


@pytest.fixture(scope="module")
def imported(django_db_setup, django_db_blocker, case_folder, tmp_path_factory):
    """Import the patient once a module, in a transaction around those of its tests; return the site's files."""
    files = Home(tmp_path_factory.mktemp("imported"))
    files.prepare()
    with ExitStack() as around:
        with django_db_blocker.unblock(), override_settings(HOME=files):
            around.enter_context(transaction.atomic())
            person = get_user_model().objects.create_user("physicist", password=PASSWORD, role="physicist")
            import_path(case_folder, person)
        yield files.folder
        with django_db_blocker.unblock():
            transaction.set_rollback(True)
            around.close()


@pytest.fixture
def physicist(imported, db, django_user_model):
    return django_user_model.objects.get(username="physicist")


@pytest.fixture
def patient(home, physicist, imported):
    shutil.copytree(imported, home.folder, dirs_exist_ok=True)
    return Patient.objects.get()


@pytest.fixture
def desk(client, physicist):
    """A browser without scripts in which a physicist has signed in."""
    client.force_login(physicist)
    return client


@pytest.fixture
def administration(desk, patient):
    """The first cycle, begun by the page."""
    studies = [study.pk for study in patient.studies.all()]
    desk.post(f"/patients/{patient.pk}/begin", {"studies": studies, "course": ""})
    return Administration.objects.get()


@pytest.fixture(autouse=True)
def nobody_works_meanwhile(monkeypatch):
    """No worker carries out what a page waits a moment for: the test does, afterwards."""
    monkeypatch.setattr("hevesy.web.workbench.views.curves.PATIENCE_S", 0)


@pytest.fixture
def open_page(desk, administration):
    """Return a function that opens a page of the way once its jobs are done."""

    def open_page(name, **query):
        address = f"/administrations/{administration.pk}/{name}"
        for _ in range(3):
            answer = desk.get(address, query)
            if not carry_out_waiting():
                return answer
        raise AssertionError(f"{name} asks for more and more")

    return open_page
