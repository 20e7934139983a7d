"""The one API, at ``/api/``: typed, closed by default, and with the same refusals as the pages.

An application adds its part as ``router`` in its own ``api.py``; it is found there and stands under the application's
label: ``router.get("/jobs")`` of the application ``jobs`` is ``/api/jobs/jobs``. What stands in a file of its own is
named there too: ``more = {"/archives": archive_api.router}``. Each operation says who may call it::

    router = Router(tags=["jobs"])

    @router.get("", response=list[JobOut], auth=allowed(*CLINICAL))
    def jobs(request): ...
"""

from __future__ import annotations

from collections.abc import Hashable
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.security import SessionAuth

from hevesy import __version__
from hevesy.errors import BadInput, HevesyError, http_status
from hevesy.web.site.accounts import tokens
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.record import record
from hevesy.web.site.meter import Meter


class Refusal(Schema):
    """What an answer holds that is not what was asked for."""

    #: what was refused, and what was expected instead
    refused: str
    #: what exists, or what to do
    remedy: str = ""


#: calls in a minute that one token may make, and that may come with a wrong one from one address
CALLS, WRONG = Meter(600), Meter(20)
_READS = frozenset({"GET", "HEAD"})


class allowed(SessionAuth):  # noqa: N801  reads as a word where it is used: auth=allowed(Role.PHYSICIST)
    """Open an operation to the roles named.

    Either somebody who has signed in asks, by the session's cookie and with its CSRF token, or a program with a token:
    ``Authorization: Bearer hevesy_…``.

    Parameters
    ----------
    *roles : Role
        With none, nobody may call it.
    """

    def __init__(self, *roles: Role) -> None:
        super().__init__(csrf=True)
        self.roles = frozenset(roles)

    def __call__(self, request: HttpRequest) -> Any:
        """Judge a request by its token if it shows one, else by its session.

        Raises
        ------
        HttpError
            429 where it asks too often.
        """
        scheme, _space, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return super().__call__(request)
        token = tokens.find(shown.strip())
        if token is None:
            _count(WRONG, request.META.get("REMOTE_ADDR"))
            return None
        _count(CALLS, token.pk)
        token.person.token = token
        request.user = token.person
        if token.reads_only and request.method not in _READS:
            record(token.person, "page.refused", request.path, method=request.method)
            raise PermissionDenied
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Return the person, or None where nobody has signed in.

        Raises
        ------
        PermissionDenied
            If the person's role is none of those named.
        """
        if not request.user.is_authenticated:
            return None
        if not request.user.roles & self.roles:
            record(request.user, "page.refused", request.path, role=request.user.role)
            raise PermissionDenied
        return request.user


def _count(meter: Meter, caller: Hashable) -> None:
    if not meter.passes(caller):
        raise HttpError(429, _("Too many requests. Ask again in a minute."))


#: every operation's possible refusals; they need no mention where an operation is written
REFUSALS = {
    400: "The request cannot be read.",
    401: "Nobody has signed in.",
    403: "The role, the CSRF token, or a token that only reads, does not allow it.",
    404: "There is no such thing.",
    409: "What was computed contradicts physics, or something changed meanwhile.",
    415: "A sound file of a kind that is not read.",
    422: "A value is not what is expected.",
    429: "Too many requests.",
    507: "The output could not be written.",
}


class SiteAPI(NinjaAPI):
    """An API whose description names the refusals of each operation."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the OpenAPI description."""
        schema = super().get_openapi_schema(**options)
        described = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
        schema["components"].setdefault("schemas", {})["Refusal"] = Refusal.json_schema()
        schema["components"].setdefault("securitySchemes", {})["Token"] = {"type": "http", "scheme": "bearer"}
        for methods in schema["paths"].values():
            for operation in methods.values():
                operation["security"].append({"Token": []})
                for status, description in REFUSALS.items():
                    operation["responses"].setdefault(status, {"description": description, "content": described})
        return schema

    def refuse(self, request: HttpRequest, status: int, refused: str, remedy: str = "") -> HttpResponse:
        """Answer with a refusal."""
        return self.create_response(request, {"refused": refused, "remedy": remedy}, status=status)


api = SiteAPI(title="Hevesy", version=__version__, auth=allowed(), docs_url=None, openapi_url=None)


@api.exception_handler(HevesyError)
def _refused(request: HttpRequest, error: HevesyError) -> HttpResponse:
    return api.refuse(request, http_status(error), error.refused, error.remedy)


@api.exception_handler(PermissionDenied)
def _forbidden(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return api.refuse(request, 403, _("Your role does not allow this."), _("Ask an administrator of this site."))


@api.exception_handler(Http404)
def _absent(request: HttpRequest, error: Http404) -> HttpResponse:
    return api.refuse(request, 404, _("There is no such thing here."))


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 401:
        return api.refuse(request, 401, _("Nobody has signed in."), _("Send a token, or sign in."))
    return api.refuse(request, error.status_code, error.message)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    lines = (f"{'.'.join(str(step) for step in fault['loc'])}: {fault['msg']}" for fault in error.errors)
    return api.refuse(request, 422, "; ".join(lines), _("The API's description says what is expected."))


def require_sound(form: BaseForm) -> None:
    """Refuse what a form of the pages refuses.

    Raises
    ------
    BadInput
        With what is wrong, by the names of the fields.
    """
    if not form.is_valid():
        faults = (f"{name}: {' '.join(map(str, lines))}" for name, lines in form.errors.items())
        raise BadInput("; ".join(faults), _("The API's description says what is expected."))


def gather() -> SiteAPI:
    """Add the routers of all applications, and return the API."""
    for application in apps.get_app_configs():
        if application.name.startswith("hevesy.") and module_has_submodule(application.module, "api"):
            module = import_module(f"{application.name}.api")
            for prefix, router in {"": getattr(module, "router", None), **getattr(module, "more", {})}.items():
                if router is not None and all(router is not known for _prefix, known in api._routers):
                    api.add_router(f"/{application.label}{prefix}", router)
    return api
