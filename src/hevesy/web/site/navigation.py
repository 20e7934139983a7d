"""What the head of each page offers: the pages that the person's role may open, the languages, light or dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language_info

THEMES = ("light", "dark")
THEME_COOKIE = "theme"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page named in the head of every page, to those whose role may open it.

    An application lists its own as ``navigation = (Entry(...), ...)`` in its `AppConfig`. Who sees an entry is
    not said again here: it is whoever the view is open to by `hevesy.web.site.access.allow`.

    Parameters
    ----------
    label : lazily translated str
    name : str
        Name of the address, such as ``workbench:worklist``.
    order : int
        Smaller stands first.
    menu : bool
        Whether it stands in the person's menu rather than in the bar.
    """

    label: str | Promise
    name: str
    order: int = 50
    menu: bool = False


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return what the template of every page asks for."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    shown = list(_open_to(request))
    return {
        "theme": theme if theme in THEMES else "",
        "navigation": [entry for entry in shown if not entry["menu"]],
        "person_menu": [entry for entry in shown if entry["menu"]],
        "signup_open": settings.SIGNUP_OPEN,
        "languages": languages(),
    }


def entries() -> list[Entry]:
    """Return the entries of all applications, in order."""
    found = (entry for config in apps.get_app_configs() for entry in getattr(config, "navigation", ()))
    return sorted(found, key=lambda entry: entry.order)


@cache
def languages() -> tuple[tuple[str, str], ...]:
    """Return the languages of the pages, each with the name that it gives itself."""
    return tuple((code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES)


def _open_to(request: HttpRequest) -> Iterator[dict[str, Any]]:
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return
    roles = person.roles
    for entry, address, allowed in _addresses():
        if roles & allowed:
            yield {
                "label": entry.label,
                "address": address,
                "menu": entry.menu,
                "current": _is_current(request.path, address),
            }


@cache
def _addresses() -> tuple[tuple[Entry, str, frozenset[str]], ...]:
    """Return the entries that lead somewhere, with their address and the roles that it is open to."""
    found = []
    for entry in entries():
        try:
            address = reverse(entry.name)
        except NoReverseMatch:
            continue
        found.append((entry, address, getattr(resolve(address).func, "allowed", None) or frozenset()))
    return tuple(found)


def _is_current(path: str, address: str) -> bool:
    return path == address if address == "/" else path.startswith(address)
