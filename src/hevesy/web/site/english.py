"""Words and numbers that read from left to right on a page of any language: what the engine says, and dates."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def english(text: object) -> SafeString:
    """Return words of the engine marked as English, read from left to right and apart from the words around them."""
    return format_html('<bdi lang="en" dir="ltr" class="english">{}</bdi>', text) if text else SafeString()


@register.filter
def ltr(text: object) -> SafeString:
    """Return a date or a number kept in its order: after Arabic letters, 2026-01-31 would read 31-01-2026."""
    return format_html('<bdi dir="ltr">{}</bdi>', text)
