"""Addresses of the record."""

from django.urls import path

from hevesy.web.site.audit import views

urlpatterns = [
    path("audit/", views.record_page, name="audit"),
    path("audit/check/", views.check, name="audit_check"),
    path("audit/export.<slug:form>", views.export, name="audit_export"),
]
