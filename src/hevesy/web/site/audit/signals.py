"""What is recorded of signing in and out, without anybody asking for it."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from hevesy.web.site.audit.record import record


def connect() -> None:
    """Listen."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit")
    user_logged_out.connect(_signed_out, dispatch_uid="audit")
    user_login_failed.connect(_refused, dispatch_uid="audit")
    for signal in (password_changed, password_reset, password_set):
        signal.connect(_password, dispatch_uid="audit")
    for name, signal in (
        ("added", authenticator_added),
        ("removed", authenticator_removed),
        ("reset", authenticator_reset),
    ):
        signal.connect(_FACTORS[name], dispatch_uid="audit")


def _address(request: HttpRequest | None) -> str:
    return request.META.get("REMOTE_ADDR", "") if request is not None else ""


def _signed_in(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    record(user, "session.begun", user.get_username(), address=_address(request))


def _signed_out(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    if user is not None:
        record(user, "session.ended", user.get_username(), address=_address(request))


def _refused(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    name = str(credentials.get("username", ""))
    # what is typed in the wrong field may be a password: a name that nobody has is not kept
    known = get_user_model().objects.filter(username=name).exists()
    record(None, "session.refused", name if known else "", address=_address(request), known=known)


def _password(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    record(user, "password.changed", user.get_username(), address=_address(request))


def _factor(verb: str) -> Any:
    def listen(sender: Any, request: HttpRequest, user: Any, authenticator: Any = None, **_: Any) -> None:
        kind = authenticator.type if authenticator is not None else ""
        record(user, f"factor.{verb}", user.get_username(), kind=kind, address=_address(request))

    return listen


_FACTORS = {verb: _factor(verb) for verb in ("added", "removed", "reset")}
