"""Django's settings: sound as they are; what a hospital's server changes comes from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from hevesy.web.site.home import Home

HOME = Home.from_environment()
HOME.prepare()
SECRET_KEY = HOME.secret_key()
DEBUG = False

#: names under which the site may be asked for, joined by commas; loopback alone where it is not set
ALLOWED_HOSTS = os.environ.get("HEVESY_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if "HEVESY_HOSTS" in os.environ]
#: behind https, cookies never leave it; plain http is for loopback
_HTTPS = os.environ.get("HEVESY_HTTPS", "") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_AGE = 12 * 3600
#: a session that nobody uses ends after this long
SESSION_IDLE_S = 60 * float(os.environ.get("HEVESY_IDLE_MINUTES", "60"))
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.forms",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "hevesy.web.site.accounts",
    "hevesy.web.site.audit",
    "hevesy.web.site.jobs",
    "hevesy.web.site.store",
    "hevesy.web.workbench",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "hevesy.web.site.headers.ContentSecurityPolicy",
    "hevesy.web.site.static_files.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "hevesy.web.site.accounts.idle.EndIdleSessions",
    "hevesy.web.site.access.DenyUnlessAllowed",
]
ROOT_URLCONF = "hevesy.web.site.urls"
ASGI_APPLICATION = "hevesy.web.site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hevesy.web.site.navigation.page_context",
            ],
            "builtins": ["hevesy.web.site.english"],
        },
    }
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

_SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000; PRAGMA foreign_keys=ON"


#: s that a connection is kept from one request to the next (see `hevesy.web.site.asgi`)
_KEPT = 60


def database(url: str) -> dict[str, Any]:
    """Return Django's settings of a database.

    Parameters
    ----------
    url : str
        ``postgresql://user:password@host:port/name``; empty for the SQLite file in the site's folder.

    Raises
    ------
    ValueError
        If it names another kind of database.
    """
    if not url:
        options = {"init_command": _SQLITE_PRAGMAS, "transaction_mode": "IMMEDIATE", "timeout": 20}
        engine = "django.db.backends.sqlite3"
        return {"ENGINE": engine, "NAME": HOME.database, "OPTIONS": options, "CONN_MAX_AGE": _KEPT}
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"HEVESY_DATABASE starts with '{parts.scheme}'. Write postgresql://user:password@host/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        "CONN_MAX_AGE": _KEPT,
        "CONN_HEALTH_CHECKS": True,
    }


def openid_apps(url: str) -> list[dict[str, Any]]:
    """Return allauth's description of the OpenID Connect provider at an address, or of none.

    Raises
    ------
    ValueError
        If the provider is named, but not what it knows this site by.
    """
    if not url:
        return []
    missing = [name for name in ("HEVESY_OIDC_CLIENT_ID", "HEVESY_OIDC_CLIENT_SECRET") if not os.environ.get(name)]
    if missing:
        raise ValueError(f"HEVESY_OIDC_URL is set, but not {' and '.join(missing)}. The provider gave you both.")
    provider = {
        "provider_id": "hospital",
        "name": os.environ.get("HEVESY_OIDC_NAME", "OpenID Connect"),
        "client_id": os.environ["HEVESY_OIDC_CLIENT_ID"],
        "secret": os.environ["HEVESY_OIDC_CLIENT_SECRET"],
        "settings": {"server_url": url},
    }
    return [provider]


DATABASES = {"default": database(os.environ.get("HEVESY_DATABASE", ""))}
#: one memory for all processes: tries to sign in are counted in it
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
#: whether anybody may make an account for themselves, as a learner; an administrator makes accounts otherwise
SIGNUP_OPEN = os.environ.get("HEVESY_SIGNUP", "") == "1"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "hevesy.web.site.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_SESSION_REMEMBER = False  # a session ends with the browser
ACCOUNT_FORMS = {
    name: f"hevesy.web.site.accounts.forms.{form}"
    for name, form in (
        ("login", "LoginForm"),
        ("signup", "SignupForm"),
        ("change_password", "ChangePasswordForm"),
        ("reauthenticate", "ReauthenticateForm"),
    )
}
MFA_ADAPTER = "hevesy.web.site.accounts.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Hevesy"
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _HTTPS  # browsers themselves allow it at localhost alone
#: a hospital's own OpenID Connect provider: the address under which its .well-known/openid-configuration lies
OIDC_URL = os.environ.get("HEVESY_OIDC_URL", "")
SOCIALACCOUNT_ADAPTER = "hevesy.web.site.accounts.adapter.ProviderAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": openid_apps(OIDC_URL)}}

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True
LOCALE_PATHS = [Path(__file__).parent / "locale"]
_TRANSLATED = sorted(path.parts[-3] for path in LOCALE_PATHS[0].glob("*/LC_MESSAGES/django.mo"))
#: what the menu offers, where each is called by its own name: English, and what there is a translation to
LANGUAGES = [(code, code) for code in ("en", *_TRANSLATED)]

STATIC_URL = "static/"
STATICFILES_DIRS = [Path(__file__).parent / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024**2

#: a job that computes much goes to this Dask cluster, such as tcp://host:8786; to local processes where it is empty
DASK = os.environ.get("HEVESY_DASK", "")

#: GB that the site's folder may take; no limit but the disk's where it is not set
DISK_GB = float(os.environ["HEVESY_DISK_GB"]) if os.environ.get("HEVESY_DISK_GB") else None
#: days after which results that nobody needs may be removed; never where it is not set
RETENTION_DAYS = float(os.environ["HEVESY_RETENTION_DAYS"]) if os.environ.get("HEVESY_RETENTION_DAYS") else None
#: whether whatever comes in is de-identified before anything of it is kept, whichever way it comes
DEIDENTIFY_IMPORT = os.environ.get("HEVESY_DEIDENTIFY_IMPORT", "") == "1"
