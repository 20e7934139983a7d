"""What a web server calls."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hevesy.web.site.settings")
application = get_asgi_application()
