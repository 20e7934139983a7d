"""Pages of other archives: naming them, searching them, fetching from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.validators import URLValidator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hevesy.errors import HevesyError
from hevesy.web.site.access import CLINICAL, allow
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.record import record
from hevesy.web.site.store.arrivals import Wishes
from hevesy.web.site.store.found import FOUND, FoundStudy
from hevesy.web.site.store.models import Archive
from hevesy.web.site.store.peer_address import SCHEME, PeerAddress
from hevesy.web.site.store.sealing import seal
from hevesy.web.site.store.tasks import start_retrieval

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Archive]
else:
    _ModelForm = forms.ModelForm  # which takes no type when it runs


class ArchiveForm(_ModelForm):
    """An archive as an administrator names it; its password goes in and never comes out."""

    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        help_text=gettext_lazy(
            "What stands before /studies, such as https://pacs.example/dicom-web; without DICOMweb, dicom://TITLE@host:104"
        ),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"), required=False, widget=forms.PasswordInput, strip=False, max_length=500
    )

    class Meta:
        """The columns that a person sees."""

        model = Archive
        fields = ("name", "address", "username")

    def clean_address(self) -> str:
        """Refuse another protocol, and a password where it would be shown."""
        address = str(self.cleaned_data["address"])
        if address.startswith(SCHEME):
            try:
                PeerAddress.read(address)
            except HevesyError as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
            return address
        URLValidator(schemes=["http", "https"])(address)
        if not re.match(r"https?://", address) or "@" in address:
            raise forms.ValidationError(_("An http or https address, with the name and password in their own fields."))
        return address

    def save(self, commit: bool = True) -> Archive:
        """Seal the password."""
        self.instance.sealed = seal(self.cleaned_data["password"])
        return super().save(commit)


class SearchForm(forms.Form):
    """What to look for."""

    identifier = forms.CharField(label=gettext_lazy("Patient identifier"), required=False, max_length=64)
    name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=64)
    date = forms.CharField(
        label=gettext_lazy("Date"),
        required=False,
        max_length=17,
        help_text=gettext_lazy("20240305 or 20240301-20240331"),
    )
    modality = forms.CharField(label=gettext_lazy("Modality"), required=False, max_length=16)

    def filters(self) -> dict[str, str]:
        """Return the keywords to match, none where nothing was asked for."""
        given: dict[str, Any] = self.cleaned_data
        name = "*".join(["", *given["name"].split(), ""]) if given["name"] else ""
        return {
            "PatientID": given["identifier"],
            "PatientName": name,
            "StudyDate": given["date"],
            "ModalitiesInStudy": given["modality"].upper(),
        }


@allow(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """List the archives, and add one."""
    assert request.user.is_authenticated
    form = ArchiveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            made = form.save()
            record(request.user, "archive.added", made.name, address=made.address)
        return redirect("store:archive_settings")
    shown = {"archives": Archive.objects.all(), "form": form}
    return render(request, "store/archive_settings.html", shown, status=422 if form.errors else 200)


@allow(Role.ADMINISTRATOR)
@require_POST
def remove(request: HttpRequest, archive: int) -> HttpResponse:
    """Forget an archive; what was fetched from it stays."""
    assert request.user.is_authenticated
    found = get_object_or_404(Archive, pk=archive)
    with transaction.atomic():
        found.delete()
        record(request.user, "archive.removed", found.name)
    return redirect("store:archive_settings")


@allow(*CLINICAL)
@require_GET
def search(request: HttpRequest, archive: int) -> HttpResponse:
    """Search an archive for studies."""
    from hevesy.web.site.store.peers import client_of  # a server has seldom use for it

    assert request.user.is_authenticated
    found = get_object_or_404(Archive, pk=archive)
    form = SearchForm(request.GET or None)
    studies: list[FoundStudy] | None = None
    if form.is_bound and form.is_valid():
        try:
            studies = client_of(found).search(**form.filters())
            record(request.user, "archive.searched", found.name, found=len(studies))
        except HevesyError as refusal:
            messages.error(request, str(refusal), extra_tags="english")
    shown = {"archive": found, "form": form, "studies": studies, "most": FOUND}
    return render(request, "store/archive.html", {**shown, "always_nameless": settings.DEIDENTIFY_IMPORT})


@allow(*CLINICAL)
@require_POST
def fetch(request: HttpRequest, archive: int) -> HttpResponse:
    """Fetch a study."""
    assert request.user.is_authenticated
    found = get_object_or_404(Archive, pk=archive)
    try:
        wishes = Wishes(deidentify=bool(request.POST.get("deidentify")))
        arrival = start_retrieval(found, request.POST.get("study", ""), request.user, wishes)
    except HevesyError as refusal:
        messages.error(request, str(refusal), extra_tags="english")
        return redirect("store:archive", found.pk)
    return redirect("store:import", arrival.pk)
