"""The way from images to a signed report, over HTTP, for a patient whose answer is known."""

import hashlib
import io
import json
import re
import zipfile

import pytest

from factories.therapy_case import true_tia_Bq_s
from hevesy.cli import main
from hevesy.web.site.audit.models import Event
from hevesy.web.site.jobs import registry
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.jobs.models import Job
from hevesy.web.site.jobs.task import Order, Task
from hevesy.web.site.store.models import Administration, Course, Patient, Result, Signature
from hevesy.web.workbench.tasks import DOSE, MEASURE

PASSWORD = "a long phrase for tests"  # of the fixture `physicist`


def test_the_worklist_and_the_patient_lead_to_a_new_administration(desk, patient):
    assert patient.identifier in desk.get("/").content.decode()
    assert desk.get("/", {"q": "nobody is called so"}).context["rows"] == []
    assert desk.get(f"/patients/{patient.pk}/").status_code == 200
    answer = desk.post(
        f"/patients/{patient.pk}/begin", {"studies": [s.pk for s in patient.studies.all()], "course": ""}
    )
    made = Administration.objects.get()
    assert (answer.status_code, answer["Location"], made.cycle) == (302, f"/administrations/{made.pk}/data", 1)


def test_an_administration_without_a_study_is_refused_on_its_page(desk, patient):
    answer = desk.post(f"/patients/{patient.pk}/begin", {"course": ""}, follow=True)
    assert "No study is chosen." in answer.content.decode()
    assert not Administration.objects.exists()


def test_the_check_of_data_is_what_the_engine_says(open_page):
    page = open_page("data")
    assert page.context["found"]["ready"]
    assert page.context["found"]["facts"]["nuclide"] == "Lu-177"


def test_a_scan_before_the_administration_is_shown_as_a_contradiction_with_the_field_that_settles_it(
    desk, open_page, administration
):
    address = f"/administrations/{administration.pk}/data"
    desk.post(address, {"administration.time": "2024-03-05T18:00:00"})
    page = open_page("data")
    assert not page.context["found"]["ready"]
    asked = [field.path for one in page.context["asked"] for field in one["fields"]]
    assert "administration.time" in asked
    desk.post(address, {"administration.time": ""})
    assert open_page("data").context["found"]["ready"]


def test_a_value_that_is_no_number_is_refused_in_english_marked_as_such_and_nothing_is_changed(desk, administration):
    before = administration.settings
    address, arabic = f"/administrations/{administration.pk}/data", {"Accept-Language": "ar"}
    page = desk.post(address, {"patient.mass_kg": "heavy"}, follow=True, headers=arabic).content.decode()
    assert re.search('<bdi lang="en" dir="ltr" class="english">[^<]*is not a number', page)
    assert 'class="small says-english"' in page
    administration.refresh_from_db()
    assert administration.settings == before


def test_a_point_is_left_out_with_a_reason_and_taken_back(desk, open_page, administration):
    address = f"/administrations/{administration.pk}/curves"
    choice = {"region": "organ", "act": "leave_out", "scan": "2"}
    assert "left out for a reason" in desk.post(address, choice, follow=True).content.decode()
    desk.post(address, {**choice, "reason": "the patient moved"})
    page = open_page("curves")
    organ = next(one for one in page.context["found"]["regions"] if one["name"] == "organ")
    assert [point["left_out"] for point in organ["points"]] == [None, "the patient moved", None, None]
    assert organ["fit"]["tia_MBq_h"] == pytest.approx(true_tia_Bq_s("organ") / 3.6e9, rel=2e-3)
    desk.post(address, {"region": "organ", "act": "take_back", "scan": "2"})
    administration.refresh_from_db()
    assert "leave_out" not in administration.settings["regions"]["organ"]


def test_a_model_is_chosen_on_the_page(desk, open_page, administration):
    choice = {"region": "organ", "act": "model", "model": "bi-physical", "criterion": "aicc"}
    desk.post(f"/administrations/{administration.pk}/curves", choice)
    page = open_page("curves")
    organ = next(one for one in page.context["found"]["regions"] if one["name"] == "organ")
    assert (organ["fit"]["model"], organ["criterion"]) == ("bi-physical", "aicc")


def test_the_engine_page_estimates_how_long_each_engine_takes_once_the_grid_is_known(open_page):
    assert "Estimate for these images" not in open_page("engine").content.decode()
    open_page("curves")
    page = open_page("engine")
    assert page.context["shape"] == [40, 40, 24]
    assert page.content.decode().count("Estimate for these images") == len(page.context["engines"])


def compute(desk, administration, **engine):
    desk.post(f"/administrations/{administration.pk}/engine", {"engine": "local", **engine})
    assert carry_out_waiting()
    return Result.objects.latest("made_at")


def not_again(fixed, moving):
    raise AssertionError("registered again")


