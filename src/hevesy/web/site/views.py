"""Pages of the site that belong to none of its applications."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.defaults import page_not_found, server_error

from hevesy.web.site.access import EVERYBODY, allow, public
from hevesy.web.site.api import api
from hevesy.web.site.navigation import THEME_COOKIE, THEMES, page_context


@public
def health(request: HttpRequest) -> HttpResponse:
    """Say that the site answers and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


@allow(*EVERYBODY)
def home(request: HttpRequest) -> HttpResponse:
    """Go to the first page that the person's role opens."""
    offered = page_context(request)["navigation"]
    return redirect(offered[0]["address"] if offered else "mfa_index")


@public
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark, and go back to the page; a script does this without asking where it may run."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        year = 365 * 24 * 3600
        response.set_cookie(THEME_COOKIE, theme, max_age=year, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
    return response


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


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is no such page; to a program, in JSON."""
    if request.path.startswith("/api/"):
        return api.refuse(request, 404, _("There is no such thing here."))
    return page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Say that the site is at fault; to a program, in JSON."""
    if request.path.startswith("/api/"):
        return api.refuse(request, 500, _("Something went wrong here."), _("The fault is written to the site's log."))
    return server_error(request)
