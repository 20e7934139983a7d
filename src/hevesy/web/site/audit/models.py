"""The record of who saw and changed what."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NoReturn

from django.conf import settings
from django.db import models

from hevesy.web.site.audit.canonical import CanonicalJSONField, canonical

#: what the first line follows
BEGINNING = "0" * 64


class AppendOnlyError(TypeError):
    """A line of the record was to be changed or deleted."""

    def __init__(self) -> None:
        super().__init__("The audit record is append-only: write a new line that says what is so.")


class Lines(models.QuerySet["Event"]):
    """Lines of the record, to be read."""

    def update(self, **_: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError


class Event(models.Model):
    """One line of the record; its hash covers its content and the hash of the line before."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=64, db_index=True)
    subject = models.CharField(max_length=200)
    details = CanonicalJSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    objects = Lines.as_manager()

    class Meta:
        """Oldest first."""

        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.number} {self.at.isoformat()} {self.actor_name} {self.action} {self.subject}"

    def content(self) -> dict[str, Any]:
        """Return what the hash covers."""
        return {
            "number": self.number,
            "at": self.at.isoformat(timespec="microseconds"),
            "actor": self.actor_id,
            "actor_name": self.actor_name,
            "action": self.action,
            "subject": self.subject,
            "details": self.details,
            "previous": self.previous,
        }

    def digest(self) -> str:
        """Return the SHA-256 of the content, which holds the hash of the line before."""
        return hashlib.sha256(canonical(self.content()).encode("ascii")).hexdigest()

    def save(
        self,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write a new line.

        Raises
        ------
        AppendOnlyError
            If the line is written already.
        """
        if not self._state.adding or force_update or update_fields:
            raise AppendOnlyError
        super().save(force_insert=True, using=using)

    def delete(self, using: Any = None, keep_parents: bool = False) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError
