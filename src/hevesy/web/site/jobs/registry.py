"""Kinds of jobs: a function under a name, found in the module ``tasks`` of every application."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
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


class Effort(StrEnum):
    """How much a kind computes, and so where."""

    #: a moment: in a process that stays and holds its imports, not behind others; given up after 20 s
    LIGHT = "light"
    USUAL = "usual"
    #: so much that it goes to the cluster where one is named; such a function asks nothing of the database: its
    #: arguments are paths and identifiers, `prepare` has read what it needs, and `commit` writes what follows
    HEAVY = "heavy"


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
    effort : Effort
        How much it computes.
    prepare : callable, optional
        ``prepare(task) -> dict``, called before `run` beside the database: what it returns is added to the arguments,
        and what it lays under ``task.scratch`` is there, at the same path, until the job has ended.
    shown_to : frozenset of Role
        Whose pages may show a job of this kind besides those who submitted it and administrators.
    """

    name: str
    run: Run
    title: str | Promise
    commit: Commit | None = None
    effort: Effort = Effort.USUAL
    shown_to: frozenset[Role] = frozenset()
    prepare: Run | None = None


_KINDS: dict[str, Kind] = {}


def job(
    name: str,
    *,
    title: str | Promise = "",
    commit: Commit | None = None,
    effort: Effort = Effort.USUAL,
    shown_to: frozenset[Role] = frozenset(),
    prepare: Run | None = None,
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
        _KINDS[name] = Kind(name, run, title or name, commit, effort, shown_to, prepare)
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


def light_kinds() -> list[str]:
    """Return the names of the kinds that take a moment."""
    return sorted(k.name for k in _KINDS.values() if k.effort is Effort.LIGHT)


def kinds_shown_to(roles: frozenset[str]) -> list[str]:
    """Return the names of the kinds whose jobs everybody of one of the roles may see."""
    return sorted(k.name for k in _KINDS.values() if roles & frozenset(k.shown_to))
