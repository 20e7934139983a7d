"""The order in which patients and studies are looked through, in few queries however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from hevesy.web.site.store.models import Patient, Study  # noqa: F401


class PatientQuerySet(models.QuerySet["Patient"]):
    """Patients."""

    def worklist(self, search: str = "") -> Self:
        """Return patients, those with the newest study first.

        Parameters
        ----------
        search : str
            Part of the name or the beginning of the identifier; every word must be found.
        """
        found = self
        for word in search.replace(",", " ").split():  # a name is shown with a comma in it
            found = found.filter(Q(name__icontains=word) | Q(identifier__istartswith=word))
        return found.order_by("-latest_at", "id")


class StudyQuerySet(models.QuerySet["Study"]):
    """Studies."""

    def worklist(self, search: str = "", modality: str = "") -> Self:
        """Return studies with their patients, the newest first: one query a page.

        Parameters
        ----------
        search : str
            Part of the patient's name or of the description, or the beginning of the patient's identifier or
            the accession number; every word must be found.
        modality : str
            One that the study must hold, such as NM.
        """
        found = self.select_related("patient")
        for word in search.replace(",", " ").split():  # a name is shown with a comma in it
            found = found.filter(
                Q(patient__name__icontains=word)
                | Q(patient__identifier__istartswith=word)
                | Q(accession__istartswith=word)
                | Q(description__icontains=word)
            )
        if modality:
            found = found.filter(modalities__icontains=modality)
        return found.order_by("-listed_at", "id")
