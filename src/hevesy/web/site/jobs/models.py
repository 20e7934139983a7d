"""Jobs in the database."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where a job stands."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    #: done once; its result was removed to make room
    REMOVED = "removed", _("Removed")


#: still to come to an end
OPEN = (State.WAITING, State.RUNNING)


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
    #: all who asked for it: the second who submits the same is given the same job
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="jobs")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    #: name of the worker that has it, and until when it holds it
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, db_index=True)
    #: how often it was begun, and how often its process died of itself
    attempts = models.PositiveSmallIntegerField(default=0)
    crashes = models.PositiveSmallIntegerField(default=0)
    cancel_asked = models.BooleanField(default=False)
    #: 0 to 1 and since when, null where nobody knows; and the step that it is at
    progress = models.FloatField(null=True)
    progress_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=200, blank=True)
    log = models.TextField(blank=True)
    result = models.JSONField(null=True)
    #: whether it has put a folder among the results
    published = models.BooleanField(default=False)
    #: the line that a person reads when it failed, and what the administrator reads besides
    error = models.TextField(blank=True)
    fault = models.TextField(blank=True)

    class Meta:
        """First come, first served."""

        ordering = ("submitted_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("fingerprint",),
                condition=models.Q(state__in=("waiting", "running", "done")),
                name="one_living_job_a_fingerprint",
            ),
        )

    @property
    def is_open(self) -> bool:
        """Whether it is still to come to an end."""
        return self.state in OPEN

    @property
    def elapsed(self) -> timedelta | None:
        """How long the last attempt has taken so far, or took; none before it began."""
        return None if self.started_at is None else (self.ended_at or timezone.now()) - self.started_at

    @property
    def remaining(self) -> timedelta | None:
        """How long it will take yet at the pace so far; none where that cannot be told."""
        if self.state != State.RUNNING or not self.progress or self.started_at is None or self.progress_at is None:
            return None
        spent = self.progress_at - self.started_at
        if spent < timedelta(seconds=2):
            return None
        left = spent * ((1 - self.progress) / self.progress) - (timezone.now() - self.progress_at)
        return max(left, timedelta())
