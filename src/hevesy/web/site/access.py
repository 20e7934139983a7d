"""Who may do what: a view that says nothing of it is closed to everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.record import record

_View = TypeVar("_View", bound=Callable[..., Any])

#: everybody who has signed in
EVERYBODY = frozenset(Role)
#: who works on patients' data
CLINICAL = frozenset({Role.PHYSICIAN, Role.PHYSICIST})

#: pages of allauth for those who have not signed in yet
_AT_THE_DOOR = frozenset(
    {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_signup",
        "mfa_authenticate",
        "mfa_login_webauthn",
        "openid_connect_login",
        "openid_connect_callback",
        "socialaccount_signup",
        "socialaccount_login_cancelled",
        "socialaccount_login_error",
    }
)
#: pages of allauth for everybody who has signed in; those named nowhere here do not exist on this site
_INSIDE = frozenset(
    {
        "account_reauthenticate",
        "account_change_password",
        "account_set_password",
        "mfa_index",
        "mfa_reauthenticate",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_download_recovery_codes",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        "mfa_edit_webauthn",
        "mfa_remove_webauthn",
        "mfa_reauthenticate_webauthn",
        "socialaccount_connections",
    }
)


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
        if view.__module__ == "ninja.operation":
            return None  # the API judges by `hevesy.web.site.api.allowed`, and answers in JSON
        allowed = _open_to(request, view)
        if allowed is None:
            return None
        if not request.user.is_authenticated:
            return _to_the_door(request)
        if not request.user.roles & allowed:
            record(request.user, "page.refused", request.path, role=request.user.role)
            raise PermissionDenied
        return None


def _open_to(request: HttpRequest, view: Any) -> frozenset[Role] | None:
    """Return the roles that a view is open to, or None for one that is open to the anonymous too."""
    if view.__module__.startswith("allauth."):
        name = request.resolver_match.url_name if request.resolver_match else None
        if name in _AT_THE_DOOR:
            return None
        if name in _INSIDE:
            return EVERYBODY
        raise Http404
    allowed: frozenset[Role] | None = getattr(view, "allowed", frozenset())
    return allowed


def _to_the_door(request: HttpRequest) -> HttpResponse:
    if "HX-Request" in request.headers:
        # a part of a page was asked for: the whole page goes to the door, and comes back to where it was
        address = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
        return HttpResponse(status=401, headers={"HX-Redirect": redirect_to_login(address).url})
    return redirect_to_login(request.get_full_path())
