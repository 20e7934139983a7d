"""Patients, their images, their treatment, and what was computed of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Patient(models.Model):
    """A person who was imaged, as DICOM names them."""

    identifier = models.CharField(max_length=64)
    issuer = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=200, blank=True)
    sex = models.CharField(max_length=16, blank=True)
    birth_date = models.DateField(null=True)

    class Meta:
        """One row a patient."""

        constraints = (models.UniqueConstraint(fields=("identifier", "issuer"), name="one_row_a_patient"),)


class Study(models.Model):
    """A DICOM study."""

    uid = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    description = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(null=True, db_index=True)
    imported_at = models.DateTimeField(auto_now_add=True)


class Series(models.Model):
    """A DICOM series."""

    uid = models.CharField(max_length=64, unique=True)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    modality = models.CharField(max_length=16)
    description = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(null=True)


class Instance(models.Model):
    """A DICOM object: its bytes lie in the store under their SHA-256."""

    uid = models.CharField(max_length=64, unique=True)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField()


class Course(models.Model):
    """A course of treatment: the administrations of one radiopharmaceutical to one patient."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="courses")
    name = models.CharField(max_length=200)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)


class Administration(models.Model):
    """One cycle of a course: what was given, when, and the studies that followed it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="administrations")
    cycle = models.PositiveSmallIntegerField()
    #: what the images do not say of this administration: the tree of its case.yaml
    settings = models.JSONField(default=dict)
    studies = models.ManyToManyField(Study, related_name="administrations")

    class Meta:
        """In order of cycles."""

        ordering = ("cycle",)
        constraints = (models.UniqueConstraint(fields=("course", "cycle"), name="one_row_a_cycle"),)


class Result(models.Model):
    """A folder that a job made for an administration; never changed, at most followed by another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    administration = models.ForeignKey(Administration, on_delete=models.PROTECT, related_name="results")
    fingerprint = models.CharField(max_length=64, db_index=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    summary = models.JSONField(default=dict)

    class Meta:
        """Newest last."""

        ordering = ("made_at",)


class Signature(models.Model):
    """A person's name under one version of a report; an amendment is a new version with a reason."""

    result = models.ForeignKey(Result, on_delete=models.PROTECT, related_name="signatures")
    version = models.PositiveSmallIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    #: SHA-256 of the report that was signed
    sha256 = models.CharField(max_length=64)
    reason = models.TextField(blank=True)

    class Meta:
        """A version is signed once."""

        constraints = (models.UniqueConstraint(fields=("result", "version"), name="a_version_is_signed_once"),)
