"""The Django application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Name the application."""

    name = "hevesy.web.site.audit"
    label = "audit"
