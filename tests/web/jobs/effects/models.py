from django.db import models


class Effect(models.Model):
    """One line each time that a job's work took effect."""

    job = models.UUIDField()
    number = models.IntegerField()

    class Meta:
        app_label = "effects"
