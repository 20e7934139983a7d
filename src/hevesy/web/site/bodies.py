"""How long a request's body may be, judged before it lies on the disk: Django spools the whole before any view runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.urls import Resolver404, resolve

_View = TypeVar("_View", bound=Callable[..., Any])

#: bytes of a request's body where its view says nothing else; a browser with scripts sends files in pieces of 8 MiB
LIMIT = 64 * 1024**2


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
    """What receives a request, and hangs up where its body is longer than it may be.

    Parameters
    ----------
    receive : callable
        Of the ASGI server.
    limit : int
        Longest body, bytes.
    """

    def __init__(self, receive: Any, limit: int) -> None:
        self._receive, self._left = receive, limit

    @property
    def too_long(self) -> bool:
        """Whether more came than may."""
        return self._left < 0

    async def __call__(self) -> Any:
        """Return the next message; to Django, the end of the connection where the body is too long."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.too_long else message
