"""How imports begin, whichever way files come: who brought them, from where, and whether they are de-identified."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from hevesy.errors import ContradictoryInformation
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.store.models import Import
from hevesy.web.site.store.sealing import seal, unseal


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants of an import.

    Parameters
    ----------
    identifier : str
        Whom files belong to that name no patient.
    deidentify : bool
        De-identify before anything is kept; this site may do so in any case.

    Raises
    ------
    ContradictoryInformation
        If whoever is to be nameless is named.
    """

    identifier: str = ""
    deidentify: bool = False

    def __post_init__(self) -> None:
        if self.identifier and self.removes_names:
            raise ContradictoryInformation(
                "Files that name no patient are not de-identified, so that an identifier has nothing to stand for.",
                "Leave the identifier out, or import them without de-identification.",
            )

    @property
    def removes_names(self) -> bool:
        """Whether what comes is de-identified, by the wish or by the rule of the site."""
        return self.deidentify or settings.DEIDENTIFY_IMPORT


def arriving(
    origin: Import.Origin, person: Person | None, wishes: Wishes, source: str = "", private: str = ""
) -> Import:
    """Return the row of an import that begins, not saved yet.

    Parameters
    ----------
    origin : Import.Origin
        Which way files come.
    person : Person or None
        Who asked for it.
    wishes : Wishes
        What they want of it.
    source : str
        What may be shown of where files come from.
    private : str
        The folder or the study, which may name the patient; shown where names stay.
    """
    row = Import(origin=origin, person=person, identifier=wishes.identifier, deidentified=wishes.removes_names)
    if row.deidentified:
        row.source, row.sealed = source[:1000], seal(private)
    else:
        row.source = " · ".join(part for part in (source, private) if part)[:1000]
    return row


def private_source(arrival: Import) -> str:
    """Return the folder of an import, also where it is sealed."""
    return unseal(arrival.sealed) or arrival.source
