"""The Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from hevesy.web.site.navigation import Entry


class AuditConfig(AppConfig):
    """Name the application, and listen to people who sign in."""

    name = "hevesy.web.site.audit"
    label = "audit"
    navigation = (Entry(_("Record"), "audit", order=90),)

    def ready(self) -> None:
        """Begin to listen."""
        from hevesy.web.site.audit.signals import connect

        connect()
