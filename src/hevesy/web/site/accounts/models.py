"""People."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from hevesy.web.site.accounts.roles import Role


class Person(AbstractUser):
    """Somebody who may sign in."""

    role = models.CharField(max_length=16, choices=Role, default=Role.LEARNER)
