"""Accounts in the API: who asks, their tokens, and for administrators the people of the site."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from hevesy.web.site.access import EVERYBODY
from hevesy.web.site.accounts import people, tokens
from hevesy.web.site.accounts.forms import PersonForm
from hevesy.web.site.accounts.models import Person, Token
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.accounts.views import ACTS
from hevesy.web.site.api import allowed, require_sound

router = Router(tags=["accounts"], auth=allowed(Role.ADMINISTRATOR))
_Text = Annotated[str, Field(max_length=150, pattern=r"^[^\x00-\x1f]*$")]


class MeOut(Schema):
    """Who asks, and as what."""

    username: str
    roles: list[Role]


class TokenOut(Schema):
    """A token, but for what opens the door."""

    id: int
    name: str
    roles: str
    reads_only: bool
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


class PersonOut(Schema):
    """A person of the site."""

    id: int
    username: str
    first_name: str
    last_name: str
    email: str
    role: Role
    is_staff: bool
    is_active: bool


class PersonChange(Schema):
    """What an administrator says anew of a person; what is left out stays."""

    username: _Text | None = None
    first_name: _Text | None = None
    last_name: _Text | None = None
    email: _Text | None = None
    role: Role | None = None
    #: administers the site, too
    is_staff: bool | None = None


class PersonIn(PersonChange):
    """Somebody who is to have an account."""

    username: _Text
    role: Role


class LinkOut(Schema):
    """A link by which a person sets a password: it works once, for three days, and is shown only now."""

    person: PersonOut
    link: str


def _asking(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


@router.get("/me", response=MeOut, auth=allowed(*EVERYBODY), summary="Who asks")
def me(request: HttpRequest) -> Any:
    """Return in whose name this is asked, and which roles that gives."""
    return {"username": _asking(request).username, "roles": sorted(_asking(request).roles)}


@router.get("/tokens", response=list[TokenOut], auth=allowed(*EVERYBODY), summary="Your tokens")
def own_tokens(request: HttpRequest) -> Any:
    """List your tokens; a new one is made on your own page alone, for a second factor is asked there."""
    return list(_asking(request).tokens.all())


@router.delete("/tokens/{int:pk}", response={204: None}, auth=allowed(*EVERYBODY), summary="Revoke a token")
def revoke_token(request: HttpRequest, pk: int) -> Any:
    """Revoke one of your tokens, the one that asks too."""
    tokens.revoke(_asking(request), [get_object_or_404(Token, pk=pk, person=_asking(request))])
    return Status(204, None)


@router.get("/people", response=list[PersonOut], summary="The people of the site")
def listing(request: HttpRequest) -> Any:
    """List people by name."""
    return list(Person.objects.order_by("username"))


@router.post("/people", response={201: LinkOut}, summary="Make an account")
def create(request: HttpRequest, given: PersonIn) -> Any:
    """Make an account, and return the link by which its owner sets a password."""
    form = _filled(Person(), given)
    path = people.create(_asking(request), form.save(commit=False))
    return Status(201, {"person": form.instance, "link": request.build_absolute_uri(path)})


@router.get("/people/{int:pk}", response=PersonOut, summary="One person")
def person(request: HttpRequest, pk: int) -> Any:
    """Return a person."""
    return get_object_or_404(Person, pk=pk)


@router.patch("/people/{int:pk}", response=PersonOut, summary="Change what is said of a person")
def change(request: HttpRequest, pk: int, given: PersonChange) -> Any:
    """Change a person."""
    form = _filled(get_object_or_404(Person, pk=pk), given)
    if form.changed_data:
        people.change(_asking(request), form.instance, form.changed_data)
    return form.instance


@router.post("/people/{int:pk}/link", response=LinkOut, summary="Make a link that sets a password")
def link(request: HttpRequest, pk: int) -> Any:
    """Make a link by which a person sets a new password; the old one holds until they have."""
    found = get_object_or_404(Person, pk=pk, is_active=True)
    return {"person": found, "link": request.build_absolute_uri(people.new_link(_asking(request), found))}


@router.post("/people/{int:pk}/{slug:act}", response=PersonOut, summary="Deactivate, reactivate, and so on")
def act(request: HttpRequest, pk: int, act: str) -> Any:
    """Do what the buttons of a person's page do: deactivate, reactivate, forget_factors, revoke_tokens."""
    found = get_object_or_404(Person, pk=pk)
    if act not in ACTS:
        raise Http404
    ACTS[act](_asking(request), found)
    return found


def _filled(person: Person, given: PersonChange) -> PersonForm:
    """Return the form of the pages, filled in and found sound: what they refuse is refused here."""
    kept = {name: getattr(person, name) for name in PersonForm.Meta.fields}
    form = PersonForm({**kept, **given.model_dump(exclude_none=True)}, instance=person)
    require_sound(form)
    return form
