"""Schemathesis calls each operation of the API with what its description allows, and with what it does not."""

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.middleware.csrf import get_token
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hevesy.web.site import api
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.api import gather
from hevesy.web.site.meter import Meter

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
#: calls of each operation by each role; the anonymous are turned away before anything is read
EXAMPLES = {None: 2, Role.PHYSICIST: 8, Role.LEARNER: 3}


@pytest.fixture
def credentials(client, django_user_model, monkeypatch):
    """Return a function that gives the cookies and headers of a person of a role who has signed in, or of nobody."""

    monkeypatch.setattr(api, "WRONG", Meter(10_000))  # tokens are guessed, as the description allows

    def credentials(role):
        request = RequestFactory().get("/")
        token = get_token(request)
        cookies = {"csrftoken": request.META["CSRF_COOKIE"]}
        if role is not None:
            # a physicist who administers too may call every operation
            administers = role == Role.PHYSICIST
            client.force_login(django_user_model.objects.create_user("somebody", role=role, is_staff=administers))
            cookies["sessionid"] = client.cookies["sessionid"].value
        return {"cookies": cookies, "headers": {"X-CSRFToken": token, "Host": "localhost"}}

    return credentials


@pytest.mark.django_db(transaction=True)  # each call opens and closes its own connection, as on a server
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
@pytest.mark.parametrize("role", [None, Role.PHYSICIST, Role.LEARNER])
def test_no_operation_fails_or_answers_what_it_does_not_describe(credentials, role, mode):
    schema = schemathesis.openapi.from_dict(gather().get_openapi_schema())
    schema.app = get_wsgi_application()
    with_them = credentials(role)
    answered = set()
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES[role],
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case):
            case.cookies = {}
            answer = case.call(**with_them)
            answered.add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        call()
    if role is None:
        assert answered <= {400, 401, 403, 404}
    elif mode is GenerationMode.POSITIVE and role == Role.PHYSICIST:
        assert 200 in answered
