"""What the engine says: it speaks English on a page of any language, and is marked as such."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def english(text: object) -> SafeString:
    """Return words of the engine marked as English, read from left to right and apart from the words around them."""
    return format_html('<bdi lang="en" dir="ltr" class="english">{}</bdi>', text) if text else SafeString()
