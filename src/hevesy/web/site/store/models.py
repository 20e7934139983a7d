"""Patients, their images, their treatment, and what was computed of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hevesy.web.site.store.worklist import PatientQuerySet, StudyQuerySet


class Import(models.Model):
    """One arrival of files: what was new, what was known, what was refused."""

    class Origin(models.TextChoices):
        """Where the files came from."""

        UPLOAD = "upload", _("Sent from a browser")
        PATH = "path", _("A folder of this machine")
        ASSOCIATION = "association", _("Sent by DICOM")
        RETRIEVAL = "retrieval", _("Fetched from an archive")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    origin = models.CharField(max_length=16, choices=Origin)
    #: the folder, the calling AE title, or the server and study; of the latter the server alone where it names nobody
    source = models.CharField(max_length=1000, blank=True)
    #: its objects are de-identified before anything of them is kept
    deidentified = models.BooleanField(default=False)
    #: the folder or the study of a de-identified import for its worker alone, gone at its end (`sealing`)
    sealed = models.TextField(blank=True)
    #: whom files belong to that name no patient, such as NIfTI; empty where the DICOM beside them says it
    identifier = models.CharField(max_length=64, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    job = models.ForeignKey("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    #: of a fetch by C-MOVE: its message ID, by which the listener tells what was asked for
    mark = models.PositiveIntegerField(null=True)
    #: what a browser has sent so far, bytes of files that are not whole yet counted
    sent_files = models.PositiveIntegerField(default=0)
    sent_bytes = models.PositiveBigIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    ignored = models.PositiveIntegerField(default=0)

    class Meta:
        """Newest first."""

        ordering = ("-started_at",)


class Remark(models.Model):
    """One line of the report of an import: a file that was refused, or something to look at."""

    arrival = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="remarks")
    #: the name that the file came with; anything may stand in it
    name = models.CharField(max_length=500)
    line = models.CharField(max_length=500)
    refused = models.BooleanField(default=True)

    class Meta:
        """As they came."""

        ordering = ("id",)


class Patient(models.Model):
    """A person who was imaged, as DICOM names them."""

    identifier = models.CharField(max_length=64)
    issuer = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=200, blank=True)
    sex = models.CharField(max_length=16, blank=True)
    birth_date = models.DateField(null=True)
    #: when the newest study is listed, and the number of studies: kept by the import, for the worklist
    latest_at = models.DateTimeField(default=timezone.now)
    study_count = models.PositiveIntegerField(default=0)

    objects = PatientQuerySet.as_manager()

    class Meta:
        """One row a patient."""

        constraints = (models.UniqueConstraint(fields=("identifier", "issuer"), name="one_row_a_patient"),)
        indexes = (models.Index(fields=("-latest_at", "id"), name="worklist_of_patients"),)


class Study(models.Model):
    """A DICOM study; what its series and instances add up to is kept by the import."""

    uid = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    description = models.CharField(max_length=200, blank=True)
    accession = models.CharField(max_length=64, blank=True)
    #: wall clock of the scanner, kept as if it were UTC: DICOM seldom says its time zone, and nothing is computed of it
    at = models.DateTimeField(null=True, db_index=True)
    #: the same, or where it is not known the time of the import: what the worklist is ordered by
    listed_at = models.DateTimeField(default=timezone.now)
    imported_at = models.DateTimeField(auto_now_add=True)
    #: such as "CT NM"
    modalities = models.CharField(max_length=100, blank=True)
    #: such as "Lu-177 DOTATATE", where an object says it
    radiopharmaceutical = models.CharField(max_length=200, blank=True)
    series_count = models.PositiveIntegerField(default=0)
    instance_count = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)

    objects = StudyQuerySet.as_manager()

    class Meta:
        """The order of the worklist is an index."""

        indexes = (models.Index(fields=("-listed_at", "id"), name="worklist_of_studies"),)


class Series(models.Model):
    """A DICOM series."""

    uid = models.CharField(max_length=64, unique=True)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    modality = models.CharField(max_length=16)
    number = models.IntegerField(null=True)
    description = models.CharField(max_length=200, blank=True)
    body_part = models.CharField(max_length=64, blank=True)
    radiopharmaceutical = models.CharField(max_length=200, blank=True)
    sop_class = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(null=True)
    instance_count = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)


class Instance(models.Model):
    """A DICOM object: its bytes lie in the store under their SHA-256."""

    uid = models.CharField(max_length=64, unique=True)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    sop_class = models.CharField(max_length=64, blank=True)
    transfer_syntax = models.CharField(max_length=64, blank=True)
    number = models.IntegerField(null=True)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField()
    arrival = models.ForeignKey(Import, null=True, on_delete=models.SET_NULL, related_name="instances")


class Attachment(models.Model):
    """A file of a patient that is no DICOM: NIfTI with its sidecar, a case.yaml, a table."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="attachments")
    #: its path below the folder that it came with, parts joined by slashes
    name = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField()
    arrival = models.ForeignKey(Import, null=True, on_delete=models.SET_NULL, related_name="attachments")

    class Meta:
        """The same bytes under the same name are one attachment."""

        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("patient", "name", "sha256"), name="an_attachment_is_kept_once"),
        )


class Archive(models.Model):
    """A DICOMweb server or a classic archive that images are fetched from and results are sent to."""

    name = models.CharField(max_length=100, unique=True)
    #: what stands before ``/studies``, or ``dicom://TITLE@host:port``
    address = models.CharField(max_length=500)
    username = models.CharField(max_length=150, blank=True)
    #: its password, sealed with the site's key; see `hevesy.web.site.store.sealing`
    sealed = models.TextField(blank=True)

    class Meta:
        """By name."""

        ordering = ("name",)


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
