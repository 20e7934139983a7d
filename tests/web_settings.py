"""The site's settings, with its data in a folder that is thrown away."""

import atexit
import os
import shutil
import tempfile

if "HEVESY_HOME" not in os.environ:
    os.environ["HEVESY_HOME"] = tempfile.mkdtemp(prefix="hevesy-home-")
    atexit.register(shutil.rmtree, os.environ["HEVESY_HOME"], ignore_errors=True)

from hevesy.web.site.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick: nothing here is secret
