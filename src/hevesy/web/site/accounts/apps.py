"""The Django application."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Name the application."""

    name = "hevesy.web.site.accounts"
    label = "accounts"
