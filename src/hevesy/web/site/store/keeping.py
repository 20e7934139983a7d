"""Which results must stay when room is made: those that somebody signed, and the newest of each administration."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from hevesy.web.site.jobs.housekeeping import keeper
from hevesy.web.site.store.models import Result, Signature


@keeper
def signed_and_newest(marks: frozenset[str]) -> set[str]:
    """Return the fingerprints of results that are signed, or that no later one of their administration follows."""
    later = Result.objects.filter(administration=OuterRef("administration"), made_at__gt=OuterRef("made_at"))
    signed = Signature.objects.filter(result=OuterRef("pk"))
    kept = Result.objects.filter(Q(Exists(signed)) | ~Q(Exists(later)))
    return set(kept.values_list("fingerprint", flat=True)) & marks
