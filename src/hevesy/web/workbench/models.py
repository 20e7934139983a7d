"""Regions that were drawn on the site."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from hevesy.web.site.store.models import Administration


class RegionSet(models.Model):
    """One version of the regions of an administration, never changed, at most followed.

    Its masks lie in the store of files; one that did not change against the version before is the same file.
    """

    administration = models.ForeignKey(Administration, on_delete=models.PROTECT, related_name="region_sets")
    version = models.PositiveIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    #: what was changed against the version before
    change = models.CharField(max_length=200)
    #: each region as in the viewer's manifest, with the series that it is drawn on and the SHA-256 of its mask
    regions = models.JSONField(default=list)

    class Meta:
        """Newest first; two who edit at once cannot make the same version."""

        ordering = ("-version",)
        constraints = (models.UniqueConstraint(fields=("administration", "version"), name="one_row_a_version"),)
