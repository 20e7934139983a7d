"""Files of the pages' dress: styles, scripts, pictures. No secret is among them."""

from __future__ import annotations

import gzip
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware

_TEXT = ("text/", "application/javascript", "application/json", "application/wasm", "image/svg+xml")


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, with answers that are whole: a file is read, closed and compressed before it is sent.

    WhiteNoise's own answer is a synchronous stream, which an ASGI server would read whole all the same, and leave open
    where a browser goes away.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """Answer with a file, or with what of it was asked for."""
        answer = static_file.get_response(request.method, request.META)
        body = b""
        if answer.file is not None:
            with answer.file as file:
                body = file.read()
        headers = dict(answer.headers)
        if _compressible(answer, headers, request):
            body = _compressed(body)
            headers |= {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
        response = HttpResponse(body, status=int(answer.status), headers=headers)
        response.headers["Vary"] = "Accept-Encoding"
        return response


def _compressible(answer: Any, headers: dict[str, str], request: HttpRequest) -> bool:
    return (
        answer.file is not None
        and answer.status == HTTPStatus.OK
        and headers.get("Content-Type", "").startswith(_TEXT)
        and "gzip" in request.headers.get("Accept-Encoding", "")
    )


@lru_cache(maxsize=64)
def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)
