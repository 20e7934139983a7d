"""What the database alone may not tell, encrypted: passwords of other systems, where files lie that name a patient."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from hevesy.errors import BadConfiguration


def seal(text: str) -> str:
    """Return a text encrypted with a key that is made from the site's secret."""
    return _fernet().encrypt(text.encode()).decode("ascii") if text else ""


def unseal(sealed: str) -> str:
    """Return what was sealed.

    Raises
    ------
    BadConfiguration
        If it was sealed with another secret.
    """
    try:
        return _fernet().decrypt(sealed.encode("ascii")).decode() if sealed else ""
    except InvalidToken as error:
        raise BadConfiguration("It was sealed with another secret than the site's.", "Enter it again.") from error


def _fernet() -> Fernet:
    key = hashlib.sha256(b"hevesy archive password " + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
