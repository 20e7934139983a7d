"""The Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from hevesy.web.site.navigation import Entry


class AccountsConfig(AppConfig):
    """Name the application, and its page in the head of every page."""

    name = "hevesy.web.site.accounts"
    label = "accounts"
    navigation = (
        Entry(_("People"), "people", order=80),
        Entry(_("Tokens of programs"), "tokens", order=90, menu=True),
    )
