"""A body that is too long is refused before it lies on the disk."""

import asyncio
import http.client
import json
import re

from hevesy.web.site import asgi
from hevesy.web.site.bodies import LIMIT, limit_of
from hevesy.web.site.store.views import FORM

PIECE = 1024**2


def asked(path, pieces, headers=()):
    """Return the status and content of the answer, and how many pieces the site took."""
    left, sent = list(pieces), []

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": True} if left else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": [*headers]}
    asyncio.run(asgi.application(scope, receive, send))
    content = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"] if sent else None, content, len(pieces) - len(left)


def test_a_body_that_says_it_is_too_long_is_refused_unread():
    status, content, taken = asked("/api/store/imports", [b"x"], [(b"content-length", b"%d" % (LIMIT + 1))])
    assert (status, taken) == (413, 0)
    assert json.loads(content)["refused"] == f"The request is longer than {LIMIT} bytes."


def test_a_body_that_does_not_say_how_long_it_is_is_refused_at_the_limit():
    pieces = [bytes(PIECE)] * (2 * LIMIT // PIECE)
    status, content, taken = asked("/account/login/", pieces)
    assert (status, taken) == (413, LIMIT // PIECE + 1)
    assert b"Send it in parts." in content


def test_a_body_that_lies_about_its_length_is_refused_at_the_limit():
    pieces = [bytes(PIECE)] * (2 * LIMIT // PIECE)
    status, _, taken = asked("/account/login/", pieces, [(b"content-length", b"10")])
    assert (status, taken) == (413, LIMIT // PIECE + 1)


def test_a_sender_that_hangs_up_below_the_limit_is_answered_nothing():
    assert asked("/account/login/", [bytes(PIECE)]) == (None, b"", 1)


def test_the_form_with_files_takes_more_than_any_other_address():
    from django.urls import reverse

    assert limit_of(reverse("store:import_form")) == FORM > LIMIT
    assert limit_of("/account/login/") == limit_of("/nowhere") == LIMIT


def test_a_running_site_refuses_at_once_and_goes_on(live):
    port = int(re.search(r":(\d+)", live)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest("POST", "/account/login/")
    connection.putheader("Content-Length", str(LIMIT + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    answer.read()
    connection.close()
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()
