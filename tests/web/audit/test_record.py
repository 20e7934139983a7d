import hashlib
import json
import threading

import pytest
from django.db import DatabaseError, connection, transaction

from hevesy.web.site.audit import guard
from hevesy.web.site.audit.models import BEGINNING, AppendOnlyError, Event
from hevesy.web.site.audit.record import record, verify


@pytest.fixture
def person(db, django_user_model):
    return django_user_model.objects.create_user("hevesy", role="physicist")


@pytest.fixture
def guarded(db):
    guard.put_on(connection)
    yield
    guard.take_off(connection)


def test_a_line_says_who_did_what_to_what_and_follows_the_line_before(person):
    first = record(person, "study.seen", "1.2.3", pages=2)
    second = record(None, "import.finished", "folder")
    assert (first.number, first.actor_name, first.action, first.subject) == (1, "hevesy", "study.seen", "1.2.3")
    assert first.previous == BEGINNING
    assert second.previous == first.hash
    assert Event.objects.get(number=1).details == {"pages": 2}
    assert verify() is None


def test_the_hash_can_be_made_again_by_anybody_who_has_the_line(person):
    event = record(person, "study.seen", "1.2.3", ratio=1e16, name="Ünal", deep={"b": [1, None], "a": 0.1})
    kept = Event.objects.get()
    text = json.dumps(
        {
            "action": "study.seen",
            "actor": person.pk,
            "actor_name": "hevesy",
            "at": kept.at.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00"),
            "details": {"deep": {"a": 0.1, "b": [1, None]}, "name": "Ünal", "ratio": 1e16},
            "number": 1,
            "previous": "0" * 64,
            "subject": "1.2.3",
        },
        separators=(",", ":"),
    )
    assert hashlib.sha256(text.encode()).hexdigest() == event.hash == kept.hash


@pytest.mark.parametrize("text", ["a" * 500, "nul\0byte", "half \ud800 of a character", "<script>alert(1)</script>"])
def test_a_subject_that_a_database_would_not_keep_is_kept_as_far_as_it_can_be(person, text):
    record(person, "import.refused", text, name=text)
    kept = Event.objects.get()
    assert len(kept.subject) <= 200
    assert kept.details["name"] == text
    assert verify() is None


def test_what_json_cannot_say_is_refused(person):
    with pytest.raises(ValueError, match="not JSON compliant"):
        record(person, "dose.made", "x", value=float("nan"))
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    "meddle", [lambda e: e.save(), lambda e: e.delete(), lambda e: Event.objects.update(subject="x")]
)
def test_the_program_refuses_to_change_or_delete_a_line(person, meddle):
    event = record(person, "study.seen", "1.2.3")
    with pytest.raises(AppendOnlyError):
        meddle(event)
    with pytest.raises(AppendOnlyError):
        Event.objects.filter(number=1).delete()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET subject = 'x' WHERE number = 1", "DELETE FROM audit_event"]
)
def test_the_database_refuses_to_change_or_delete_a_line(person, guarded, statement):
    record(person, "study.seen", "1.2.3")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Event.objects.get().subject == "1.2.3"


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_event SET subject = 'x' WHERE number = 3", 3),
        ("UPDATE audit_event SET details = '{}' WHERE number = 2", 2),
        ("UPDATE audit_event SET actor_id = NULL WHERE number = 4", 4),
        ("DELETE FROM audit_event WHERE number = 2", 2),
        ("DELETE FROM audit_event WHERE number = 1", 1),
        ("UPDATE audit_event SET number = 9 WHERE number = 5", 5),
    ],
)
def test_meddling_past_the_guards_is_found_at_its_line(person, statement, broken):
    for page in range(5):
        record(person, "page.seen", "1.2.3", page=page)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert verify() == broken


def test_a_line_that_is_written_again_with_a_right_hash_breaks_the_next_one(person):
    for page in range(3):
        record(person, "page.seen", "1.2.3", page=page)
    forged = Event.objects.get(number=2)
    forged.subject = "another"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_event SET subject = 'another', hash = %s WHERE number = 2", [forged.digest()])
    assert verify() == 3


def test_what_the_caller_takes_back_was_never_recorded(person):
    with pytest.raises(RuntimeError), transaction.atomic():
        record(person, "study.seen", "1.2.3")
        raise RuntimeError
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_who_record_at_once_make_one_chain(django_user_model):
    person = django_user_model.objects.create_user("hevesy", role="physicist")
    faults = []

    def write(name):
        try:
            for page in range(10):
                record(person, "page.seen", name, page=page)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(str(n),)) for n in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not faults
    assert Event.objects.count() == 60
    assert verify() is None
    for n in range(6):
        pages = [event.details["page"] for event in Event.objects.filter(subject=str(n))]
        assert pages == list(range(10))


def test_signing_in_out_and_failing_to_are_recorded(client, django_user_model, db):
    django_user_model.objects.create_user("hevesy", password="a long phrase for tests", role="physicist")
    client.post("/account/login/", {"login": "hevesy", "password": "a wrong phrase"})
    client.post("/account/login/", {"login": "a password by mistake", "password": "a wrong phrase"})
    client.post("/account/login/", {"login": "hevesy", "password": "a long phrase for tests"})
    client.post("/account/logout/")
    lines = [(event.actor_name, event.action, event.subject) for event in Event.objects.all()]
    assert lines == [
        ("", "session.refused", "hevesy"),
        ("", "session.refused", ""),
        ("hevesy", "session.begun", "hevesy"),
        ("hevesy", "session.ended", "hevesy"),
    ]
    assert "password by mistake" not in str(list(Event.objects.values()))
    assert verify() is None
