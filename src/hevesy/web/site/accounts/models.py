"""People."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from hevesy.web.site.accounts.roles import Role


class Person(AbstractUser):
    """Somebody who may sign in."""

    role = models.CharField(max_length=16, choices=Role, default=Role.LEARNER)
    #: what asks in the person's name; None where they have signed in themselves
    token: Token | None = None

    @property
    def roles(self) -> frozenset[Role]:
        """What the person may be on a page: their role, and an administrator too where `is_staff` says so.

        Where a token asks in their name, no more than was given to it.
        """
        held = frozenset({Role(self.role)} | ({Role.ADMINISTRATOR} if self.is_staff else set()))
        return held if self.token is None else held & self.token.granted

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


class Token(models.Model):
    """What a person's program shows instead of signing in; the site keeps its hash, never the token."""

    digest = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    #: roles that it was given, with spaces between; it has them for as long as the person does
    roles = models.CharField(max_length=120)
    reads_only = models.BooleanField(default=False)
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    #: to within some minutes
    used_at = models.DateTimeField(null=True)

    class Meta:
        """The newest first."""

        ordering = ("-made_at",)

    @property
    def granted(self) -> frozenset[str]:
        """The roles that it was given."""
        return frozenset(self.roles.split())

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= timezone.now()
