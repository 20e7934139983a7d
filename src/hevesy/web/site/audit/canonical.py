"""One way to write a thing as text, so that its hash is one."""

from __future__ import annotations

import json
from typing import Any

from django.db import models


def canonical(value: object) -> str:
    """Return the JSON of a value with sorted keys, no spaces, ASCII alone.

    Raises
    ------
    ValueError, TypeError
        If it holds NaN, an infinity, or what JSON cannot say.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


class CanonicalJSONField(models.TextField):  # type: ignore[type-arg]  # Django itself cannot be subscripted
    """JSON kept as the very text that was hashed; a database's own JSON type would write numbers its own way."""

    # what mypy's plugin reads of a field: any value that JSON can say
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        """Read what is stored."""
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        """Write what is to be stored."""
        return None if value is None else canonical(value)
