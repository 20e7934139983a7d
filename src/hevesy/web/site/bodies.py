"""How long a request's body may be, judged before it lies on the disk: Django spools the whole before any view runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from django.urls import Resolver404, resolve

_View = TypeVar("_View", bound=Callable[..., Any])

#: bytes of a request's body where its view says nothing else; a browser with scripts sends files in pieces of 8 MiB
LIMIT = 64 * 1024**2
#: bytes that anybody may send, as a form to sign in; more is read only of those whose role sends there
FREE = 1024**2


def up_to(size: int) -> Callable[[_View], _View]:
    """Let a view take a longer body than others; the outermost mark of it.

    Parameters
    ----------
    size : int
        Longest body, bytes.
    """

    def mark(view: _View) -> _View:
        view.longest_body = size  # type: ignore[attr-defined]
        return view

    return mark


def limit_of(path: str) -> int:
    """Return how long a body the view at an address takes, bytes."""
    try:
        view = resolve(path).func
    except Resolver404:
        return LIMIT
    return int(getattr(view, "longest_body", LIMIT))


def said_length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return the length that a request says its body has, bytes; 0 where it says none."""
    said = dict(headers).get(b"content-length", b"")
    return int(said) if said.isdigit() else 0


class Counted:
    """What receives a request, and hangs up where its body is longer than its sender may make it.

    Parameters
    ----------
    receive : callable
        Of the ASGI server.
    limit : int
        Longest body, bytes.
    judge : callable
        Says whether the sender may send more than `FREE`; asked once, when more is on its way.
    """

    def __init__(self, receive: Any, limit: int, judge: Callable[[], Awaitable[bool]]) -> None:
        self._receive, self._limit, self._judge = receive, limit, judge
        self._came = 0
        self._known = False
        #: whether more came, or was said to come, than may; and whether that is for who sends it
        self.too_long = self.forbidden = False

    async def admits(self, length: int) -> bool:
        """Return whether the sender may send a body of a length, bytes."""
        if length > self._limit:
            self.too_long = True
        elif length > FREE and not self._known:
            self._known = await self._judge()
            self.forbidden = not self._known
        return not (self.too_long or self.forbidden)

    async def __call__(self) -> Any:
        """Return the next message; to Django, the end of the connection where the body is too long."""
        message = await self._receive()
        self._came += len(message.get("body", b""))
        return message if await self.admits(self._came) else {"type": "http.disconnect"}
