"""Tokens: what a person's programs show instead of signing in."""

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from hevesy.errors import BadInput
from hevesy.web.site import api
from hevesy.web.site.accounts import people, tokens
from hevesy.web.site.accounts.models import Token
from hevesy.web.site.audit.models import Event
from hevesy.web.site.meter import Meter

pytestmark = pytest.mark.django_db
PASSWORD = "a long phrase for tests"
FORM = {"name": "nightly list", "days": 30, "roles": ["physicist"]}


@pytest.fixture
def person(django_user_model):
    return django_user_model.objects.create_user("m.curie", password=PASSWORD, role="physicist", is_staff=True)


@pytest.fixture
def token(person):
    return tokens.create(person, "nightly list", 30, ["physicist"])


@pytest.fixture
def signed_in(person):
    client = Client()
    assert client.post("/account/login/", {"login": "m.curie", "password": PASSWORD}).status_code == 302
    return client


def by(token, method="get", path="/api/store/patients", **options):
    program = Client(enforce_csrf_checks=True)
    return getattr(program, method)(path, headers={"Authorization": f"Bearer {token}"}, **options)


def test_a_token_is_shown_once_and_kept_as_its_hash_alone(signed_in):
    answer = signed_in.post("/account/tokens/new/", FORM)
    (made,) = re.findall(r"hevesy_[\w-]{43}", answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    assert made not in str(Token.objects.values()) + str(list(Event.objects.values()))
    listed = signed_in.get("/account/tokens/").content.decode()
    assert "nightly list" in listed
    assert made not in listed
    assert by(made).status_code == 200
    assert Event.objects.get(action="token.made").details["roles"] == ["physicist"]


def test_somebody_who_sits_down_at_an_open_screen_makes_no_token(client, person):
    client.force_login(person)  # a session in which nobody has shown anything of late
    for method in (client.get, client.post):
        answer = method("/account/tokens/new/", FORM)
        assert answer["Location"] == "/account/reauthenticate/?next=%2Faccount%2Ftokens%2Fnew%2F"
    assert not Token.objects.exists()


def test_a_password_makes_no_token_where_the_account_has_a_second_factor(signed_in, person):
    assert signed_in.get("/account/tokens/new/").status_code == 200
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    answer = signed_in.post("/account/tokens/new/", FORM)
    assert answer["Location"].startswith("/account/2fa/reauthenticate/")
    assert not Token.objects.exists()


def test_a_program_needs_no_csrf_token_and_leaves_its_name_in_the_record(token, person):
    answer = by(token, "post", "/api/store/imports", data={}, content_type="application/json")
    assert answer.status_code == 201
    by(token)
    seen = Event.objects.get(action="patients.listed")
    assert (seen.actor_name, seen.details["token"]) == ("m.curie", "nightly list")


def test_a_token_opens_the_api_alone(token):
    assert by(token, path="/").status_code == 302
    assert by(token, path="/account/tokens/").status_code == 302


def test_a_token_that_reads_changes_nothing(person):
    token = tokens.create(person, "reader", 7, ["physicist"], reads_only=True)
    assert by(token).status_code == 200
    assert by(token, "post", "/api/store/imports", data={}, content_type="application/json").status_code == 403


def end_by_time(person):
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def revoke(person):
    tokens.revoke(person, person.tokens.all())


def deactivate(person):
    people.create_first("chief", PASSWORD)
    people.deactivate(person, person)


@pytest.mark.parametrize("end", [end_by_time, revoke, deactivate])
def test_a_token_that_is_over_opens_nothing(token, person, end):
    assert by(token).status_code == 200
    end(person)
    assert by(token).status_code == 401


def test_a_token_has_no_role_that_the_person_has_not(token, person):
    with pytest.raises(BadInput):
        tokens.create(person, "physician", 7, ["physician"])
    assert person.administers
    assert not by(token).wsgi_request.user.administers, "it was given one role of two"
    person.role = "learner"
    person.save()
    assert by(token).status_code == 403


def test_only_the_person_revokes_a_token_on_that_page(token, client, signed_in, django_user_model):
    client.force_login(django_user_model.objects.create_user("somebody", role="physicist"))
    address = f"/account/tokens/{Token.objects.get().pk}/revoke/"
    assert client.post(address).status_code == 404
    assert by(token).status_code == 200
    assert signed_in.post(address).status_code == 302
    assert by(token).status_code == 401
    assert Event.objects.filter(action="token.revoked").exists()


def test_an_administrator_revokes_the_tokens_of_somebody(token, person, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("chief", role="administrator"))
    assert "Revoke all tokens" in client.get(f"/people/{person.pk}/").content.decode()
    client.post(f"/people/{person.pk}/revoke_tokens/")
    assert by(token).status_code == 401


def test_whoever_asks_too_often_is_told_to_wait(token, monkeypatch):
    monkeypatch.setattr(api, "WRONG", Meter(2))
    monkeypatch.setattr(api, "CALLS", Meter(3))
    assert [by("hevesy_guessed").status_code for _ in range(4)] == [401, 401, 429, 429]
    assert [by(token).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_person_has_so_many_tokens_and_no_more(token, person, monkeypatch):
    monkeypatch.setattr(tokens, "MOST", 1)
    with pytest.raises(BadInput, match="as many tokens"):
        tokens.create(person, "one more", 7, ["physicist"])