def test_the_dose_is_computed_signed_amended_and_remade_to_the_byte(
    desk, open_page, administration, case_folder, tmp_path, monkeypatch
):
    desk.post(f"/administrations/{administration.pk}/data", {"registration": "rigid"})
    open_page("curves")
    assert any(Job.objects.get(kind=MEASURE).result["motions"])
    with monkeypatch.context() as measured:  # the measurement has registered the scans; `hevesy dose` below does anew
        measured.setattr("hevesy.workflows.measurement.register", not_again)
        result = compute(desk, administration, compare="vsv")
    page = open_page("dose")
    assert [one["name"] for one in page.context["record"]["regions"]] == ["organ", "lesion"]
    assert not page.context["stale"]

    report = f"/administrations/{administration.pk}/report"
    wrong = desk.post(report, {"result": result.pk, "password": "a guess"}, follow=True)
    assert "nothing was signed" in wrong.content.decode()
    assert not Signature.objects.exists()
    desk.post(report, {"result": result.pk, "password": PASSWORD})
    signature = Signature.objects.get()
    shown = desk.get(f"/results/{result.pk}/report")
    assert signature.sha256 == hashlib.sha256(shown.content).hexdigest()
    assert "sandbox" in shown["Content-Security-Policy"]
    again = desk.post(report, {"result": result.pk, "password": PASSWORD}, follow=True)
    assert "signed already" in again.content.decode()

    second = compute(desk, administration)
    assert second.pk != result.pk
    unreasoned = desk.post(report, {"result": second.pk, "password": PASSWORD}, follow=True)
    assert "Say why it is amended" in unreasoned.content.decode()
    desk.post(report, {"result": second.pk, "password": PASSWORD, "reason": "the comparison was not asked for"})
    assert [s.version for s in Signature.objects.order_by("version")] == [1, 2]

    config = tmp_path / "case.yaml"
    config.write_bytes(desk.get(f"/results/{result.pk}/files/case.yaml").content)
    assert main(["dose", str(case_folder), "--config", str(config), "--out", str(tmp_path / "out")]) == 0
    archive = zipfile.ZipFile(io.BytesIO(desk.get(f"/results/{result.pk}/all.zip").content))
    remade = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert set(remade) == set(archive.namelist()) - {"case.yaml"}
    assert [name for name in remade if archive.read(name) != (tmp_path / "out" / name).read_bytes()] == []

    actions = set(Event.objects.values_list("action", flat=True))
    assert {"administration.begun", "dose.asked", "report.signed", "report.not-signed", "result.exported"} <= actions


def test_settings_that_changed_after_a_result_are_told_on_its_page(desk, open_page, administration):
    compute(desk, administration)
    desk.post(f"/administrations/{administration.pk}/data", {"administration.u_percent": "1"})
    page = open_page("dose")
    assert page.context["stale"]
    assert "not of the data as they are now" in page.content.decode()


def test_what_cannot_be_computed_is_refused_in_the_engines_words(desk, open_page, administration):
    desk.post(f"/administrations/{administration.pk}/data", {"administration.time": "2024-03-05T18:00:00"})
    page = open_page("curves")
    assert page.context["job"].state == "failed"
    assert "before the administration" in page.content.decode()


def test_the_case_is_taken_and_given_as_its_file(desk, administration):
    address = f"/administrations/{administration.pk}/data"
    desk.post(address, {"case_yaml": "nuclide: Lu-177\nengine: vsv\n"})
    administration.refresh_from_db()
    assert administration.settings == {"nuclide": "Lu-177", "engine": "vsv"}
    answer = desk.post(address, {"case_yaml": "nuklide: Lu-177\n"}, follow=True)
    assert "Did you mean &#x27;nuclide&#x27;?" in answer.content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("physician", 200), ("physicist", 200), ("learner", 403), ("administrator", 403), (None, 302)]
)
def test_pages_of_the_way_are_for_those_who_work_on_patients(client, home, db, django_user_model, role, status):
    someone = django_user_model.objects.create_user("someone", role=role or "physicist")
    if role:
        client.force_login(someone)
    course = Course.objects.create(patient=Patient.objects.create(identifier="P2"), name="Lu-177", created_by=someone)
    made = Administration.objects.create(course=course, cycle=1)
    for name in ("data", "regions", "curves", "engine", "dose", "report", "export"):
        assert client.get(f"/administrations/{made.pk}/{name}").status_code == status, name
    assert client.get(f"/courses/{course.pk}/").status_code == status


def test_a_measurement_asks_nothing_of_the_database_once_it_is_prepared(
    desk, open_page, administration, tmp_path, django_db_blocker
):
    open_page("data")
    desk.get(f"/administrations/{administration.pk}/curves")
    job, kind = Job.objects.get(kind=MEASURE), registry.kind(MEASURE)
    (tmp_path / "here").mkdir()
    prepared = kind.prepare(
        Task(Order(job.kind, job.arguments, job.fingerprint), tmp_path / "here", tmp_path, Silence())
    )
    with django_db_blocker.block():
        order = Order(job.kind, job.arguments | prepared, job.fingerprint)
        (tmp_path / "there").mkdir()
        found = kind.run(Task(order, tmp_path / "there", tmp_path, Silence()))
    assert found["grid_shape"] == [40, 40, 24]
    assert {kind.effort, registry.kind(DOSE).effort} == {registry.Effort.HEAVY}


class Silence:
    """What becomes of a task's words where no database is: nothing."""

    def report(self, progress, step, log):
        pass


def test_results_are_json_that_states_units(desk, administration):
    result = compute(desk, administration)
    body = desk.get(f"/results/{result.pk}/files/results.json").content
    assert json.loads(body)["regions"][0]["absorbed_dose_Gy"]["value"] > 0
    assert desk.get(f"/results/{result.pk}/files/..%2Fsecret").status_code == 404
