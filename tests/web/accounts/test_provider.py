"""Signing in by a hospital's own OpenID Connect provider: a small real one, which a browser is led through."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from hevesy.web.site.accounts.models import Person
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.models import Event

CLIENT, SECRET = "hevesy", "a secret of the tests"


class Provider(BaseHTTPRequestHandler):
    """Knows one person, who is always signed in; holds to the code flow with PKCE."""

    person: dict
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    codes: ClassVar[dict] = {}

    def log_message(self, *_):
        pass

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            self.answer(
                {f"{name}_endpoint": f"{self.base}/{path}" for name, path in names.items()}
                | {"issuer": self.base, "jwks_uri": f"{self.base}/jwks"}
            )
        elif parts.path == "/authorize":
            assert asked["client_id"] == CLIENT
            assert asked["code_challenge_method"] == "S256"
            code = secrets.token_urlsafe()
            self.codes[code] = asked
            self.send_response(302)
            self.send_header(
                "Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
            )
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif parts.path == "/jwks":
            key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            self.answer({"keys": [key | {"kid": "1", "alg": "RS256"}]})
        elif parts.path == "/userinfo":
            self.answer(self.person)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.codes.pop(given["code"])
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
        claims = {"iss": self.base, "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 60}
        token = jwt.encode(claims | self.person, self.key, algorithm="RS256", headers={"kid": "1"})
        self.answer({"access_token": "a token", "token_type": "Bearer", "expires_in": 60, "id_token": token})


@pytest.fixture
def provider(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    settings.OIDC_URL = url
    app = {"provider_id": "hospital", "name": "the clinic's account", "client_id": CLIENT, "secret": SECRET}
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app | {"settings": {"server_url": url}}]}
    }
    Provider.person = {"sub": "1234", "preferred_username": "m.curie", "name": "Maria Curie", "email": "m@example.org"}
    yield Provider
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(page):
    page.goto("/account/login/")
    page.click("text=Sign in with the clinic's account")
    page.wait_for_url(lambda url: "/login" not in url)


def test_somebody_unknown_comes_in_as_a_learner(page, provider, screenshot):
    sign_in(page)
    screenshot(page, "oidc-learner")
    person = Person.objects.get()
    assert (person.username, person.role, person.last_name) == ("m.curie", Role.LEARNER, "Curie")
    assert not person.has_usable_password()
    assert Event.objects.get(action="session.begun").actor == person


def test_an_invited_person_comes_in_with_the_role_that_waits_for_them(page, provider):
    invited = Person(username="m.curie", role=Role.PHYSICIST)
    invited.set_unusable_password()
    invited.save()
    sign_in(page)
    assert page.locator("h1").inner_text() == "Worklist"
    assert Person.objects.count() == 1


def test_a_name_at_the_provider_does_not_open_an_account_that_is_somebodys(page, provider, django_user_model):
    theirs = django_user_model.objects.create_user("m.curie", password="a long phrase for tests", role="administrator")
    sign_in(page)
    other = Person.objects.exclude(pk=theirs.pk).get()
    assert other.role == Role.LEARNER
    assert other.username != "m.curie"
    assert Event.objects.get(action="session.begun").actor == other
