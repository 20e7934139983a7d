"""Pages of accounts that are not allauth's: the first start, one-time links, and the people of the site."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import login
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from hevesy.errors import HevesyError
from hevesy.web.site.access import allow, public
from hevesy.web.site.accounts import links, people
from hevesy.web.site.accounts.forms import FirstStartForm, PersonForm, SetPasswordForm
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.record import record

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
_ON_A_PAGE = 50
#: what a button of a person's page does
ACTS = {
    "deactivate": people.deactivate,
    "reactivate": people.reactivate,
    "forget_factors": people.forget_factors,
    "revoke_tokens": people.revoke_tokens,
}


@public
@never_cache
@sensitive_post_parameters()
@transaction.atomic
def first_start(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first administrator, by the link that the server printed."""
    link = links.find(token)
    if link is None or link.person is not None or Person.objects.exists():
        return render(request, "accounts/link_gone.html", {"first": True}, status=404)
    form = FirstStartForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = people.create_first(
            form.cleaned_data["username"], form.cleaned_data["password1"], Role(form.cleaned_data["role"])
        )
        link.delete()
        login(request, person, backend=_BACKEND)
        messages.success(request, _("The site is yours. Now make accounts for the people who work with it."))
        return redirect("home")
    return render(request, "accounts/first_start.html", {"form": form})


@public
@never_cache
@sensitive_post_parameters()
@transaction.atomic
def set_password(request: HttpRequest, token: str) -> HttpResponse:
    """Set a password, by a link that an administrator gave."""
    link = links.find(token)
    if link is None or link.person is None or not link.person.is_active:
        return render(request, "accounts/link_gone.html", {"first": False}, status=404)
    form = SetPasswordForm(link.person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        link.delete()
        record(link.person, "password.set", link.person.username, address=request.META.get("REMOTE_ADDR", ""))
        messages.success(request, _("Your password is set. Sign in with it."))
        return redirect("account_login")
    return render(request, "accounts/set_password.html", {"form": form, "person": link.person})


@allow(Role.ADMINISTRATOR)
def people_page(request: HttpRequest) -> HttpResponse:
    """List the people of the site."""
    asked = request.GET.get("name", "").strip()
    found = Person.objects.annotate(second_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"))))
    if asked:
        found = found.filter(
            Q(username__icontains=asked) | Q(first_name__icontains=asked) | Q(last_name__icontains=asked)
        )
    if request.GET.get("role") in Role.values:
        found = found.filter(role=request.GET["role"])
    page = Paginator(found.order_by("username"), _ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "asked": asked, "role": request.GET.get("role", ""), "roles": Role.choices}
    return render(request, "accounts/people.html", context)


@allow(Role.ADMINISTRATOR)
def new_person(request: HttpRequest) -> HttpResponse:
    """Make an account, and show the link by which its owner sets a password."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        path = people.create(_asking(request), form.save(commit=False))
        return _show_link(request, form.instance, path)
    return render(request, "accounts/new_person.html", {"form": form})


@allow(Role.ADMINISTRATOR)
def person_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a person, and change what an administrator may."""
    person = get_object_or_404(Person, pk=pk)
    form = PersonForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        try:
            if form.changed_data:
                people.change(_asking(request), form.instance, form.changed_data)
        except HevesyError as refusal:
            form.add_error("role", str(refusal))
        else:
            messages.success(request, _("Kept."))
            return redirect("person", pk=pk)
    return render(request, "accounts/person.html", _of_person(person, form))


@allow(Role.ADMINISTRATOR)
@require_POST
def act_on_person(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Deactivate or reactivate a person, or forget their second factors."""
    person = get_object_or_404(Person, pk=pk)
    if act not in ACTS:
        raise Http404
    try:
        ACTS[act](_asking(request), person)
    except HevesyError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Done."))
    return redirect("person", pk=pk)


@allow(Role.ADMINISTRATOR)
@require_POST
def link_for_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a new link by which a person sets a password."""
    person = get_object_or_404(Person, pk=pk, is_active=True)
    return _show_link(request, person, people.new_link(_asking(request), person))


def _show_link(request: HttpRequest, person: Person, path: str) -> HttpResponse:
    response = render(request, "accounts/link.html", {"person": person, "link": request.build_absolute_uri(path)})
    response.headers["Cache-Control"] = "no-store"
    return response


def _of_person(person: Person, form: PersonForm) -> dict[str, Any]:
    kept = Person.objects.get(pk=person.pk)  # the form has written what was typed into its own
    return {
        "person": kept,
        "form": form,
        "factors": Authenticator.objects.filter(user=person).count(),
        "tokens": person.tokens.count(),
    }


def _asking(request: HttpRequest) -> Person:
    """Return who asks; the views that call this are open to administrators alone."""
    assert isinstance(request.user, Person)
    return request.user
