"""Addresses of the workbench."""

from django.urls import path

from hevesy.web.workbench import views

app_name = "workbench"
urlpatterns = [path("", views.worklist, name="worklist")]
