"""From the facts of objects to rows: one transaction a batch, the same whichever way the objects came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Max
from django.utils import timezone

from hevesy.errors import ContradictoryInformation
from hevesy.web.site.store.dicom_object import ObjectFacts, PatientFacts
from hevesy.web.site.store.models import Import, Instance, Patient, Series, Study

#: how often a batch is tried again that met another import of the same objects
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """An object whose bytes are in the store.

    Parameters
    ----------
    name : str
        The name that the file came with.
    facts : ObjectFacts
        What it says of itself.
    sha256 : str
        Its name in the store.
    size : int
        Its length, bytes.
    """

    name: str
    facts: ObjectFacts
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch: entries that are rows now, those that were meanwhile, refusals, keys of the patients."""

    new: tuple[Entry, ...]
    known: tuple[Entry, ...]
    refused: tuple[tuple[Entry, ContradictoryInformation], ...]
    patients: frozenset[int]


def write(entries: Sequence[Entry], arrival: Import) -> Written:
    """Make the rows of a batch of objects, all or none of them.

    Returns
    -------
    Written
        An object that contradicts what is stored, as of another birth date under one identifier, is refused.
    """
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _write(entries, arrival)
        except IntegrityError:  # another import brought one of them in the meantime
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _write(entries: Sequence[Entry], arrival: Import) -> Written:
    folders = _Folders()
    for who in sorted({(e.facts.patient.identifier, e.facts.patient.issuer) for e in entries}):
        folders.lock(*who)  # in one order, so that no two batches wait for each other
    taken = dict(Instance.objects.filter(uid__in=[e.facts.instance.uid for e in entries]).values_list("uid", "sha256"))
    rows: list[Instance] = []
    new, known, refused = [], [], []
    for entry in entries:
        facts = entry.facts.instance
        try:
            _agree("SOP Instance UID", facts.uid, taken.get(facts.uid, entry.sha256) == entry.sha256, "other bytes")
            series = folders.series(entry.facts)
        except ContradictoryInformation as refusal:
            refused.append((entry, refusal))
            continue
        if facts.uid in taken:
            known.append(entry)
            continue
        taken[facts.uid] = entry.sha256
        new.append(entry)
        rows.append(Instance(**asdict(facts), series=series, sha256=entry.sha256, size=entry.size, arrival=arrival))
    Instance.objects.bulk_create(rows, batch_size=500)
    _add_up(rows, folders.grown)
    return Written(tuple(new), tuple(known), tuple(refused), frozenset(p.pk for p in folders.patients.values()))


@dataclass(slots=True)
class _Folders:
    """Rows of the patients, studies and series of one batch, each asked for once."""

    patients: dict[tuple[str, str], Patient] = field(default_factory=dict)
    studies: dict[str, Study] = field(default_factory=dict)
    all_series: dict[str, Series] = field(default_factory=dict)
    #: keys of studies that got a new series
    grown: set[int] = field(default_factory=set)

    def lock(self, identifier: str, issuer: str) -> None:
        """Hold a patient, with a row or not yet: one batch at a time adds to one patient."""
        if connection.vendor == "postgresql":
            # a row that another batch is about to make cannot be held: its study, seen a moment later, would seem to
            # be of somebody else. On SQLite every transaction begins IMMEDIATE (see the settings), and waits before
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{identifier}\n{issuer}"])
        row = Patient.objects.select_for_update().filter(identifier=identifier, issuer=issuer).first()
        if row is not None:
            self.patients[identifier, issuer] = row

    def series(self, facts: ObjectFacts) -> Series:
        """Return the series of an object; it, its study and its patient are made where they are missing.

        Raises
        ------
        ContradictoryInformation
            If patient, study or series are known otherwise than the object says; then none is made.
        """
        patient = self.patients.get((facts.patient.identifier, facts.patient.issuer))
        if patient is not None:
            _agree_on_patient(patient, facts.patient)
        study = self.studies.get(facts.study.uid) or Study.objects.filter(uid=facts.study.uid).first()
        same = study is None or (patient is not None and study.patient_id == patient.pk)
        _agree("Study Instance UID", facts.study.uid, same, "another patient")
        series = self.all_series.get(facts.series.uid) or Series.objects.filter(uid=facts.series.uid).first()
        same = series is None or (study is not None and series.study_id == study.pk)
        _agree("Series Instance UID", facts.series.uid, same, "another study")
        study = study or self._new_study(facts, patient or self._new_patient(facts.patient))
        self.studies[study.uid] = study
        self.all_series[facts.series.uid] = series or self._new_series(facts, study)
        return self.all_series[facts.series.uid]

    def _new_patient(self, facts: PatientFacts) -> Patient:
        self.patients[facts.identifier, facts.issuer] = patient = Patient.objects.create(**asdict(facts))
        return patient

    def _new_study(self, facts: ObjectFacts, patient: Patient) -> Study:
        listed_at = facts.study.at or timezone.now()
        return Study.objects.create(**asdict(facts.study), patient=patient, listed_at=listed_at)

    def _new_series(self, facts: ObjectFacts, study: Study) -> Series:
        self.grown.add(study.pk)
        return Series.objects.create(**asdict(facts.series), study=study)


def _agree_on_patient(patient: Patient, facts: PatientFacts) -> None:
    for what, stored, given in (
        ("birth date", patient.birth_date, facts.birth_date),
        ("sex", patient.sex, facts.sex),
    ):
        if stored and given and stored != given:
            raise ContradictoryInformation(
                f"Patient {patient.identifier} is stored with another {what} ({stored}, not {given}).",
                "Two people may share this identifier: give one of them another, or an issuer.",
            )


def _agree(what: str, uid: str, agrees: bool, stored_with: str) -> None:
    if not agrees:
        raise ContradictoryInformation(
            f"{what} {uid} is stored with {stored_with}; what is stored stays.", "Export it under a UID of its own."
        )


def _add_up(rows: Sequence[Instance], grown: Collection[int]) -> None:
    """Keep the sums that the worklist shows; each row's cost is the same however many there are."""
    added: dict[Series, list[int]] = defaultdict(list)
    for row in rows:
        added[row.series].append(row.size)
    for series, sizes in added.items():
        more = {"instance_count": F("instance_count") + len(sizes), "size": F("size") + sum(sizes)}
        Series.objects.filter(pk=series.pk).update(**more)
        Study.objects.filter(pk=series.study_id).update(**more)
    for study in Study.objects.filter(pk__in=grown).prefetch_related("series"):
        _add_up_series(study)


def _add_up_series(study: Study) -> None:
    series = list(study.series.all())
    study.modalities = " ".join(sorted({s.modality for s in series if s.modality}))[:100]
    study.radiopharmaceutical = next((s.radiopharmaceutical for s in series if s.radiopharmaceutical), "")
    study.series_count = len(series)
    study.save(update_fields=["modalities", "radiopharmaceutical", "series_count"])
    listed = Study.objects.filter(patient=study.patient_id).aggregate(newest=Max("listed_at"), count=Count("pk"))
    Patient.objects.filter(pk=study.patient_id).update(latest_at=listed["newest"], study_count=listed["count"])
