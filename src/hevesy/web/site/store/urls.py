"""Addresses of the store."""

from django.urls import path

from hevesy.web.site.store import archive_views, views

app_name = "store"
urlpatterns = [
    path("import/", views.importing, name="importing"),
    path("import/form", views.import_form, name="import_form"),
    path("import/folder", views.import_folder, name="import_folder"),
    path("import/<uuid:arrival>/", views.report, name="import"),
    path("archives/<int:archive>/", archive_views.search, name="archive"),
    path("archives/<int:archive>/fetch", archive_views.fetch, name="archive_fetch"),
    path("archives/<int:archive>/remove", archive_views.remove, name="archive_remove"),
    path("archives/", archive_views.settings_page, name="archive_settings"),
]
