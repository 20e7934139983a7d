"""From the facts of objects to rows: one transaction a batch, the same whichever way the objects came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Sum
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
    """What became of a batch: entries that are rows now, entries that were meanwhile, and refusals by name."""

    new: tuple[Entry, ...]
    known: tuple[Entry, ...]
    refused: tuple[tuple[Entry, ContradictoryInformation], ...]


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
    patients: dict[tuple[str, str], Patient] = {}
    for entry in sorted(entries, key=lambda e: (e.facts.patient.identifier, e.facts.patient.issuer)):
        who = entry.facts.patient
        if (who.identifier, who.issuer) not in patients:
            patients[who.identifier, who.issuer] = _locked(who)
    taken = dict(Instance.objects.filter(uid__in=[e.facts.instance.uid for e in entries]).values_list("uid", "sha256"))
    folders = _Folders(patients)
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
    _add_up({row.series_id for row in rows})
    return Written(tuple(new), tuple(known), tuple(refused))


def _locked(who: PatientFacts) -> Patient:
    """Return the patient's row, made if need be, and hold it: one batch at a time adds to one patient."""
    Patient.objects.get_or_create(identifier=who.identifier, issuer=who.issuer, defaults=asdict(who))
    return Patient.objects.select_for_update().get(identifier=who.identifier, issuer=who.issuer)


@dataclass(slots=True)
class _Folders:
    """Rows of the patients, studies and series of one batch, each asked for once."""

    patients: dict[tuple[str, str], Patient]
    studies: dict[str, Study]
    all_series: dict[str, Series]

    def __init__(self, patients: dict[tuple[str, str], Patient]) -> None:
        self.patients, self.studies, self.all_series = patients, {}, {}

    def series(self, facts: ObjectFacts) -> Series:
        """Return the series of an object.

        Raises
        ------
        ContradictoryInformation
            If patient, study or series are known otherwise than the object says.
        """
        patient = self.patients[facts.patient.identifier, facts.patient.issuer]
        _agree_on_patient(patient, facts.patient)
        study, series = self.studies.get(facts.study.uid), self.all_series.get(facts.series.uid)
        if study is None:
            made = {**asdict(facts.study), "patient": patient, "listed_at": facts.study.at or timezone.now()}
            study, _ = Study.objects.get_or_create(uid=facts.study.uid, defaults=made)
            self.studies[study.uid] = study
        _agree("Study Instance UID", study.uid, study.patient_id == patient.pk, "another patient")
        if series is None:
            made = {**asdict(facts.series), "study": study}
            series, _ = Series.objects.get_or_create(uid=facts.series.uid, defaults=made)
            self.all_series[series.uid] = series
        _agree("Series Instance UID", series.uid, series.study_id == study.pk, "another study")
        return series


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


def _add_up(series_keys: Iterable[int]) -> None:
    """Keep the sums that the worklist shows."""
    keys = set(series_keys)
    summed = {
        row["series_id"]: row
        for row in Instance.objects.filter(series__in=keys)
        .values("series_id")
        .annotate(count=Count("pk"), bytes=Sum("size"))
    }
    touched = list(Series.objects.filter(pk__in=keys))
    for series in touched:
        series.instance_count, series.size = summed[series.pk]["count"], summed[series.pk]["bytes"]
    Series.objects.bulk_update(touched, ["instance_count", "size"])
    studies = list(Study.objects.filter(pk__in={s.study_id for s in touched}).prefetch_related("series"))
    for study in studies:
        _add_up_study(study)
    Study.objects.bulk_update(studies, ["modalities", "radiopharmaceutical", "series_count", "instance_count", "size"])
    summed_up = (
        Study.objects.filter(patient__in={s.patient_id for s in studies})
        .values("patient_id")
        .annotate(newest=Max("listed_at"), count=Count("pk"))
    )
    for row in summed_up:
        Patient.objects.filter(pk=row["patient_id"]).update(latest_at=row["newest"], study_count=row["count"])


def _add_up_study(study: Study) -> None:
    series = list(study.series.all())
    study.modalities = " ".join(sorted({s.modality for s in series if s.modality}))[:100]
    study.radiopharmaceutical = next((s.radiopharmaceutical for s in series if s.radiopharmaceutical), "")
    study.series_count = len(series)
    study.instance_count = sum(s.instance_count for s in series)
    study.size = sum(s.size for s in series)
