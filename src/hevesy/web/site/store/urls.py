"""Addresses of the store."""

from django.urls import path

from hevesy.web.site.store import views

app_name = "store"
urlpatterns = [
    path("import/", views.importing, name="importing"),
    path("import/form", views.import_form, name="import_form"),
    path("import/folder", views.import_folder, name="import_folder"),
    path("import/<uuid:arrival>/", views.report, name="import"),
]
