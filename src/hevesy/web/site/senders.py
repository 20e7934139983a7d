"""Who may send a long request, judged by its headers alone, before its body is read."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpResponse
from django.urls import Resolver404, resolve

from hevesy.web.site.access import CLINICAL
from hevesy.web.site.accounts import tokens
from hevesy.web.site.accounts.roles import Role


def senders_to(path: str) -> frozenset[Role]:
    """Return the roles that may send more than a form to an address; none to one that is open to everybody."""
    try:
        view = resolve(path).func
    except Resolver404:
        return frozenset()
    if view.__module__ == "ninja.operation":
        return CLINICAL  # what is long in the API is images and drawings, which are theirs
    return getattr(view, "allowed", None) or frozenset()


def may_send(scope: Any) -> bool:
    """Return whether the person or the program that a request's headers name has a role that sends there."""
    wanted = senders_to(scope["path"])
    if not wanted:
        return False
    close_old_connections()
    request = ASGIRequest(scope, BytesIO())
    kind, _, shown = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        token = tokens.find(shown.strip())
        if token is None or token.reads_only:
            return False
        token.person.token = token
        return bool(token.person.roles & wanted)
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    person = get_user(request)
    return person.is_authenticated and bool(person.roles & wanted)
