import re

import pytest
from django.core.cache import cache

from hevesy.errors import LastAdministrator
from hevesy.web.site.accounts import people
from hevesy.web.site.accounts.links import first_start_link, password_path
from hevesy.web.site.accounts.models import OneTimeLink, Person
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.models import Event

pytestmark = pytest.mark.django_db
PASSWORD = "a long phrase for tests"
BASE = "http://localhost:8000"
FIRST = {"username": "chief", "password1": PASSWORD, "password2": PASSWORD, "role": Role.PHYSICIST}


def recorded():
    return [(event.actor_name, event.action, event.subject) for event in Event.objects.all()]


@pytest.fixture
def administrator(client):
    person = Person.objects.create_user("chief", password=PASSWORD, role=Role.ADMINISTRATOR)
    client.force_login(person)
    return person


@pytest.fixture
def colleague():
    return Person.objects.create_user("colleague", password=PASSWORD, role=Role.PHYSICIST)


# the first start


def test_the_first_administrator_is_made_by_the_link_that_the_server_prints(client):
    link = first_start_link(BASE)
    assert link.startswith(f"{BASE}/account/first-start/")
    path = link.removeprefix(BASE)
    assert client.get(path).status_code == 200
    answer = client.post(path, FIRST | {"role": Role.ADMINISTRATOR})
    assert answer.status_code == 302
    chief = Person.objects.get()
    assert chief.role == Role.ADMINISTRATOR
    assert chief.check_password(PASSWORD)
    assert client.get("/people/").status_code == 200
    assert recorded()[0] == ("chief", "person.created", "chief")


def test_who_works_alone_is_physicist_and_administrator_in_one(client):
    client.post(first_start_link(BASE).removeprefix(BASE), FIRST)
    assert client.get("/").status_code == 200
    assert client.get("/people/").status_code == 200
    alone = Person.objects.get()
    with pytest.raises(LastAdministrator):
        people.deactivate(alone, alone)
    alone.is_staff = False
    with pytest.raises(LastAdministrator):
        people.change(alone, alone, ["is_staff"])


def test_the_first_link_works_once_and_is_given_no_more(client):
    path = first_start_link(BASE).removeprefix(BASE)
    client.post(path, FIRST)
    client.logout()
    assert client.get(path).status_code == 404
    assert client.post(path, {"username": "thief", "password1": PASSWORD, "password2": PASSWORD}).status_code == 404
    assert first_start_link(BASE) is None
    assert Person.objects.count() == 1


def test_a_server_that_starts_again_prints_a_new_link_and_ends_the_old_one(client):
    old, new = first_start_link(BASE), first_start_link(BASE)
    assert client.get(old.removeprefix(BASE)).status_code == 404
    assert client.get(new.removeprefix(BASE)).status_code == 200


def test_the_token_of_a_link_is_not_in_the_database():
    token = first_start_link(BASE).rstrip("/").rpartition("/")[2]
    assert len(token) >= 43
    assert token not in str(list(OneTimeLink.objects.values()))


@pytest.mark.parametrize("password", ["short", "password1234", "123456789012", "chief-chief-1"])
def test_a_weak_password_is_refused(client, password):
    path = first_start_link(BASE).removeprefix(BASE)
    answer = client.post(path, {"username": "chief-chief-1", "password1": password, "password2": password})
    assert answer.status_code == 200
    assert not Person.objects.exists()
    assert b'aria-invalid="true"' in answer.content


# people


