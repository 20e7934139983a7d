"""The site's settings, with its data in a folder that is thrown away."""

import atexit
import os
import shutil
import tempfile

if not os.environ.get("HEVESY_HOME"):
    os.environ["HEVESY_HOME"] = tempfile.mkdtemp(prefix="hevesy-home-")
    atexit.register(shutil.rmtree, os.environ["HEVESY_HOME"], ignore_errors=True)

from hevesy.web.site.settings import *  # noqa: F403
from hevesy.web.site.settings import DATABASES, HOME

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick: nothing here is secret
DATABASES["default"]["CONN_MAX_AGE"] = 0  # no connection is left that keeps the tests' database from being dropped
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # a file as on a real site: threads and processes share it as they would there
    DATABASES["default"]["TEST"] = {"NAME": HOME.folder / "tests.sqlite3"}
