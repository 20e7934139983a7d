"""What a person reads when something is wrong."""

import pytest
from django.core.cache import cache

from hevesy.web.site.settings import database, openid_apps

pytestmark = pytest.mark.django_db


def test_a_fault_of_the_site_is_said_plainly_and_shows_nothing_of_the_program(client, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("a secret of the program")

    monkeypatch.setattr("hevesy.web.site.views.connection.cursor", fail)
    client.raise_request_exception = False
    answer = client.get("/health")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong here" in page
    assert "not a medical device" in page
    assert "a secret of the program" not in page
    assert "a secret of the program" in caplog.text


def test_a_page_that_is_not_there_is_said_so_to_a_person_and_to_a_program(client):
    assert "There is no such page" in client.get("/nowhere").content.decode()
    answer = client.get("/api/nowhere")
    assert answer.status_code == 404
    assert answer.json() == {"refused": "There is no such thing here.", "remedy": ""}


def test_who_tries_too_often_is_told_to_wait(client):
    cache.clear()
    for _ in range(31):
        answer = client.post("/account/login/", {"login": "somebody", "password": "a wrong phrase"})
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert "Wait five minutes" in answer.content.decode()


def test_a_refusal_of_a_stage_is_the_same_in_the_api():
    from django.test import RequestFactory

    from hevesy.errors import MissingInformation, UnknownRegion
    from hevesy.web.site.api import api

    for error, status in (
        (MissingInformation("No injection time.", "Give it."), 422),
        (UnknownRegion("No liver."), 404),
    ):
        answer = api.on_exception(RequestFactory().get("/"), error)
        assert answer.status_code == status
        assert error.refused.encode() in answer.content


def test_a_database_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="starts with 'mysql'"):
        database("mysql://somebody@localhost/hevesy")


def test_a_provider_that_does_not_know_the_site_is_refused(monkeypatch):
    monkeypatch.setenv("HEVESY_OIDC_CLIENT_ID", "hevesy")
    monkeypatch.delenv("HEVESY_OIDC_CLIENT_SECRET", raising=False)
    with pytest.raises(ValueError, match="but not HEVESY_OIDC_CLIENT_SECRET"):
        openid_apps("https://login.example.org")
