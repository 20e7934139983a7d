"""Addresses of the site, and where those of the workbench begin."""

from django.urls import include, path
from django.views.i18n import set_language

from hevesy.web.site import views
from hevesy.web.site.access import public
from hevesy.web.site.api import gather

handler404 = views.not_found
handler500 = views.failed
urlpatterns = [
    path("health", views.health, name="health"),
    path("language", public(set_language), name="set_language"),
    path("theme", views.set_theme, name="set_theme"),
    path("home", views.home, name="home"),
    path("", include("hevesy.web.site.accounts.urls")),
    path("", include("hevesy.web.site.audit.urls")),
    path("api/", views.api_page, name="api"),
    path("api/openapi.json", views.api_schema, name="api_schema"),
    path("api/", gather().urls),
    path("jobs/", include("hevesy.web.site.jobs.urls")),
    path("", include("hevesy.web.site.store.urls")),
    path("", include("hevesy.web.workbench.urls")),
]
