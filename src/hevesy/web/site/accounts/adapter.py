"""What allauth asks of this site."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.http import HttpRequest

from hevesy.web.site.accounts.models import Person


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by an administrator, unless the site is open to learners."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say whether anybody may make an account for themselves."""
        return bool(settings.SIGNUP_OPEN)


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """People whom the hospital's own OpenID Connect provider vouches for."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Let in whoever the provider vouches for: as a learner, until an administrator gives another role."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Join the provider's person to the account that an administrator made under the same name.

        Only to an account that nobody has ever signed in to: a name at the provider must not open an account that is
        somebody's already.
        """
        if sociallogin.is_existing:
            return
        person = Person.objects.filter(username=sociallogin.user.username, is_active=True).first()
        if person is not None and person.invited:
            person.one_time_links.all().delete()
            sociallogin.connect(request, person)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors lie encrypted in the database, by a key made from the site's secret key."""

    def encrypt(self, text: str) -> str:
        """Return what is kept."""
        return _cipher().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret."""
        return _cipher().decrypt(encrypted_text.encode("ascii")).decode()


def _cipher() -> Fernet:
    key = hashlib.sha256(b"second factors\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
