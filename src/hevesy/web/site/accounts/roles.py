"""The roles of people who use the site."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a person is to the site; each person has one."""

    PHYSICIAN = "physician", _("Physician")
    PHYSICIST = "physicist", _("Physicist")
    RADIOCHEMIST = "radiochemist", _("Radiochemist")
    LEARNER = "learner", _("Learner")
    TEACHER = "teacher", _("Teacher")
    ADMINISTRATOR = "administrator", _("Administrator")
