"""Importing: files into the store, their facts into rows; done again after a fall, it completes what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from hevesy.errors import (
    BadInput,
    ContradictoryInformation,
    HevesyError,
    MissingInformation,
    QuantificationMoved,
    UnsupportedObject,
)
from hevesy.web.site.audit.record import record
from hevesy.web.site.store.arrivals import Wishes, arriving
from hevesy.web.site.store.deidentifying import nameless, quoting_nothing, without_words
from hevesy.web.site.store.dicom_object import looks_like_dicom, read_object, same_content
from hevesy.web.site.store.files import FileStore, Held
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.models import Attachment, Import, Instance, Patient, Remark, Study
from hevesy.web.site.store.rows import Entry, write
from hevesy.web.site.store.sources import Candidate, Source

if TYPE_CHECKING:
    from hevesy.web.site.accounts.models import Person

Progress = Callable[[float | None, str], None]
#: objects whose rows are written in one transaction
BATCH = 200
#: files that are kept beside the images although they are no DICOM
ATTACHED = (".nii", ".nii.gz", ".json", ".yaml", ".yml", ".csv")
COUNTS = ("new", "duplicate", "refused", "ignored")
#: bytes beyond which two files are not read into memory to compare what they hold
COMPARED = 1024**3


@dataclass(slots=True)
class Report:
    """What came of an import.

    Parameters
    ----------
    new, duplicate, refused, ignored : int
        Files that are stored now, that were stored before, that were refused, and that hold no image by intent
        (DICOMDIR).
    refusals : list of (str, str)
        Name and reason of each refused file, in one line; at most as many as the limits keep.
    studies : set of str
        UIDs of the studies that its objects belong to, new or not.
    """

    new: int = 0
    duplicate: int = 0
    refused: int = 0
    ignored: int = 0
    refusals: list[tuple[str, str]] = field(default_factory=list)
    studies: set[str] = field(default_factory=set)


def import_path(
    path: Path,
    person: Person | None,
    progress: Progress = lambda fraction, step: None,
    *,
    arrival: Import | None = None,
    limits: Limits | None = None,
    store: FileStore | None = None,
) -> Report:
    """Import a folder, an archive or one file, whatever it holds and however it is nested.

    Parameters
    ----------
    path : Path
        What to import.
    person : Person or None
        Who asked for it.
    progress : callable
        Called with the fraction done, or None, and the step; what it raises stops the import, and what was imported by
        then stays.
    arrival : Import, optional
        The import that this belongs to; when it is done again, its counts begin anew. Made where it is not given.
    limits : Limits, optional
        What it may bring.
    store : FileStore, optional
        Where bytes go; that of the site where it is not given.

    Raises
    ------
    EmptyInput
        If there is nothing to import.
    BadInput
        If it holds more than is allowed.
    OutputFailed
        If the store cannot be written.
    """
    if arrival is None:
        arrival = arriving(Import.Origin.PATH, person, Wishes(), private=str(path))
        arrival.save()
    limits = limits or Limits()
    own = arrival.origin in (Import.Origin.UPLOAD, Import.Origin.RETRIEVAL)
    source = Source(path, store or FileStore.of_site(), limits, own=own)
    importer = Importer(arrival, source.store, limits)
    try:
        with quoting_nothing(arrival.deidentified):
            source.count()
            for candidate in source.candidates():
                importer.add(candidate)
                progress(source.files / source.expected, f"{source.files} of {source.expected} files")
    except BadInput as refusal:
        importer.refuse(path.name, refusal)
        raise
    finally:
        importer.finish()
    return importer.report


@dataclass(slots=True)
class Importer:
    """One import under way.

    Parameters
    ----------
    arrival : Import
        Its row.
    store : FileStore
        Where bytes go.
    limits : Limits
        What it may bring.
    """

    arrival: Import
    store: FileStore
    limits: Limits
    report: Report = field(default_factory=Report)
    _batch: list[Entry] = field(default_factory=list)
    _remarks: list[Remark] = field(default_factory=list)
    _loose: list[tuple[str, Held]] = field(default_factory=list)
    _patients: set[int] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)
    _number: int = 0

    def __post_init__(self) -> None:
        self.arrival.remarks.all().delete()  # an import that is done again tells of itself anew

    def add(self, candidate: Candidate) -> None:
        """Take one file in, or note why not."""
        self._number += 1
        try:
            if self.arrival.deidentified:
                self._take_nameless(candidate.content)
            elif isinstance(candidate.content, HevesyError):
                raise candidate.content
            else:
                self._take(candidate.name, candidate.content)
        except (BadInput, QuantificationMoved) as refusal:
            self.refuse(candidate.name, refusal)
        if len(self._batch) >= BATCH:
            self.flush()

    def refuse(self, name: str, refusal: HevesyError) -> None:
        """Note a file that is not taken, and why."""
        self.report.refused += 1
        if len(self.report.refusals) < self.limits.remarks:
            name = f"file {self._number}" if self.arrival.deidentified else printable(name)[-500:]
            line = printable(str(refusal))[:500]
            self.report.refusals.append((name, line))
            self._remarks.append(Remark(arrival=self.arrival, name=name, line=line))

    def flush(self) -> None:
        """Write the rows of what was taken since the last time."""
        batch, self._batch = self._batch, []
        with transaction.atomic():
            if batch:
                written = write(batch, self.arrival)
                self.report.new += len(written.new)
                self.report.duplicate += len(written.known)
                self._seen |= {entry.facts.instance.uid for entry in written.new}
                for entry, refusal in written.refused:
                    self.refuse(entry.name, refusal)
                self._patients |= written.patients
            self._save()

    def finish(self) -> None:
        """Write what is left, and that the import has ended."""
        self.flush()
        with transaction.atomic():
            self._attach()
            self.arrival.ended_at = timezone.now()
            self.arrival.sealed = ""
            self._save()
            counts = {count: getattr(self.report, count) for count in COUNTS}
            record(self.arrival.person, "import.ended", str(self.arrival.pk), origin=self.arrival.origin, **counts)

    def _take_nameless(self, content: Held | HevesyError) -> None:
        """Take one file in without a word of it that may name the patient; its own name is one."""
        if isinstance(content, HevesyError):
            raise without_words(content)
        with nameless(content, self.store, self.limits, self._patient_of) as made:
            if made is None:
                self.report.ignored += 1
            else:
                self._take(f"file {self._number}", made)

    def _patient_of(self, study: str) -> str:
        """Return the identifier of whoever has a study, here or in the batch that is not written yet; or ""."""
        waiting = (entry.facts.patient.identifier for entry in self._batch if entry.facts.study.uid == study)
        stored = Study.objects.filter(uid=study).values_list("patient__identifier", flat=True)
        return next(waiting, None) or stored.first() or ""

    def _take(self, name: str, held: Held) -> None:
        if not looks_like_dicom(held.path):
            self._take_loose(name, held)
            return
        facts = read_object(held.path, self.limits)
        if facts is None:
            self.report.ignored += 1
            return
        self.report.studies.add(facts.study.uid)
        if (
            known := Instance.objects.filter(uid=facts.instance.uid).select_related("series__study").first()
        ) is not None:
            self._know(known, held)
            return
        self.store.keep(held)
        self._batch.append(Entry(name, facts, held.sha256, held.size))

    def _know(self, known: Instance, held: Held) -> None:
        """Count an object that has a row: of an earlier import, or of this one before a fall."""
        if known.sha256 != held.sha256 and not (
            held.size < COMPARED and same_content(self.store.path_of(known.sha256), held.path)
        ):
            raise ContradictoryInformation(
                f"SOP Instance UID {known.uid} is stored with other content; what is stored stays.",
                "Export it under a UID of its own.",
            )
        first = known.arrival_id == self.arrival.pk and known.uid not in self._seen
        self._seen.add(known.uid)
        self._patients.add(known.series.study.patient_id)
        if first:
            self.report.new += 1
        else:
            self.report.duplicate += 1

    def _take_loose(self, name: str, held: Held) -> None:
        if PurePosixPath(name).name.upper() == "DICOMDIR":
            self.report.ignored += 1
        elif name.lower().endswith(ATTACHED):
            self.store.keep(held)
            self._loose.append((name, held))
        else:
            raise UnsupportedObject("It is no DICOM object, NIfTI, JSON, YAML or CSV.")

    def _attach(self) -> None:
        """Give the files that name no patient to the one patient that the others name, or that the person named."""
        patients = set(self._patients)
        if self.arrival.identifier and self._loose:
            patients = {Patient.objects.get_or_create(identifier=self.arrival.identifier, issuer="")[0].pk}
        for name, held in self._loose:
            if len(patients) != 1:
                whose = (
                    f"The images beside it are of {len(patients)} patients."
                    if patients
                    else "Nothing says whose it is."
                )
                self.refuse(name, MissingInformation(whose, "Import it with the images of one patient, or name one."))
                continue
            row, made = Attachment.objects.get_or_create(
                patient_id=next(iter(patients)),
                name=printable(name)[-500:],
                sha256=held.sha256,
                defaults={"size": held.size, "arrival": self.arrival},
            )
            if made or row.arrival_id == self.arrival.pk:
                self.report.new += 1
            else:
                self.report.duplicate += 1
        self._loose.clear()

    def _save(self) -> None:
        Remark.objects.bulk_create(self._remarks)
        self._remarks.clear()
        for count in COUNTS:
            setattr(self.arrival, count, getattr(self.report, count))
        self.arrival.save(update_fields=[*COUNTS, "ended_at", "sealed"])


def printable(name: str) -> str:
    """Replace what neither a database nor a line of a report can hold."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
