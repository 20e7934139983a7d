"""Addresses of the workbench."""

from django.urls import path

from hevesy.web.workbench.views import course, curves, data, dose, patients, regions, report

app_name = "workbench"
_CASE = "administrations/<uuid:pk>/"
_RESULT = "results/<uuid:pk>/"
urlpatterns = [
    path("", patients.worklist, name="worklist"),
    path("patients/<int:pk>/", patients.patient, name="patient"),
    path("patients/<int:pk>/begin", patients.begin, name="begin"),
    path("courses/<uuid:pk>/", course.course, name="course"),
    path(f"{_CASE}data", data.check, name="check"),
    path(f"{_CASE}regions", regions.regions, name="regions"),
    path(f"{_CASE}curves", curves.curves, name="curves"),
    path(f"{_CASE}engine", dose.engine, name="engine"),
    path(f"{_CASE}dose", dose.dose, name="dose"),
    path(f"{_CASE}report", report.report, name="report"),
    path(f"{_CASE}export", report.export, name="export"),
    path(f"{_CASE}shared.zip", report.download_shared, name="download_shared"),
    path(f"{_RESULT}report", report.report_page, name="report_page"),
    path(f"{_RESULT}files/<str:name>", report.download, name="download"),
    path(f"{_RESULT}all.zip", report.download_all, name="download_all"),
]
