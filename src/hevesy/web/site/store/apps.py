"""The Django application."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Name the application."""

    name = "hevesy.web.site.store"
    label = "store"