def test_an_administrator_makes_an_account_whose_owner_sets_the_password(client, administrator):
    answer = client.post("/people/new/", {"username": "new", "role": "physicist"})
    path = re.search(r"http://testserver(/account/link/[^<]+)<", answer.content.decode())[1]
    person = Person.objects.get(username="new")
    assert person.invited
    client.logout()
    assert client.get(path).status_code == 200
    client.post(path, {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert client.get(path).status_code == 404
    assert client.login(username="new", password=PASSWORD)
    assert ("chief", "person.created", "new") in recorded()
    assert ("new", "password.set", "new") in recorded()


def test_a_link_of_somebody_who_was_deactivated_opens_nothing(client, administrator, colleague):
    path = password_path(colleague)
    client.post(f"/people/{colleague.pk}/deactivate/")
    client.logout()
    assert client.get(path).status_code == 404


def test_a_deactivated_person_is_out_at_once(client, administrator, colleague):
    theirs = type(client)()
    theirs.force_login(colleague)
    assert theirs.get("/").status_code == 200
    client.post(f"/people/{colleague.pk}/deactivate/")
    assert theirs.get("/").status_code == 302
    client.post(f"/people/{colleague.pk}/reactivate/")
    theirs.force_login(Person.objects.get(pk=colleague.pk))
    assert theirs.get("/").status_code == 200
    assert ("chief", "person.deactivated", "colleague") in recorded()


def test_a_change_of_role_is_recorded_with_what_was_and_what_is(client, administrator, colleague):
    client.post(f"/people/{colleague.pk}/", {"username": "colleague", "role": "physician"})
    assert Person.objects.get(pk=colleague.pk).role == Role.PHYSICIAN
    assert Event.objects.get(action="person.role_changed").details["role"] == ["physicist", "physician"]


def test_the_last_administrator_stays(client, administrator):
    client.post(f"/people/{administrator.pk}/deactivate/")
    answer = client.post(f"/people/{administrator.pk}/", {"username": "chief", "role": "learner"})
    assert b"last administrator" in answer.content
    administrator.refresh_from_db()
    assert administrator.is_active
    assert administrator.role == Role.ADMINISTRATOR


def test_two_names_that_differ_in_capitals_alone_are_refused(client, administrator, colleague):
    answer = client.post("/people/new/", {"username": "Colleague", "role": "physicist"})
    assert b"Somebody has this name already" in answer.content


def test_a_name_with_markup_in_it_is_shown_as_text(client, administrator):
    client.post("/people/new/", {"username": "new", "first_name": "<script>alert(1)</script>", "role": "learner"})
    assert b"<script>alert" not in client.get("/people/").content


# signing in


def sign_in(client, name, password):
    return client.post("/account/login/", {"login": name, "password": password})


def test_nobody_makes_an_account_for_themselves_unless_the_site_is_open_to_learners(client, settings):
    form = {"username": "new", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/account/signup/", form)
    assert not Person.objects.exists()
    settings.SIGNUP_OPEN = True
    client.post("/account/signup/", form)
    assert Person.objects.get().role == Role.LEARNER


def test_after_five_wrong_passwords_even_the_right_one_must_wait(client, colleague):
    cache.clear()
    for _ in range(5):
        sign_in(client, "colleague", "a wrong phrase")
    answer = sign_in(client, "colleague", PASSWORD)
    assert answer.status_code in (200, 429)
    assert "_auth_user_id" not in client.session


def test_tries_are_counted_for_all_processes_together(settings):
    assert settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache")


def test_a_session_that_nobody_uses_ends(client, colleague, monkeypatch, settings):
    client.force_login(colleague)
    assert client.get("/").status_code == 200
    import time

    now = time.time()
    monkeypatch.setattr("hevesy.web.site.accounts.idle.time.time", lambda: now + settings.SESSION_IDLE_S - 5)
    assert client.get("/").status_code == 200
    monkeypatch.setattr("hevesy.web.site.accounts.idle.time.time", lambda: now + 2 * settings.SESSION_IDLE_S)
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("headers", [{"X-Unattended": "1"}, {"Accept": "text/event-stream"}])
def test_a_page_that_asks_by_itself_keeps_no_session_open(client, colleague, monkeypatch, settings, headers):
    client.force_login(colleague)
    client.get("/")
    import time

    now = time.time()
    monkeypatch.setattr("hevesy.web.site.accounts.idle.time.time", lambda: now + settings.SESSION_IDLE_S - 5)
    assert client.get("/", headers=headers).status_code == 200
    monkeypatch.setattr("hevesy.web.site.accounts.idle.time.time", lambda: now + settings.SESSION_IDLE_S + 5)
    assert client.get("/", headers=headers).status_code == 302


def test_each_role_comes_to_a_page_that_it_may_open_after_signing_in(client):
    for role in Role.values:
        client.force_login(Person.objects.create_user(f"a-{role}", role=role))
        assert client.get("/home", follow=True).status_code == 200, role
