"""Pages of the site that belong to none of its applications."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from hevesy.web.site.access import EVERYBODY, allow, public
from hevesy.web.site.api import api


@public
def health(request: HttpRequest) -> HttpResponse:
    """Say that the site answers and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


@allow(*EVERYBODY)
def api_page(request: HttpRequest) -> HttpResponse:
    """List the operations of the API."""
    paths = api.get_openapi_schema()["paths"]
    operations = [
        {"method": method.upper(), "path": path, "summary": operation.get("summary", ""), "of": operation}
        for path, methods in sorted(paths.items())
        for method, operation in methods.items()
    ]
    return render(request, "site/api.html", {"operations": operations})


@allow(*EVERYBODY)
def api_schema(request: HttpRequest) -> JsonResponse:
    """Return the OpenAPI description of the API."""
    return JsonResponse(api.get_openapi_schema())
