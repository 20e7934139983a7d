"""A store with patients, and people who have signed in: what a load is put on."""

from datetime import UTC, datetime, timedelta
from importlib import import_module


def fill(people, patients):
    """Make them, and return a session's key for each person."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from hevesy.web.site.accounts.models import Person

    make_patients(patients)
    store = import_module(settings.SESSION_ENGINE).SessionStore
    keys = []
    for n in range(people):
        person = Person.objects.create_user(f"physicist-{n}", role="physicist")
        session = store()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.create()
        keys.append(session.session_key)
    return keys


def make_patients(count):
    """Four studies each, of a CT and a SPECT."""
    from hevesy.web.site.store.models import Patient, Series, Study

    names = [Patient(identifier=f"P{n:04}", name=f"SIMULATED^PATIENT {n}") for n in range(count)]
    patients = Patient.objects.bulk_create(names)
    begun = datetime(2026, 1, 1, 9, tzinfo=UTC)
    studies = Study.objects.bulk_create(
        Study(uid=f"2.25.{1000 + 10 * n + k}", patient=patient, description="Lu-177", at=begun + timedelta(days=n + k))
        for n, patient in enumerate(patients)
        for k in range(4)
    )
    Series.objects.bulk_create(
        Series(uid=f"{study.uid}.{n}", study=study, modality=modality, description=modality, at=study.at)
        for study in studies
        for n, modality in enumerate(("CT", "NM"))
    )
