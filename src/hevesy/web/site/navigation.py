"""What the head of each page offers: the pages that the person's role may open, the languages, light or dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import Promise

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
    }


def entries() -> list[Entry]:
    """Return the entries of all applications, in order."""
    found = (entry for config in apps.get_app_configs() for entry in getattr(config, "navigation", ()))
    return sorted(found, key=lambda entry: entry.order)


def _open_to(request: HttpRequest) -> Any:
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return
    for entry in entries():
        try:
            address = reverse(entry.name)
        except NoReverseMatch:
            continue
        if person.roles & (getattr(resolve(address).func, "allowed", None) or frozenset()):
            yield {
                "label": entry.label,
                "address": address,
                "menu": entry.menu,
                "current": _is_current(request.path, address),
            }


def _is_current(path: str, address: str) -> bool:
    return path == address if address == "/" else path.startswith(address)
