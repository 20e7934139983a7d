import pytest

from hevesy.web.site.store.models import Patient
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
    assert list(client.get("/", {"q": "DOE, John"}).context["patients"]) == [patient]
    patient.refresh_from_db()
    assert patient.name == "DOE^JOHN"
