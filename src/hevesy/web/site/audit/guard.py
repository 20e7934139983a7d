"""The database's own refusal to change the record, for hands that do not go through this program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REFUSAL = "the audit record is append-only"
_PUT_ON = {
    "sqlite": (
        f"""CREATE TRIGGER IF NOT EXISTS audit_event_stays BEFORE UPDATE ON audit_event
            BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END""",
        f"""CREATE TRIGGER IF NOT EXISTS audit_event_remains BEFORE DELETE ON audit_event
            BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END""",
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$""",
        "DROP TRIGGER IF EXISTS audit_event_stays ON audit_event",
        """CREATE TRIGGER audit_event_stays BEFORE UPDATE OR DELETE ON audit_event
            FOR EACH ROW EXECUTE FUNCTION audit_event_refuse()""",
        "DROP TRIGGER IF EXISTS audit_event_remains ON audit_event",
        """CREATE TRIGGER audit_event_remains BEFORE TRUNCATE ON audit_event
            FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse()""",
    ),
}
_TAKE_OFF = {
    "sqlite": ("DROP TRIGGER IF EXISTS audit_event_stays", "DROP TRIGGER IF EXISTS audit_event_remains"),
    "postgresql": (
        "DROP TRIGGER IF EXISTS audit_event_stays ON audit_event",
        "DROP TRIGGER IF EXISTS audit_event_remains ON audit_event",
    ),
}


def put_on(connection: Any) -> None:
    """Make the database refuse to change or delete a line.

    A migration that makes the table anew, as SQLite's do, must call this again at its end.
    """
    _run(connection, _PUT_ON)


def take_off(connection: Any) -> None:
    """Let lines be deleted again; for tests, whose data is thrown away."""
    _run(connection, _TAKE_OFF)


def _run(connection: Any, statements: Mapping[str, tuple[str, ...]]) -> None:
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement)
