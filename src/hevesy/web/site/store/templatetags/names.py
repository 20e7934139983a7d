"""Names of people on pages."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def person_name(stored: str) -> str:
    """Return a name as people read it: family name, given names, suffix.

    Parameters
    ----------
    stored : str
        As DICOM has it (PS3.5, 6.2.1): ``family^given^middle^prefix^suffix``, up to three times in different writings
        with = between them, of which the first that says anything is shown. A prefix, such as a title, is left out.
    """
    written = next((group for group in stored.split("=") if group.strip("^ ")), "")
    family, given, middle, _, suffix = ([part.strip() for part in written.split("^")] + [""] * 5)[:5]
    called = " ".join(part.title() if part.isupper() else part for part in (given, middle) if part)
    return ", ".join(part for part in (family, " ".join(one for one in (called, suffix) if one)) if part)
