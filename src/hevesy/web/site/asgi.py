"""What a web server calls: Django on threads that are kept, each with its connection to the database."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import IO, Any

import django
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.urls import set_script_prefix

from hevesy.web.site.bodies import FREE, Counted, limit_of, said_length

#: requests that are worked on at once; more only take the one interpreter from each other
_AT_ONCE = 8


class Site(ASGIHandler):
    """Django's handler, in which a request changes threads once, and not for every layer that it passes.

    By itself Django's goes between the loop and a thread some six times a request, which costs more than a page, and
    starts a thread and opens the database for each.
    """

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(_AT_ONCE, "request")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or refuse it where its body is too long, by what it says or by what comes."""
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is spoken here, not {scope['type']}.")
        loop = asyncio.get_running_loop()
        limit = limit_of(scope["path"])
        counted = Counted(receive, limit, lambda: loop.run_in_executor(self._threads, may_send, scope))
        if await counted.admits(said_length(scope["headers"])):
            await self.handle(scope, counted, send)
        if counted.too_long or counted.forbidden:
            await self.send_response(_refused(scope["path"], counted, limit), send)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Have a thread answer, and send what it answers."""
        loop = asyncio.get_running_loop()
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with closing(body):
            response = await loop.run_in_executor(self._threads, self._answer, scope, body)
            if not response.streaming:
                await self.send_response(response, send)
                return
            try:
                await self._stream(response, receive, send)
            finally:
                await loop.run_in_executor(self._threads, response.close)

    def _answer(self, scope: Any, body: IO[bytes]) -> HttpResponseBase:
        """Answer from a thread; what is not streamed is whole, and needs nothing of the request any more."""
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: HttpResponseBase | None = refusal if request is None else self.get_response(request)
        assert response is not None, "a request that cannot be made is refused"
        if not response.streaming:
            response.close()
        return response

    async def _stream(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        """Send what comes, until it ends or nobody listens any more."""
        sending = asyncio.create_task(self.send_response(response, send))
        gone = asyncio.create_task(receive())
        try:
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, sending):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def _refused(path: str, counted: Counted, limit: int) -> HttpResponse:
    # no middleware runs: none could without the body
    status, refused, remedy = 413, f"The request is longer than {limit} bytes.", "Send it in parts."
    if counted.forbidden:
        status, refused = 403, f"Nobody may send more than {FREE} bytes here without a role that does."
        remedy = "Sign in as somebody who has it."
    headers = {"Connection": "close", "X-Content-Type-Options": "nosniff"}
    if path.startswith("/api/"):
        return JsonResponse({"refused": refused, "remedy": remedy}, status=status, headers=headers)
    return HttpResponse(f"{refused} {remedy}", status=status, content_type="text/plain", headers=headers)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hevesy.web.site.settings")
django.setup(set_prefix=False)

from hevesy.web.site.senders import may_send  # noqa: E402  knows models, which need the settings

application = Site()
