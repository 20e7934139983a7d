"""The Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from hevesy.web.site.navigation import Entry


class StoreConfig(AppConfig):
    """Name the application."""

    name = "hevesy.web.site.store"
    label = "store"
    navigation = (
        Entry(_("Import"), "store:importing", order=20),
        Entry(_("Archives"), "store:archive_settings", order=85),
    )

    def ready(self) -> None:
        """Say which results must stay when old ones are removed, and what workers tidy."""
        from hevesy.web.site.store import keeping, tidying  # noqa: F401  they register themselves
