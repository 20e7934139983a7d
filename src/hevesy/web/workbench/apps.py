"""The Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from hevesy.web.site.navigation import Entry


class WorkbenchConfig(AppConfig):
    """Name the application."""

    name = "hevesy.web.workbench"
    label = "workbench"
    navigation = (Entry(_("Worklist"), "workbench:worklist", order=10),)
