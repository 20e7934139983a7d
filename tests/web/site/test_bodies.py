"""A body that is too long is refused before it lies on the disk."""

import asyncio
import http.client
import json
import re
import socket
from contextlib import suppress

import pytest

from hevesy.web.site import asgi
from hevesy.web.site.bodies import FREE, LIMIT, limit_of
from hevesy.web.site.store.views import FORM

PIECE = 1024**2


def asked(path, pieces, headers=()):
    """Return the status and content of the answer, and how many pieces the site took."""
    left, sent = list(pieces), []

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": True} if left else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    named = [(b"host", b"localhost"), *headers]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": named}
    asyncio.run(asgi.application(scope, receive, send))
    content = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"] if sent else None, content, len(pieces) - len(left)


def test_a_body_that_says_it_is_too_long_is_refused_unread():
    status, content, taken = asked("/api/store/imports", [b"x"], [(b"content-length", b"%d" % (LIMIT + 1))])
    assert (status, taken) == (413, 0)
    assert json.loads(content)["refused"] == f"The request is longer than {LIMIT} bytes."


@pytest.mark.parametrize("said", [(), [(b"content-length", b"10")]])
@pytest.mark.parametrize("path", ["/account/login/", "/nowhere", "/import/form", "/api/store/imports"])
@pytest.mark.django_db
def test_of_the_anonymous_no_more_is_read_than_a_form_needs_whatever_they_say(path, said):
    status, content, taken = asked(path, [bytes(PIECE)] * 100, said)
    assert (status, taken) == (403, FREE // PIECE + 1)
    assert b"without a role" in content


@pytest.mark.django_db
def test_of_the_anonymous_who_say_what_comes_nothing_is_read():
    status, _, taken = asked("/import/form", [b"x"], [(b"content-length", b"%d" % FORM)])
    assert (status, taken) == (403, 0)


@pytest.mark.parametrize(("role", "read"), [("learner", FREE), ("administrator", FREE), ("physicist", LIMIT)])
@pytest.mark.django_db(transaction=True)
def test_a_role_that_sends_nothing_long_is_refused_like_the_anonymous(client, django_user_model, role, read):
    client.force_login(django_user_model.objects.create_user("somebody", role=role))
    cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
    status, _, taken = asked("/api/store/imports", [bytes(PIECE)] * (2 * LIMIT // PIECE), [(b"cookie", cookie)])
    assert (status, taken) == (413 if read == LIMIT else 403, read // PIECE + 1)


def test_a_sender_that_hangs_up_below_the_limit_is_answered_nothing():
    assert asked("/account/login/", [bytes(PIECE)]) == (None, b"", 1)


def test_the_form_with_files_takes_more_than_any_other_address():
    from django.urls import reverse

    assert limit_of(reverse("store:import_form")) == FORM > LIMIT
    assert limit_of("/account/login/") == limit_of("/nowhere") == LIMIT


def test_a_running_site_reads_little_of_what_the_anonymous_send_in_chunks(live):
    """Over a real connection: what lies in its buffers is all that can be sent."""
    port = int(re.search(r":(\d+)", live)[1])
    chunk = b"%x\r\n" % PIECE + bytes(PIECE) + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = "POST /import/form HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode())
        sent = 0
        with suppress(ConnectionError):
            while sent < 200:
                connection.sendall(chunk)
                sent += 1
    assert sent < 40


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
