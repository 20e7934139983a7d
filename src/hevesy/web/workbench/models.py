"""Regions that were drawn on the site."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from hevesy.web.site.store.models import Administration


class RegionSet(models.Model):
    """One version of the regions of an administration: a SEG object in the store, never changed, at most followed."""

    administration = models.ForeignKey(Administration, on_delete=models.PROTECT, related_name="region_sets")
    version = models.PositiveIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    #: what was changed against the version before
    change = models.CharField(max_length=200)
    #: SHA-256 of the SEG in the store, its UID, and the series that it is drawn on; empty where no region is left
    sha256 = models.CharField(max_length=64, blank=True)
    uid = models.CharField(max_length=64, blank=True)
    series_uid = models.CharField(max_length=64)
    #: name, role and volume (mL) of each region
    regions = models.JSONField(default=list)

    class Meta:
        """Newest first; two who edit at once cannot make the same version."""

        ordering = ("-version",)
        constraints = (models.UniqueConstraint(fields=("administration", "version"), name="one_row_a_version"),)
