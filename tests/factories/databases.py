"""The database of a real site that a test starts: the SQLite file in its folder, or one of its own on PostgreSQL.

Which of the two follows from ``HEVESY_DATABASE``, as for the site itself, so that every test of processes runs on both.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from factories.postgresql import INSTALLED

#: a fault in an index, or a row that its index does not know, is raised
_SOUND = """
SELECT bt_index_check(index.indexrelid, heapallindexed => true)
FROM pg_index AS index JOIN pg_class AS of ON of.oid = index.indexrelid
WHERE of.relnamespace = 'public'::regnamespace AND of.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
"""


@dataclass(frozen=True, slots=True)
class Database:
    """What a site keeps its rows in.

    Parameters
    ----------
    home : Path
        The site's folder.
    url : str
        Address on a PostgreSQL server; empty for SQLite.
    """

    home: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """What tells a process of the site where it keeps its data."""
        return {"HEVESY_HOME": str(self.home), "HEVESY_DATABASE": self.url}

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask; a ``?`` stands for each value, and what comes back is told as SQLite tells it."""
        with closing(self._connect()) as connection:
            found = connection.execute(sql.replace("?", "%s") if self.url else sql, values).fetchall()
        return [tuple(map(_plain, row)) for row in found]

    def assert_sound(self) -> None:
        """Assert that the database finds no damage in itself; references PostgreSQL checks whenever it writes."""
        if not self.url:
            assert self.query("PRAGMA integrity_check") == [("ok",)]
            assert self.query("PRAGMA foreign_key_check") == []
            return
        with closing(self._connect()) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            assert len(connection.execute(_SOUND).fetchall()) > 10

    def beside_the_folder(self) -> bytes:
        """Return all that the database holds outside the site's folder: nothing where it is a file in there."""
        if not self.url:
            return b""
        assert INSTALLED is not None, "a server on PostgreSQL is of a cluster that a test started"
        return subprocess.run([INSTALLED / "pg_dump", self.url], check=True, capture_output=True).stdout

    def _connect(self) -> Any:
        if not self.url:
            return sqlite3.connect(f"file:{self.home / 'hevesy.sqlite3'}?mode=ro", uri=True, timeout=20)
        import psycopg

        return psycopg.connect(self.url, autocommit=True)


@contextmanager
def database_of(home: Path, server: str | None = None, like: Database | None = None) -> Iterator[Database]:
    """Give a site's folder with a database of its own, which is gone afterwards; the folder stays.

    Parameters
    ----------
    home : Path
        The site's folder.
    server : str, optional
        Address of a database on a PostgreSQL server, or nothing for SQLite. That of ``HEVESY_DATABASE`` unless given.
    like : Database, optional
        Of another site, to which nothing is connected: rows and folder are copied.
    """
    server = os.environ.get("HEVESY_DATABASE", "") if server is None else server
    if like is not None:
        shutil.copytree(like.home, home)
    if not server:
        yield Database(home, "")
        return
    import psycopg

    name = f"site_{uuid4().hex}"
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        template = "" if like is None else f" TEMPLATE {urlsplit(like.url).path[1:]}"
        connection.execute(f"CREATE DATABASE {name}{template}")
        try:
            yield Database(home, urlsplit(server)._replace(path=f"/{name}").geturl())
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _plain(value: Any) -> Any:
    """Return a value of PostgreSQL as SQLite, which has fewer types, would give it."""
    if isinstance(value, UUID):
        return value.hex
    return json.dumps(value) if isinstance(value, dict | list) else value
