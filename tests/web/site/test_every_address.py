"""No address is open to whom it is not meant for: all of them are asked for, by everybody."""

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

from hevesy.web.site import api
from hevesy.web.site.accounts import tokens
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.api import allowed, gather
from hevesy.web.site.meter import Meter

pytestmark = pytest.mark.django_db

#: what the anonymous may open, by the names of addresses; everything else asks who they are
PUBLIC = {
    "account_login",
    "account_logout",  # of nobody: back to the first page
    "account_inactive",
    "account_signup",  # says that it is closed
    "first_start",
    "set_password",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "openid_connect_login",
    "openid_connect_callback",
    "socialaccount_signup",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
    "health",
    "set_language",
    "set_theme",
}
UUID = "01234567-89ab-cdef-0123-456789abcdef"
SAMPLES = {"int": "1", "slug": "x", "uuid": UUID, "uuidstr": UUID, "path": "x", "str": "x"}
CLINICAL = {Role.PHYSICIAN, Role.PHYSICIST}


def fill(pattern):
    if isinstance(pattern, RoutePattern):
        return re.sub(r"<(?:(\w+):)?\w+>", lambda part: SAMPLES.get(part[1] or "str", "1"), str(pattern))
    if isinstance(pattern, RegexPattern):
        text = re.sub(r"\(\?P<\w+>(?:[^()\\]|\\.|\[[^]]*\])*\)", "x", str(pattern))
        return re.sub(r"[\^$]|\\Z", "", text)
    return str(pattern)


def addresses(resolver=None, prefix="/"):
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + fill(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, path)
        else:
            assert isinstance(entry, URLPattern)
            yield path, entry


def operations():
    """Each operation of the API: its method, an address of its, and the roles that it names."""
    for prefix, router in gather()._routers:
        for path, view in router.path_operations.items():
            address = re.sub(
                r"{(?:(\w+):)?\w+}", lambda part: SAMPLES.get(part[1] or "str", "1"), f"/api{prefix}{path}"
            )
            for operation in view.operations:
                checks = operation.auth_callbacks or router.auth or gather().auth
                checks = checks if isinstance(checks, list | tuple) else [checks]
                assert checks, address
                assert all(isinstance(check, allowed) for check in checks), address
                for method in operation.methods:
                    yield method.lower(), address, frozenset().union(*(check.roles for check in checks))


ALL = list(addresses())
PAGES = [(path, entry) for path, entry in ALL if entry.callback.__module__ != "ninja.operation"]


def ask(client, method, path):
    return getattr(client, method)(path, **({"content_type": "application/json"} if method != "get" else {}))


def test_the_walk_finds_the_addresses_of_all_parts():
    names = {entry.name for _, entry in ALL}
    assert {"people", "audit", "account_login", "mfa_index", "worklist", "api_schema"} <= names
    assert len(ALL) > 50


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_the_anonymous_open_nothing_but_what_is_public(client, method):
    for path, entry in PAGES:
        answer = ask(client, method, path)
        if entry.name in PUBLIC:
            continue
        if answer.status_code == 302:
            assert answer["Location"].startswith("/account/login/"), path
        elif answer.status_code == 404:
            assert entry.callback.__module__.startswith("allauth."), path
        else:
            assert answer.status_code in (401, 403), (path, answer.status_code)


def test_what_is_public_shows_nothing_of_a_patient_and_changes_nothing(client, django_user_model):
    for path, entry in PAGES:
        if entry.name in PUBLIC:
            for method in ("get", "post"):
                assert ask(client, method, path).status_code in (200, 204, 302, 400, 401, 403, 404, 405), path
    assert not django_user_model.objects.exists()


def test_each_page_of_ours_says_who_may_open_it():
    silent = [
        path
        for path, entry in PAGES
        if entry.callback.__module__.startswith("hevesy.") and not hasattr(entry.callback, "allowed")
    ]
    assert not silent


@pytest.mark.parametrize("role", Role.values)
def test_a_role_opens_no_page_that_is_not_for_it(client, django_user_model, role):
    client.force_login(django_user_model.objects.create_user("somebody", role=role))
    refused = 0
    for path, entry in PAGES:
        roles = getattr(entry.callback, "allowed", None)
        if roles is not None and role not in roles:
            for method in ("get", "post"):
                assert ask(client, method, path).status_code == 403, path
            refused += 1
    assert refused


def test_patients_are_for_those_who_treat_them():
    for path, entry in PAGES:
        if getattr(entry.callback, "allowed", None) == {Role.ADMINISTRATOR}:
            continue  # which archives there are; no patient is named there
        if entry.callback.__module__.startswith(("hevesy.web.workbench", "hevesy.web.site.store")):
            assert entry.callback.allowed <= CLINICAL, path


def test_the_walk_finds_each_operation_of_the_api():
    described = [method for methods in gather().get_openapi_schema()["paths"].values() for method in methods]
    assert len(list(operations())) == len(described)
    assert described


def test_the_anonymous_call_nothing_of_the_api(client):
    for method, path, _ in operations():
        assert ask(client, method, path).status_code in (401, 403), path


@pytest.mark.parametrize("role", Role.values)
def test_an_operation_refuses_each_role_that_it_does_not_name(client, django_user_model, role):
    client.force_login(django_user_model.objects.create_user("somebody", role=role))
    for method, path, roles in operations():
        if role not in roles:
            assert ask(client, method, path).status_code == 403, path


@pytest.mark.parametrize("role", Role.values)
def test_a_token_opens_no_operation_that_its_role_does_not(client, django_user_model, role, monkeypatch):
    monkeypatch.setattr(api, "CALLS", Meter(10_000))
    monkeypatch.setattr(api, "WRONG", Meter(10_000))
    token = tokens.create(django_user_model.objects.create_user("somebody", role=role), "test", 7, [role])
    for shown, least in ((f"Bearer {token}", 403), ("Bearer hevesy_guessed", 401), ("Basic eDp5", 401)):
        for method, path, roles in operations():
            if least == 401 or role not in roles:
                answer = getattr(client, method)(path, headers={"Authorization": shown})
                assert answer.status_code in (least, 403), (path, shown)


def test_a_change_by_the_api_needs_the_token_that_only_our_pages_have(django_user_model):
    from django.test import Client

    person = django_user_model.objects.create_user("somebody", role="physicist")
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    for method, path, _ in operations():
        if method != "get":
            assert ask(client, method, path).status_code == 403, path


def test_a_form_from_elsewhere_is_refused(django_user_model):
    from django.test import Client

    person = django_user_model.objects.create_user("chief", role="administrator")
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert client.post(f"/people/{person.pk}/deactivate/").status_code == 403
    assert b"The form was too old" in client.post("/people/new/").content


def test_a_part_of_a_page_that_is_asked_for_after_the_session_ended_sends_the_whole_page_to_sign_in(client):
    answer = client.get(
        "/people/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/people/?page=2"}
    )
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/account/login/?next=/people/"


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(client, django_user_model, address):
    django_user_model.objects.create_user("somebody", password="a long phrase for tests", role="physicist")
    form = {"login": "somebody", "password": "a long phrase for tests", "next": address}
    for answer in (
        client.post("/theme", {"theme": "dark", "next": address}),
        client.post("/language", {"language": "en", "next": address}),
        client.post("/account/login/", form),
    ):
        assert "elsewhere" not in answer["Location"]
        assert "javascript" not in answer["Location"]
