"""Tokens by which a person's programs ask the API in their name."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable
from datetime import timedelta

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from hevesy.errors import BadInput
from hevesy.web.site.accounts.models import Person, Token
from hevesy.web.site.audit.record import record

#: what each begins with, so that one that lies where it should not is found by those who look for secrets
PREFIX = "hevesy_"
#: days that one may hold
LIVES = (7, 30, 90, 365)
#: that a person may have at once
MOST = 20
#: s for which somebody who showed who they are need not show it again
_RECENT = 300.0
#: how often it is noted that one is used
_GRAIN = timedelta(minutes=5)


@transaction.atomic
def create(person: Person, name: str, days: int, roles: Iterable[str], *, reads_only: bool = False) -> str:
    """Make a token, and return it: it is told this once.

    Parameters
    ----------
    person : Person
        In whose name it asks.
    name : str
        What the person calls it.
    days : int
        How long it holds: one of `LIVES`.
    roles : iterable of str
        Roles of the person that it has, too.
    reads_only : bool
        Whether it changes nothing.

    Raises
    ------
    BadInput
        If the person has too many already, or is given what they do not have.
    """
    given = sorted(set(roles))
    if not given or not set(given) <= person.roles or days not in LIVES:
        raise BadInput(_("A token has one of your own roles, for a week to a year."))
    if person.tokens.count() >= MOST:
        raise BadInput(_("You have as many tokens as one may have."), _("Revoke one that is no longer used."))
    text = PREFIX + secrets.token_urlsafe(32)
    Token.objects.create(
        digest=_digest(text),
        person=person,
        name=name,
        roles=" ".join(given),
        reads_only=reads_only,
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(person, "token.made", person.username, name=name, days=days, roles=given, reads_only=reads_only)
    return text


@transaction.atomic
def revoke(by: Person, tokens: Iterable[Token]) -> None:
    """End tokens: what they ask for from now on is refused."""
    for token in tokens:
        token.delete()
        record(by, "token.revoked", token.person.username, name=token.name)


def find(text: str) -> Token | None:
    """Return the token with its person, unless there is none, it is too old, or the person may sign in no more."""
    found = Token.objects.select_related("person").filter(digest=_digest(text), person__is_active=True).first()
    if found is None or found.expired:
        return None
    now = timezone.now()
    if found.used_at is None or now - found.used_at > _GRAIN:
        found.used_at = now
        found.save(update_fields=["used_at"])
    return found


def confirmed(request: HttpRequest, person: Person) -> bool:
    """Say whether a person showed a moment ago who they are: by their second factor where they have one.

    Whoever has neither a password nor a second factor here has shown it to the provider that vouches for them.
    """
    factor = is_mfa_enabled(person)
    if not factor and not person.has_usable_password():
        return True
    shown = get_authentication_records(request, person)
    return any(
        time.time() - one["at"] < _RECENT and (one["method"] == "mfa" or not factor)  # a passkey is a factor, too
        for one in shown
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
