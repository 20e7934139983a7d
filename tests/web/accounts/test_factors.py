"""Second factors and passkeys, as a person sets them up and uses them in a browser."""

import base64
import hmac
import struct
import time

import pytest
from allauth.mfa.models import Authenticator

from hevesy.web.site.audit.models import Event

PASSWORD = "a long phrase for tests"


def code_now(secret):
    """RFC 6238, of the standard library alone."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), "sha1").digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def confirm(page):
    page.fill("#id_password", PASSWORD)
    page.click("main button.primary")


def sign_out(page):
    page.locator("header details.menu summary").last.click()
    page.click("text=Sign out")
    page.wait_for_url("**/account/login/**")


def test_a_code_of_a_telephone_is_asked_for_once_it_is_set_up(page, sign_in, assert_accessible, screenshot):
    sign_in(page, role="administrator", username="chief")
    page.goto("/account/2fa/totp/activate/")
    if page.locator("#id_password").count():
        confirm(page)
    screenshot(page, "totp-activate")
    assert_accessible(page)
    assert page.locator("img.qr").evaluate("image => image.naturalWidth") > 0
    secret = page.input_value("#authenticator_secret")
    page.fill("#id_code", code_now(secret))
    page.click("main button.primary")
    page.wait_for_url("**/recovery-codes/**")
    screenshot(page, "recovery-codes")
    assert_accessible(page)
    assert secret not in str(list(Authenticator.objects.values()))
    assert Event.objects.filter(action="factor.added", actor_name="chief").exists()

    page.once("dialog", lambda dialog: dialog.accept())
    recovery = page.input_value("#recovery_codes").split()[0]
    sign_out(page)
    page.fill("#id_login", "chief")
    page.fill("#id_password", PASSWORD)
    page.click("main button.primary")
    page.wait_for_selector("#id_code")
    screenshot(page, "totp-asked")
    assert_accessible(page)
    page.goto("/people/")
    assert "/account/2fa/authenticate/" in page.url, "the password alone opens nothing"
    page.fill("#id_code", recovery)
    page.click("main button.primary")
    page.wait_for_url(lambda url: "/account/" not in url)
    page.goto("/people/")
    assert page.locator("h1").inner_text() == "People"


@pytest.fixture
def key(page):
    """A security key in the browser, which is always touched and knows its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_a_passkey_signs_in_without_a_password(page, live, key, django_user_model, assert_accessible, screenshot):
    base = live.replace("127.0.0.1", "localhost")  # a passkey belongs to a name, never to a number
    person = django_user_model.objects.create_user("m.curie", password=PASSWORD, role="physicist")
    page.goto(f"{base}/account/login/")
    page.fill("#id_login", "m.curie")
    page.fill("#id_password", PASSWORD)
    page.click("main form button.primary")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"{base}/account/2fa/webauthn/add/")
    if page.locator("#id_password").count():
        confirm(page)
    screenshot(page, "passkey-add")
    assert_accessible(page)
    page.fill("#id_name", "the key of the tests")
    page.check("#id_passwordless")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "/add/" not in url)
    screenshot(page, "passkey-list")
    assert Authenticator.objects.filter(user=person, type="webauthn").count() == 1

    page.context.clear_cookies()
    page.goto(f"{base}/account/login/")
    page.click("#passkey_login")
    page.wait_for_url(lambda url: "/login" not in url)
    assert page.locator("h1").inner_text() == "Worklist"
