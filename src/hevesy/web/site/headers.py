"""What every answer tells the browser that it may do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


@cache
def policy(provider: str = "") -> str:
    """Return the content security policy.

    Scripts and styles come from this site's files alone; the viewer decodes images in workers made from blobs.

    Parameters
    ----------
    provider : str
        Address of the OpenID Connect provider, to which the form that signs in leads; empty for none.
    """
    parts = urlsplit(provider)
    elsewhere = f" {parts.scheme}://{parts.netloc}" if provider else ""
    rules = (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        f"form-action 'self'{elsewhere}",
        "frame-ancestors 'none'",
    )
    return "; ".join(rules)


class ContentSecurityPolicy:
    """Middleware that sends the policy with every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and add the policy where the view set none."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy(settings.OIDC_URL))
        return response
