"""What an administrator does to accounts; each act leaves its line in the record."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from hevesy.errors import LastAdministrator
from hevesy.web.site.accounts import tokens
from hevesy.web.site.accounts.links import password_path
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.record import record


@transaction.atomic
def create_first(username: str, password: str, role: Role = Role.ADMINISTRATOR) -> Person:
    """Make the first person of a site that has none: an administrator, whatever else they are."""
    person = Person(username=username, role=role, is_staff=role != Role.ADMINISTRATOR)
    person.set_password(password)
    person.save()
    record(person, "person.created", username, role=person.role, first=True)
    return person


@transaction.atomic
def create(by: Person, person: Person) -> str:
    """Keep a new person, and return the path at which they set their password."""
    person.set_unusable_password()
    person.save()
    path = password_path(person)
    record(by, "person.created", person.username, role=person.role)
    return path


@transaction.atomic
def change(by: Person, person: Person, changed: list[str]) -> None:
    """Keep what was changed of a person.

    Raises
    ------
    LastAdministrator
        If nobody would be left who can let people in.
    """
    before = Person.objects.select_for_update().get(pk=person.pk)
    if before.administers and not person.administers:
        _keep_an_administrator(before)
    person.save(update_fields=changed)
    details: dict[str, Any] = {name: [str(getattr(before, name)), str(getattr(person, name))] for name in changed}
    action = "person.role_changed" if {"role", "is_staff"} & set(changed) else "person.changed"
    record(by, action, person.username, **details)


@transaction.atomic
def new_link(by: Person, person: Person) -> str:
    """Return a path at which a person sets a new password; the old one holds until they have."""
    path = password_path(person)
    record(by, "person.link_made", person.username)
    return path


@transaction.atomic
def forget_factors(by: Person, person: Person) -> None:
    """Remove the second factors of a person who has lost theirs."""
    removed, _each = Authenticator.objects.filter(user=person).delete()
    record(by, "factor.removed", person.username, removed=removed)


@transaction.atomic
def deactivate(by: Person, person: Person) -> None:
    """Let a person in no more; what they did stays theirs.

    Raises
    ------
    LastAdministrator
        If nobody would be left who can let people in.
    """
    if person.administers:
        _keep_an_administrator(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    person.one_time_links.all().delete()
    tokens.revoke(by, person.tokens.all())
    record(by, "person.deactivated", person.username)


@transaction.atomic
def reactivate(by: Person, person: Person) -> None:
    """Let a person in again."""
    person.is_active = True
    person.save(update_fields=["is_active"])
    record(by, "person.reactivated", person.username)


def revoke_tokens(by: Person, person: Person) -> None:
    """End the tokens of a person, one of which may have come into other hands."""
    tokens.revoke(by, person.tokens.all())


def _keep_an_administrator(person: Person) -> None:
    people = Person.objects.select_for_update().filter(is_active=True)
    if not [other for other in people if other.administers and other.pk != person.pk]:
        raise LastAdministrator(
            _("This is the last administrator who can sign in."), _("Make somebody else an administrator first.")
        )
