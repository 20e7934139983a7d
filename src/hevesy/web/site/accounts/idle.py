"""A session that nobody uses ends, for a screen in a hospital is not one person's."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

_SEEN = "seen"
#: a session is written at most this often for having been used
_GRAIN_S = 120


class EndIdleSessions:
    """Middleware that signs a person out who has asked for nothing for a while."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """End the session if it lay idle too long, else note that it is used."""
        if request.user.is_authenticated:
            now = time.time()
            seen = request.session.get(_SEEN, now)
            if now - seen > settings.SESSION_IDLE_S:
                logout(request)
            elif _SEEN not in request.session or (now - seen > _GRAIN_S and not _by_itself(request)):
                request.session[_SEEN] = now
        return self.get_response(request)


def _by_itself(request: HttpRequest) -> bool:
    """Say whether a page asks by itself, as one that follows a job does: nobody need sit before it."""
    return "X-Unattended" in request.headers or request.headers.get("Accept") == "text/event-stream"
