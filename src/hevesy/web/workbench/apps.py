"""The Django application."""

from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    """Name the application."""

    name = "hevesy.web.workbench"
    label = "workbench"
