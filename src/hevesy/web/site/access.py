"""Who may do what: a view that says nothing of it is closed to everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from hevesy.web.site.accounts.roles import Role

_View = TypeVar("_View", bound=Callable[..., Any])

#: everybody who has signed in
EVERYBODY = frozenset(Role)
#: who works on patients' data
CLINICAL = frozenset({Role.PHYSICIAN, Role.PHYSICIST})


def allow(*roles: Role) -> Callable[[_View], _View]:
    """Open a view to the roles named, and to nobody else."""

    def mark(view: _View) -> _View:
        view.allowed = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def public(view: _View) -> _View:
    """Open a view to those who have not signed in."""
    view.allowed = None  # type: ignore[attr-defined]
    return view


class DenyUnlessAllowed:
    """Middleware that lets a request through to a view that is open to the person who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; `process_view` judges it once its view is known."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Answer 403 to the wrong role, and show the anonymous the way to sign in."""
        if view.__module__.startswith(("allauth.", "django.contrib.staticfiles")):
            return None  # allauth guards its own pages; files of the page's dress are no secret
        if view.__module__ == "ninja.operation":
            return None  # the API judges by `hevesy.web.site.api.allowed`, and answers in JSON
        allowed: frozenset[Role] | None = getattr(view, "allowed", frozenset())
        if allowed is None:
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if request.user.role not in allowed:
            raise PermissionDenied
        return None
