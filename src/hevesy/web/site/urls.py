"""Addresses of the site, and where those of the workbench begin."""

from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.urls")),
    path("", include("hevesy.web.workbench.urls")),
]
