"""Imports and doses of synthetic patients: what is submitted before the killing, and what must be true after it."""

import json
from collections import Counter

import numpy as np
from django.conf import settings

from factories.dicom import CT, base
from factories.therapy_case import true_tia_Bq_s, write_case

#: DICOM files of a patient who is imported
FILES = 120
#: of a TIA, relative to its closed form: curves of four scans with a fit of one exponential
TOLERANCE = 2e-3
WRITTEN = {"report.html", "results.json", "case.yaml", "dose.nii.gz"}


def submit(count):
    """Submit a number of imports, and as many doses of a patient who is there already."""
    from hevesy.web.site.accounts.models import Person
    from hevesy.web.site.store.importing import import_path
    from hevesy.web.site.store.models import Import, Patient
    from hevesy.web.site.store.tasks import start_import
    from hevesy.web.workbench import acts

    person = Person.objects.create_user("physicist", role="physicist")
    folder = settings.HOME.folder.parent / "patients"
    import_path(write_case(folder / "treated"), person)
    treated = Patient.objects.get()
    jobs = []
    for number in range(count):
        arrival = Import(origin="path", source=str(slices(folder / f"{number}", number)), person=person)
        arrival.save()
        jobs.append(start_import(arrival, person))
        administration = acts.begin_administration(person, treated, treated.studies.all(), None)
        acts.change_settings(person, administration, administration.settings | {"engine": "local"})
        jobs.append(acts.ask_dose(person, administration))
    return [str(job.pk) for job in jobs]


def submit_a_pair():
    return submit(1)


def submit_many():
    return submit(4)


def slices(folder, patient):
    """Write a patient's CT, one file a slice."""
    folder.mkdir(parents=True)
    for number in range(FILES):
        uid = f"1.2.3.{patient}.{number + 1}"
        made = base(CT, "CT", np.full((4, 4), number, np.int16), SOPInstanceUID=uid, PatientID=f"imported {patient}")
        made.StudyInstanceUID, made.SeriesInstanceUID = f"1.2.3.{patient}", f"1.2.3.{patient}.0"
        made.file_meta.MediaStorageSOPInstanceUID = uid
        made.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder


def check(jobs):
    """Raise where an import or a dose is lost, doubled or half there."""
    doses = assert_doses_are_whole()
    imports = assert_imports_are_whole()
    assert doses == imports == len(jobs) // 2


def assert_imports_are_whole():
    from hevesy.web.site.store.files import FileStore
    from hevesy.web.site.store.models import Attachment, Import, Instance, Patient, Series, Study

    arrivals = Import.objects.filter(job__isnull=False)
    for arrival in arrivals:
        assert arrival.ended_at is not None
        assert (arrival.new, arrival.duplicate, arrival.refused) == (FILES, 0, 0), arrival.pk
    imported = Patient.objects.filter(identifier__startswith="imported")
    of_each = Counter(
        Instance.objects.filter(series__study__patient__in=imported).values_list("series__uid", flat=True)
    )
    assert set(of_each.values()) == {FILES}
    assert len(of_each) == imported.count() == arrivals.count()
    for model in (Study, Series):
        rows = model.objects.filter(uid__in=[uid.removesuffix(".0") for uid in of_each] + [*of_each])
        assert {row.instance_count for row in rows} == {FILES}
    named = {*Instance.objects.values_list("sha256", flat=True), *Attachment.objects.values_list("sha256", flat=True)}
    store = FileStore.of_site()
    damage = store.verify(named)
    assert not (damage.missing or damage.changed)
    assert {path.name for path in store.folder.glob("??/*")} == named
    return arrivals.count()


def assert_doses_are_whole():
    from hevesy.web.site.jobs.queue import result_folder
    from hevesy.web.site.store.models import Administration

    administrations = Administration.objects.all()
    for administration in administrations:
        result = administration.results.get()  # once, and no more than once
        folder = result_folder(result.fingerprint)
        assert {path.name for path in folder.iterdir()} >= WRITTEN
        assert (folder / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
        regions = json.loads((folder / "results.json").read_text(encoding="utf-8"))["regions"]
        assert {region["name"] for region in regions} == {"organ", "lesion"}
        for region in regions:
            np.testing.assert_allclose(region["tia_MBq_h"]["value"] * 3.6e9, true_tia_Bq_s(region["name"]), TOLERANCE)
    return administrations.count()
