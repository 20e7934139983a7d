"""The record of who saw and changed what."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Event(models.Model):
    """One line of the record; its hash covers its content and the hash of the line before."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        """Oldest first."""

        ordering = ("number",)
