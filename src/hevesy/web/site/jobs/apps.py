"""The Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from hevesy.web.site.navigation import Entry


class JobsConfig(AppConfig):
    """Name the application, and find the kinds of jobs of all others."""

    name = "hevesy.web.site.jobs"
    label = "jobs"
    navigation = (Entry(_("Jobs"), "jobs:list", order=60),)

    def ready(self) -> None:
        """Import the module ``tasks`` of every application; heavy imports stay inside the functions there."""
        from hevesy.web.site.jobs import registry

        registry.autodiscover()
