from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from hevesy.web.site.store.models import Patient, Study

pytestmark = pytest.mark.django_db

STUDIES = 10_000


@pytest.fixture
def many():
    """As many studies as a department makes in years, two a patient."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    Patient.objects.bulk_create(
        Patient(identifier=f"P{n}", name=f"Name{n % 97}^Given", latest_at=start + timedelta(hours=n), study_count=2)
        for n in range(STUDIES // 2)
    )
    keys = list(Patient.objects.order_by("id").values_list("pk", flat=True))
    Study.objects.bulk_create(
        Study(uid=f"1.2.{n}", patient_id=keys[n // 2], listed_at=start + timedelta(hours=n), modalities="CT NM")
        for n in range(STUDIES)
    )
    if connection.vendor == "postgresql":  # its own upkeep does this within a minute, but sees no open transaction
        connection.cursor().execute("ANALYZE store_patient, store_study")


def test_a_page_of_studies_is_one_query_and_the_newest_come_first(many, django_assert_num_queries):
    with django_assert_num_queries(1):
        page = list(Study.objects.worklist()[:50])
        shown = [f"{s.patient.name} {s.modalities} {s.instance_count}" for s in page]
    assert len(shown) == 50
    assert [s.uid for s in page] == [f"1.2.{n}" for n in range(STUDIES - 1, STUDIES - 51, -1)]


def test_a_page_of_patients_is_one_query(many, django_assert_num_queries):
    with django_assert_num_queries(1):
        page = list(Patient.objects.worklist()[100:150])
    assert page[0].identifier == f"P{STUDIES // 2 - 101}"


def test_the_order_comes_from_an_index(many):
    if connection.vendor != "sqlite":
        pytest.skip("the plan is told in SQLite's words")
    for found in (Study.objects.worklist()[:50], Patient.objects.worklist()[:50]):
        plan = found.explain()
        assert "worklist_of_" in plan
        assert "TEMP B-TREE" not in plan


def test_every_word_of_a_search_must_be_found(many):
    assert {p.identifier for p in Patient.objects.worklist("name5^ p5")} >= {"P5", "P587"}
    assert not Patient.objects.worklist("name5^ p6 name7").exists()
    assert Study.objects.worklist("P4999", "nm").count() == 2
    assert not Study.objects.worklist("P4999", "PT").exists()
