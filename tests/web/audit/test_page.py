import csv
import hashlib
import io
import json

import pytest

from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.models import Event
from hevesy.web.site.audit.record import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief(client, django_user_model):
    person = django_user_model.objects.create_user("chief", role=Role.ADMINISTRATOR)
    client.force_login(person)
    return person


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("actor=chief&action=study.seen", {"1.2.3", "4.5.6"}),
        ("subject=1.2", {"1.2.3"}),
        ("since=2999-01-01", set()),
        ("until=2000-01-01", set()),
        ("since=nonsense&subject=4.5", {"4.5.6"}),
    ],
)
def test_the_page_shows_what_is_asked_for(client, chief, asked, found):
    record(chief, "study.seen", "1.2.3")
    record(chief, "study.seen", "4.5.6")
    shown = {event.subject for event in client.get(f"/audit/?{asked}").context["page"]}
    assert shown & {"1.2.3", "4.5.6"} == found


def test_an_export_can_be_checked_by_anybody(client, chief):
    record(chief, "study.seen", "1.2.3", name="Ünal")
    lines = [json.loads(line) for line in client.get("/audit/export.jsonl").content.decode().splitlines()]
    previous = "0" * 64
    for line in lines:
        digest = line.pop("hash")
        assert line["previous"] == previous
        text = json.dumps(line, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(text.encode()).hexdigest() == digest
        previous = digest
    assert lines[-1]["action"] == "audit.exported"


def test_a_table_for_a_spreadsheet_holds_no_formula(client, chief):
    record(chief, "import.refused", "=HYPERLINK(1)")
    rows = list(csv.DictReader(io.StringIO(client.get("/audit/export.csv").content.decode())))
    assert [row["subject"] for row in rows if row["action"] == "import.refused"] == ["'=HYPERLINK(1)"]
    assert len(rows) == Event.objects.count()


def test_the_page_says_whether_the_chain_holds(client, chief):
    record(chief, "study.seen", "1.2.3")
    assert b"Every line is as it was written" in client.post("/audit/check/").content
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_event SET subject = 'x' WHERE action = 'study.seen'")
    number = Event.objects.get(subject="x").number
    assert f"Line {number} is not as it was written".encode() in client.post("/audit/check/").content


def test_what_a_role_was_refused_is_recorded(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("curious", role=Role.LEARNER))
    assert client.get("/audit/").status_code == 403
    event = Event.objects.get(action="page.refused")
    assert (event.actor_name, event.subject) == ("curious", "/audit/")
