"""What a web server calls: Django on threads that are kept, each with its connection to the database."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from hevesy.web.site.bodies import Counted, limit_of, said_length

#: requests that are worked on at once; more only take the one interpreter from each other
_AT_ONCE = 8
#: threads that are kept while nobody asks, each with a connection
_KEPT = 4


class Site(ASGIHandler):
    """Django's handler, which by itself starts a thread and opens the database for every request."""

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[ThreadPoolExecutor] = []
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is spoken here, not {scope['type']}.")
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self._judge(scope, receive, send)
        finally:
            if len(self._idle) < _KEPT:
                self._idle.append(thread)
            else:
                thread.shutdown(wait=False)

    async def _judge(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or refuse it where its body is too long, by what it says or by what comes."""
        limit = limit_of(scope["path"])
        counted = Counted(receive, limit)
        too_long = said_length(scope["headers"]) > limit
        if not too_long:
            await self.handle(scope, counted, send)
            too_long = counted.too_long
        if too_long:
            await self.send_response(_too_long(scope["path"], limit), send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in turn; what is streamed afterwards needs none."""
        async with self._turns:
            return await super().get_response_async(request)


def _too_long(path: str, limit: int) -> HttpResponse:
    # no middleware runs: none could without the body
    refused, remedy = f"The request is longer than {limit} bytes.", "Send it in parts."
    headers = {"Connection": "close", "X-Content-Type-Options": "nosniff"}
    if path.startswith("/api/"):
        return JsonResponse({"refused": refused, "remedy": remedy}, status=413, headers=headers)
    return HttpResponse(f"{refused} {remedy}", status=413, content_type="text/plain", headers=headers)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hevesy.web.site.settings")
django.setup(set_prefix=False)
application = Site()
