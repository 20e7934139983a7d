"""The Django application."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Name the application, and find the kinds of jobs of all others."""

    name = "hevesy.web.site.jobs"
    label = "jobs"

    def ready(self) -> None:
        """Import the module ``tasks`` of every application; heavy imports stay inside the functions there."""
        from hevesy.web.site.jobs import registry

        registry.autodiscover()
