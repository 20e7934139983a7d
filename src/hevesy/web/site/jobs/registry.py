"""Kinds of jobs: a function under a name, found in the module ``tasks`` of every application."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules

from hevesy.errors import UnknownName

if TYPE_CHECKING:
    from hevesy.web.site.accounts.roles import Role
    from hevesy.web.site.jobs.models import Job
    from hevesy.web.site.jobs.task import Task

Result = dict[str, Any]
Run = Callable[["Task"], Result]
Commit = Callable[["Job", Result], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a worker does for a job of one name.

    Parameters
    ----------
    name : str
        Written into the database; never changed.
    run : callable
        ``run(task) -> dict``: the work itself. It may be begun again from the start at any time, so that what it leaves
        behind is either under ``task.scratch``, published, or written by `commit`.
    title : str
        What a person reads; may be a lazy translation.
    commit : callable, optional
        ``commit(job, result)``, called in the transaction that marks the job done: what it writes to the database is
        written once.
    heavy : bool
        Whether it computes so much that it goes to the cluster where one is named. Such a function asks nothing of the
        database: its arguments are paths and identifiers, and `commit` writes what follows.
    shown_to : frozenset of Role
        Whose pages may show a job of this kind besides those who submitted it and administrators.
    """

    name: str
    run: Run
    title: str | Promise
    commit: Commit | None = None
    heavy: bool = False
    shown_to: frozenset[Role] = frozenset()


_KINDS: dict[str, Kind] = {}


def job(
    name: str,
    *,
    title: str | Promise = "",
    commit: Commit | None = None,
    heavy: bool = False,
    shown_to: frozenset[Role] = frozenset(),
) -> Callable[[Run], Run]:
    """Register a function as a kind of job; see `Kind`.

    Raises
    ------
    ValueError
        If the name is taken by another function, or is not one of lower-case letters, digits, dots and hyphens.
    """
    if not re.fullmatch(r"[a-z][a-z0-9.-]{0,63}", name):
        raise ValueError(f"'{name}' is no name of a kind of job.")

    def register(run: Run) -> Run:
        known = _KINDS.get(name)
        if known is not None and (known.run.__module__, known.run.__qualname__) != (run.__module__, run.__qualname__):
            raise ValueError(f"The kind of job '{name}' is that of {known.run.__module__} already.")
        _KINDS[name] = Kind(name, run, title or name, commit, heavy, shown_to)
        return run

    return register


def autodiscover() -> None:
    """Import the module ``tasks`` of every application that has one."""
    autodiscover_modules("tasks")


def kind(name: str) -> Kind:
    """Return a kind of job.

    Raises
    ------
    UnknownName
        If there is none of this name.
    """
    try:
        return _KINDS[name]
    except KeyError:
        known = ", ".join(sorted(_KINDS)) or "none"
        raise UnknownName(f"There is no kind of job '{name}'.", f"There are: {known}.") from None


def kinds_shown_to(roles: frozenset[str]) -> list[str]:
    """Return the names of the kinds whose jobs everybody of one of the roles may see."""
    return sorted(k.name for k in _KINDS.values() if roles & frozenset(k.shown_to))
