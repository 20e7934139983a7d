"""Who names files of the store: a file that nobody names may be removed once it is old."""

from __future__ import annotations

from collections.abc import Callable, Iterable

#: given the first digits of a SHA-256, returns every one in its columns that begins so
Namer = Callable[[str], Iterable[str]]

#: the columns that hold names of files, as ``application.Model.field``, and what reads them
_NAMERS: dict[str, Namer] = {}
#: columns that might hold one and do not, with what they hold
_NAMELESS: dict[str, str] = {}


def namer(*columns: str) -> Callable[[Namer], Namer]:
    """Register a function that says which files columns name, such as ``workbench.RegionSet.regions``."""

    def register(function: Namer) -> Namer:
        _NAMERS.update(dict.fromkeys(columns, function))
        return function

    return register


def names_none(column: str, holds: str) -> None:
    """Say of a column that looks as if it named files that it does not, and what it holds."""
    _NAMELESS[column] = holds


def judged_columns() -> frozenset[str]:
    """Return every column that somebody has said of whether it names files."""
    return frozenset({*_NAMERS, *_NAMELESS})


def names_beginning(start: str) -> set[str]:
    """Return every name of a file that begins with some digits."""
    return {name for function in set(_NAMERS.values()) for name in function(start) if name.startswith(start)}


@namer("store.Instance.sha256", "store.Attachment.sha256")
def names_in_the_store(start: str) -> Iterable[str]:
    """Return the names in the rows of the store."""
    from hevesy.web.site.store.models import Attachment, Instance

    for model in (Instance, Attachment):
        # "g" follows the last digit: a range uses the index, as a comparison of beginnings would not
        yield from model.objects.filter(sha256__gte=start, sha256__lt=f"{start}g").values_list("sha256", flat=True)


names_none("store.Signature.sha256", "of the report that was signed, which lies in a result's folder")
names_none("store.Administration.settings", "the tree of a case.yaml")
names_none("store.Result.summary", "numbers of a dose")
names_none("jobs.Job.arguments", "what a job starts from: files that it needs are named by rows of their own")
names_none("jobs.Job.result", "what came of a job")
