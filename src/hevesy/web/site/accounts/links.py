"""Links that open one door once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from hevesy.web.site.accounts.models import OneTimeLink, Person

#: a person is given this long to use a link; the first administrator sits before the screen that prints theirs
LIFE_OF_AN_INVITATION = timedelta(hours=72)
LIFE_OF_THE_FIRST_START = timedelta(hours=24)


def first_start_link(base_url: str) -> str | None:
    """Return the address at which the first administrator is made, or None where there are people already.

    Each call makes a new link and ends the one before.

    Parameters
    ----------
    base_url : str
        What the site is called in a browser, such as ``http://127.0.0.1:8000``.
    """
    if Person.objects.exists():
        return None
    token = _new_token(None, LIFE_OF_THE_FIRST_START)
    return base_url.rstrip("/") + reverse("first_start", args=[token])


def password_path(person: Person) -> str:
    """Return the path at which a person sets a password; it ends any such link given to them before."""
    return reverse("set_password", args=[_new_token(person, LIFE_OF_AN_INVITATION)])


def find(token: str) -> OneTimeLink | None:
    """Return the link that a token belongs to, locked until the transaction ends, unless it is used or too old."""
    links = OneTimeLink.objects.select_for_update().filter(digest=_digest(token), expires_at__gt=timezone.now())
    return links.first()


def _new_token(person: Person | None, life: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    OneTimeLink.objects.filter(person=person).delete()
    OneTimeLink.objects.create(digest=_digest(token), person=person, expires_at=timezone.now() + life)
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
