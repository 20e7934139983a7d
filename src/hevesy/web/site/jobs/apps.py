"""The Django application."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Name the application."""

    name = "hevesy.web.site.jobs"
    label = "jobs"
