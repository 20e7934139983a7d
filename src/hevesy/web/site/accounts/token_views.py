"""Pages of a person's own tokens."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from hevesy.errors import HevesyError
from hevesy.web.site.access import EVERYBODY, allow
from hevesy.web.site.accounts import tokens
from hevesy.web.site.accounts.forms import TokenForm
from hevesy.web.site.accounts.models import Person


@allow(*EVERYBODY)
def tokens_page(request: HttpRequest) -> HttpResponse:
    """List the person's tokens."""
    return render(request, "accounts/tokens.html", {"tokens": _person(request).tokens.all()})


@allow(*EVERYBODY)
@never_cache
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, once, to somebody who has just shown who they are."""
    person = _person(request)
    if not tokens.confirmed(request, person):
        return _show_who_you_are(person)
    form = TokenForm(person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = tokens.create(person, **form.cleaned_data)
        except HevesyError as refusal:
            form.add_error(None, str(refusal))
        else:
            shown = {"token": made, "name": form.cleaned_data["name"]}
            return render(request, "accounts/token.html", shown)
    return render(request, "accounts/new_token.html", {"form": form})


@allow(*EVERYBODY)
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the person's tokens."""
    person = _person(request)
    tokens.revoke(person, [get_object_or_404(person.tokens, pk=pk)])
    messages.success(request, _("The token is revoked."))
    return redirect("tokens")


def _show_who_you_are(person: Person) -> HttpResponse:
    """Send somebody to where they show their second factor, or else their password, and from there back."""
    kinds = set(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    if Authenticator.Type.TOTP in kinds:
        door = "mfa_reauthenticate"
    else:
        door = "mfa_reauthenticate_webauthn" if Authenticator.Type.WEBAUTHN in kinds else "account_reauthenticate"
    return redirect(f"{reverse(door)}?{urlencode({'next': reverse('new_token')})}")


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user
