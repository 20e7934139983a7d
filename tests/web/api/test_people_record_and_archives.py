"""People, the record and archives by the API, as on their pages."""

import pytest

from hevesy.web.site.accounts import tokens
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.audit.models import Event
from hevesy.web.site.store.models import Archive

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(client, django_user_model):
    """Return a function by which a program of an administrator asks."""
    person = django_user_model.objects.create_user("chief", role="administrator")
    token = tokens.create(person, "test", 7, ["administrator"])

    def ask(method, path, given=None):
        said = {"headers": {"Authorization": f"Bearer {token}"}}
        if given is not None:
            said |= {"data": given, "content_type": "application/json"}
        return getattr(client, method)(f"/api/{path}", **said)

    return ask


def test_an_account_is_made_changed_and_ended(ask, client):
    made = ask("post", "accounts/people", {"username": "m.curie", "role": "physicist"})
    assert made.status_code == 201
    number = made.json()["person"]["id"]
    assert client.get(made.json()["link"]).status_code == 200, "the link opens the page that sets a password"
    changed = ask("patch", f"accounts/people/{number}", {"role": "physician"})
    assert (changed.json()["role"], changed.json()["username"]) == ("physician", "m.curie")
    assert not ask("post", f"accounts/people/{number}/deactivate").json()["is_active"]
    assert ask("post", f"accounts/people/{number}/link").status_code == 404
    assert ask("post", f"accounts/people/{number}/nothing").status_code == 404
    actions = set(Event.objects.values_list("action", flat=True))
    assert {"person.created", "person.role_changed", "person.deactivated"} <= actions


def test_what_a_form_refuses_the_api_refuses(ask):
    again = ask("post", "accounts/people", {"username": "CHIEF", "role": "physicist"})
    assert again.status_code == 422
    assert "username: Somebody has this name already." in again.json()["refused"]
    last = ask("patch", f"accounts/people/{Person.objects.get().pk}", {"role": "learner"})
    assert (last.status_code, "last administrator" in last.json()["refused"]) == (422, True)
    assert Person.objects.get().administers


def test_a_token_revokes_itself(ask):
    assert ask("get", "accounts/me").json() == {"username": "chief", "roles": ["administrator"]}
    (one,) = ask("get", "accounts/tokens").json()
    assert ask("delete", f"accounts/tokens/{one['id']}").status_code == 204
    assert ask("get", "accounts/me").status_code == 401


def test_the_record_is_read_on_from_a_number_and_its_chain_followed(ask):
    lines = ask("get", "audit/events").json()
    assert lines[0]["action"] == "token.made"
    assert [line["number"] for line in ask("get", "audit/events?after=1").json()] == [2, 3]
    checked = ask("post", "audit/check").json()
    assert (checked["holds"], checked["broken"], checked["last"]) == (True, None, 3)
    assert checked["hash"] == Event.objects.last().hash


def test_an_archive_is_named_and_forgotten_and_its_password_not_told(ask):
    given = {"name": "PACS", "address": "https://pacs.example/dicom-web", "username": "u", "password": "p"}
    made = ask("post", "store/archives", given)
    assert made.status_code == 201
    assert "p" not in made.json().values()
    assert ask("post", "store/archives", {**given, "address": "file:///etc"}).json()["refused"].startswith("address: ")
    assert [one["name"] for one in ask("get", "store/archives").json()] == ["PACS"]
    assert ask("delete", f"store/archives/{made.json()['id']}").status_code == 204
    assert not Archive.objects.exists()
