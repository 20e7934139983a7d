"""Each page of the site in light and dark, left to right and right to left: axe finds nothing grave."""

import os

import pytest

from hevesy.web.site.accounts.links import first_start_link, password_path
from hevesy.web.site.audit.record import record

LOOKS = [("light", "ltr"), ("dark", "ltr"), ("light", "rtl"), ("dark", "rtl")]


@pytest.fixture
def look(page, assert_accessible, screenshot):
    """Turn the page about and judge each of its looks."""

    def look(name):
        for theme, direction in LOOKS:
            page.evaluate(
                "([theme, dir]) => Object.assign(document.documentElement, {dir}).dataset.theme = theme",
                [theme, direction],
            )
            if "HEVESY_SCREENS" in os.environ:
                screenshot(page, f"{name}-{theme}-{direction}")
            # nothing hangs over the edge
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), f"{name} {direction}"
            if direction == "ltr":
                assert_accessible(page)

    return look


def test_the_door(page, live, look):
    path = first_start_link(live).removeprefix(live)
    page.goto(path)
    look("first-start")
    page.fill("#id_username", "chief")
    page.fill("#id_password1", "short")
    page.fill("#id_password2", "different")
    page.click("main button")
    look("first-start-refused")
    page.goto("/account/login/")
    look("login")
    page.goto("/nowhere")
    look("404")
    page.goto("/account/link/nonsense/")
    look("link-gone")
    page.goto("/account/signup/")
    look("signup-closed")


def test_the_administrator(page, sign_in, look, django_user_model):
    chief = sign_in(page, role="administrator", username="chief")
    colleague = django_user_model.objects.create_user(
        "m.curie", role="physicist", first_name="Maria", last_name="Skłodowska-Curie"
    )
    django_user_model.objects.create_user("g.hevesy", role="radiochemist", is_active=False)
    for number in range(12):
        record(chief if number % 2 else colleague, "study.seen", f"1.2.826.0.1.3680043.8.498.{number}", pages=number)
    page.goto("/people/")
    look("people")
    page.goto("/people/new/")
    look("new-person")
    page.goto(f"/people/{colleague.pk}/")
    look("person")
    page.click("text=Make a one-time link")
    look("one-time-link")
    page.goto(f"/people/{colleague.pk}/")
    page.click("button[data-dialog]")
    look("person-deactivate")
    page.goto("/audit/")
    look("audit")
    page.click("text=Check the chain")
    look("audit-check")


def test_the_account(page, sign_in, look):
    person = sign_in(page, role="physicist")
    page.click("summary:has-text('somebody')")
    look("menu")
    for path in ("account/password/change/", "account/2fa/", "account/2fa/totp/activate/", "account/2fa/webauthn/add/"):
        page.goto(f"/{path}")
        look(path.strip("/").replace("/", "-"))
    page.goto("/api/")
    look("api")
    page.goto("/audit/")
    look("403")
    page.context.clear_cookies()
    page.goto(password_path(person))
    look("set-password")


def test_a_narrow_screen(page, sign_in, look):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/account/login/")
    look("narrow-login")
    sign_in(page, role="administrator", username="chief")
    page.goto("/audit/")
    look("narrow-audit")
    page.goto("/people/")
    look("narrow-people")
