"""Jobs in the database."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class State(models.TextChoices):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(models.Model):
    """One piece of work; a worker that claims it renews its lease, and another takes it up when the lease runs out."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    arguments = models.JSONField(default=dict)
    #: SHA-256 of the kind, the arguments and the version of the code: one result for one fingerprint
    fingerprint = models.CharField(max_length=64, db_index=True)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING, db_index=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    #: name of the worker that has it, and until when it holds it
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_asked = models.BooleanField(default=False)
    #: 0 to 1, and the step that it is at
    progress = models.FloatField(default=0.0)
    step = models.CharField(max_length=200, blank=True)
    log = models.TextField(blank=True)
    result = models.JSONField(null=True)
    #: the line that a person reads when it failed
    error = models.TextField(blank=True)

    class Meta:
        """First come, first served."""

        ordering = ("submitted_at", "id")
