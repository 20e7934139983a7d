"""The Django application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Name the application, and listen to people who sign in."""

    name = "hevesy.web.site.audit"
    label = "audit"

    def ready(self) -> None:
        """Begin to listen."""
        from hevesy.web.site.audit.signals import connect

        connect()
