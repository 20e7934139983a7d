"""Addresses of jobs."""

from django.urls import path

from hevesy.web.site.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.listing, name="list"),
    path("<uuid:job>/", views.detail, name="detail"),
    path("<uuid:job>/state", views.state, name="state"),
    path("<uuid:job>/events", views.events, name="events"),
    path("<uuid:job>/cancel", views.cancel, name="cancel"),
]
