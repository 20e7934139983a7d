from datetime import UTC, datetime

import pytest

from hevesy.web.site.store.models import Patient, Study
from hevesy.web.site.store.templatetags.names import person_name


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("DOE^JOHN", "DOE, John"),
        ("Doe^Jane^Mary-Ann^Dr^PhD", "Doe, Jane Mary-Ann PhD"),
        ("van der Berg^Anna^^^", "van der Berg, Anna"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),  # PS3.5, annex H.3
        ("=山田^太郎", "山田, 太郎"),
        ("^JOHN", "John"),
        ("PHANTOM", "PHANTOM"),
        ("^^^^", ""),
        ("", ""),
        ("a^b^c^d^e^f", "a, b c e"),
    ],
)
def test_a_name_is_shown_as_people_read_it(stored, shown):
    assert person_name(stored) == shown


@pytest.mark.django_db
def test_the_worklist_shows_names_as_people_read_them_and_leads_to_the_import_where_it_is_empty(
    client, home, physicist
):
    client.force_login(physicist)
    assert '<a href="/import/">Import a folder' in client.get("/").content.decode()
    patient = Patient.objects.create(identifier="P1", name="DOE^JOHN", study_count=1)
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    assert "DOE, John" in page
    assert "DOE^JOHN" not in page
    (row,) = client.get("/", {"q": "DOE, John"}).context["rows"]
    assert row["address"] == f"/patients/{patient.pk}/"
    assert (row["day"], row["modalities"]) == ("", "")
    patient.refresh_from_db()
    assert patient.name == "DOE^JOHN"


@pytest.mark.django_db
def test_the_worklist_says_of_each_patient_what_the_newest_study_is(client, home, physicist):
    client.force_login(physicist)
    for name, months in (("A", (3, 5, 4)), ("B", (6,))):
        patient = Patient.objects.create(identifier=name, study_count=len(months))
        for month in months:
            at = datetime(2026, month, 7, 12, tzinfo=UTC)
            Study.objects.create(uid=f"2.25.{month}", patient=patient, at=at, listed_at=at, modalities=f"NM {month}")
    rows = {row["identifier"]: row for row in client.get("/").context["rows"]}
    assert {name: (row["day"], row["modalities"], row["studies"]) for name, row in rows.items()} == {
        "A": ("2026-05-07", "NM 5", "3"),
        "B": ("2026-06-07", "NM 6", "1"),
    }
