"""The site's settings with the jobs of the tests; for processes that are killed."""

from hevesy.web.site.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "effects"]  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick: nothing here is secret
