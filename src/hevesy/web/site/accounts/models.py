"""People."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models

from hevesy.web.site.accounts.roles import Role


class Person(AbstractUser):
    """Somebody who may sign in."""

    role = models.CharField(max_length=16, choices=Role, default=Role.LEARNER)

    @property
    def roles(self) -> frozenset[Role]:
        """What the person may be on a page: their role, and an administrator too where `is_staff` says so."""
        return frozenset({Role(self.role)} | ({Role.ADMINISTRATOR} if self.is_staff else set()))

    @property
    def administers(self) -> bool:
        """Whether the person lets others in."""
        return Role.ADMINISTRATOR in self.roles

    @property
    def invited(self) -> bool:
        """Whether the person has yet to choose a way to sign in."""
        return not self.has_usable_password() and self.last_login is None


class OneTimeLink(models.Model):
    """A link that opens one door once; the site keeps the hash of its token, never the token."""

    digest = models.CharField(max_length=64, unique=True)
    #: whose password it sets; None for the link by which the first administrator is made
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="one_time_links"
    )
    expires_at = models.DateTimeField()
