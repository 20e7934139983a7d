"""A folder of patients made one that can be shared: de-identified, with dosimetry intact."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hevesy.errors import (
    BadInput,
    EmptyInput,
    HevesyError,
    MixedPatients,
    OutputFailed,
    QuantificationMoved,
    UnreadableFile,
    UnsupportedObject,
)
from hevesy.stages.imaging import header
from hevesy.stages.imaging.damage import read_whole, refusing_damage
from hevesy.stages.imaging.deidentification import deidentified, identity_of, reason_against, refusal
from hevesy.stages.imaging.derived import save
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.identity import SHORTEST_KEY, Identity, Pseudonyms, names_within, subject_of
from hevesy.stages.imaging.series import Series
from hevesy.stages.imaging.subjects import subjects
from hevesy.stages.imaging.unmoved import moved_fact, require_unmoved
from hevesy.stages.reporting.whole_file import write_text
from hevesy.workflows.case import FILE_NAME, load_case, write_settings
from hevesy.workflows.delivery import delivering
from hevesy.workflows.shared_case import Renaming, renamed_regions
from hevesy.workflows.shared_results import read_results, readme, write_results

KEY_BYTES = 32
#: what a copy with results is made of
CASE, RESULT, README = "case", "result", "README.txt"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known from elsewhere of the one patient of a folder, and what was computed of them.

    Parameters
    ----------
    subject : str
        What tells them from every other, whatever the objects say; empty where the objects are to tell.
    names : tuple of str
        What names them or the people around them, besides what the objects say.
    results : Path or None
        The folder that a dose computation left, to be copied too.
    """

    subject: str = ""
    names: tuple[str, ...] = ()
    results: Path | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """What was de-identified.

    Parameters
    ----------
    objects : mapping of str to int
        Pseudonym of each patient, and how many objects were written under it.
    left_out : tuple of str
        Why each series that was left out was.
    passed_over : int
        Files that are no images, such as notes; none was copied.
    results : tuple of str
        The files that hold what was computed.
    """

    objects: Mapping[str, int]
    left_out: tuple[str, ...]
    passed_over: int
    results: tuple[str, ...] = ()


def read_key(path: Path | None) -> Pseudonyms:
    """Return the pseudonyms of the key in a file, which is made if there is none; of a passing key without a file.

    Raises
    ------
    BadInput
        If the file is too short to be a key.
    OutputFailed
        If it cannot be read or made.
    """
    if path is None:
        return Pseudonyms(secrets.token_bytes(KEY_BYTES))
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as fault:
        raise OutputFailed(f"The key {path} cannot be read or made ({fault.strerror}).", "Check --key.") from fault
    if len(key) < SHORTEST_KEY:
        raise BadInput(f"{path} holds {len(key)} bytes, which is no key.", f"Give a file of {SHORTEST_KEY} or more.")
    return Pseudonyms(key)


def _make_key(path: Path) -> None:
    """Write a new key that its owner alone can read, whole or not at all, and over no other."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        with suppress(FileExistsError):  # two runs at once: the first one's key is the key
            path.hardlink_to(name)
    finally:
        Path(name).unlink()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A folder that can be de-identified: everything in it was, in memory, and nothing is written yet.

    Parameters
    ----------
    cases : tuple of Renaming
        What goes by another name, for each patient.
    settings : dict or None
        Those of the one case without names; None where there are none.
    left_out : tuple of str
        Why each series that is left out is.
    passed_over : int
        Files that are no images.
    """

    cases: tuple[Renaming, ...]
    settings: dict[str, Any] | None
    left_out: tuple[str, ...]
    passed_over: int

    def write(self, folder: Path, progress: Callable[[str], None]) -> None:
        """Write every object, and case.yaml."""
        for one in self.cases:
            _write(one, folder / one.patient, progress)
        if self.settings is not None:
            write_text(folder / FILE_NAME, write_settings(self.settings))

    def write_with(self, results: Path, folder: Path, progress: Callable[[str], None]) -> tuple[str, ...]:
        """Write the case, its results beside it, and what to know of both; return what was left out of the results."""
        self.write(folder / CASE, progress)
        progress("writing results")
        case = self.cases[0]
        copies = [(one, sorted(place.iterdir())) for one, place in _places(case, folder / CASE / case.patient)]
        lost = write_results(results, folder / RESULT, case, self.settings, copies)
        written = sorted(path.name for path in (folder / RESULT).iterdir())
        write_text(folder / README, readme(written, [*self.left_out_plainly(), *lost], self.settings is not None))
        return lost

    def left_out_plainly(self) -> tuple[str, ...]:
        """Say how many series were left out, in words that quote none of them."""
        count = len(self.left_out)
        return (f"{count} series that may name the patient, or that could not be read.",) if count else ()


def share(
    folder: Path,
    out: Path,
    pseudonyms: Pseudonyms,
    leave_out: bool = False,
    progress: Callable[[str], None] = lambda step: None,
    known: Known | None = None,
) -> Shared:
    """De-identify every object of a folder into a new one, which has a folder for each patient and series.

    A case.yaml in the folder is written with the dates, UIDs and names of its images as they are now, where they are
    of one patient: the new folder gives the same dose. Where results are given, the images go into ``case`` in the
    new folder, and the results into ``result``; both must be of one patient.

    Before anything is written, each series is de-identified in memory and what its numbers rest on is compared.

    Parameters
    ----------
    folder, out : Path
        What to read, and a folder that is new or empty.
    pseudonyms : Pseudonyms
        What stands for patients, dates and UIDs.
    leave_out : bool
        Leave out what cannot be de-identified, instead of refusing the folder.
    progress : callable, optional
        Told each step as it starts.
    known : Known, optional
        What is known of the one patient besides what the objects say.

    Raises
    ------
    UnsupportedObject
        If an object cannot be de-identified, such as a secondary capture, and `leave_out` is not given.
    QuantificationMoved
        If a SUV factor, a decay factor or a time between injection and scan would change.
    HevesyError
        If a file is damaged, names no patient, or cannot be written; nothing is left behind.
    """
    results = known.results if known else None
    if results is not None:
        read_results(results)  # before the images, which take longer
    prepared = prepare(folder, pseudonyms, leave_out, progress, known)
    if results is not None and len(prepared.cases) > 1:
        raise MixedPatients(
            f"{folder} holds images of {len(prepared.cases)} patients.", "Give results without others'."
        )
    lost: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    with delivering(out) as work:
        if results is None:
            prepared.write(work, progress)
        else:
            lost = prepared.write_with(results, work, progress)
            files = tuple(sorted(path.name for path in (work / RESULT).iterdir()))
    counts = {one.patient: sum(len(series.files) for series in one.series) for one in prepared.cases}
    return Shared(counts, (*prepared.left_out, *lost), prepared.passed_over, files)


def prepare(
    folder: Path,
    pseudonyms: Pseudonyms,
    leave_out: bool = False,
    progress: Callable[[str], None] = lambda step: None,
    known: Known | None = None,
) -> Prepared:
    """De-identify a folder in memory, and refuse it where `share` would; parameters and errors are those of `share`."""
    progress("reading headers")
    found = read_folder(folder)
    known = known or Known()
    patients, left_out = _sorted_out(found.series, known.subject)
    if left_out and not leave_out:
        more = f" (and {len(left_out) - 1} more series)" if len(left_out) > 1 else ""
        raise type(left_out[0])(left_out[0].refused.rstrip(".") + more + ".", left_out[0].remedy)
    if not patients:
        raise EmptyInput(f"{folder} holds nothing that can be de-identified.", left_out[0].refused)
    cases = []
    for subject, series in patients.items():
        heads = (head for one in found.series if len(patients) == 1 or one in series for head in one.headers)
        identity = Identity(identity_of(heads).texts | set(names_within(known.names, person=True)))
        pseudonym = pseudonyms.patient(subject)
        regions = _checked(series, pseudonyms, identity, pseudonym, progress)
        cases.append(Renaming(pseudonyms, pseudonym, identity, tuple(series), regions))
    settings = _settings(folder, cases, left_out if leave_out else None)
    passed_over = len(found.passed_over) - (settings is not None)
    return Prepared(tuple(cases), settings, tuple(why.refused for why in left_out), passed_over)


def _checked(
    series: Sequence[Series],
    pseudonyms: Pseudonyms,
    identity: Identity,
    pseudonym: str,
    progress: Callable[[str], None],
) -> dict[str, str]:
    """De-identify each series in memory and compare; return what its regions were called, and are called now."""
    regions: dict[str, str] = {}
    for number, one in enumerate(series, start=1):
        progress(f"checking series {number} of {len(series)} of {pseudonym}")
        after = [deidentified(head, pseudonyms, identity, pseudonym) for head in one.headers]
        require_unmoved(one.headers, after, f"series {number} ({one.modality})")
        regions.update(renamed_regions(one.headers, after))
    return regions


def _settings(folder: Path, cases: Sequence[Renaming], left_out: list[HevesyError] | None) -> dict[str, Any] | None:
    """Return the settings of the one case without names; None where they are left out, with the reason added."""
    if len(cases) != 1 or not (folder / FILE_NAME).is_file():
        return None
    try:
        return cases[0].settings(load_case(folder).settings)
    except BadInput as why:
        if left_out is None:
            raise
        left_out.append(why)
        return None


def share_object(
    source: Path, target: Path, pseudonyms: Pseudonyms, patient_of: Callable[[str], str] = lambda study: ""
) -> None:
    """De-identify one object by itself, so that the same object always gives the same bytes.

    What its numbers rest on is compared before it is written. No refusal quotes a word of the object.

    Parameters
    ----------
    source, target : Path
        A DICOM file, and one that is not there yet.
    pseudonyms : Pseudonyms
        What stands for the patient, dates and UIDs.
    patient_of : callable, optional
        Given what a study's UID is now, returns the pseudonym of its patient where it is known, or "". An object that
        leaves out the identifier or its issuer follows it, as does one that adds the issuer.

    Raises
    ------
    UnsupportedObject
        If its pixels or its content may name the patient.
    MissingInformation
        If it names no patient, and neither does its study.
    QuantificationMoved
        If a SUV factor, a decay factor or a time between injection and scan would change.
    IdentityRemains
        If a name or an identifier would be left in it.
    UnreadableFile
        If it is damaged.
    OutputFailed
        If it cannot be written.
    """
    original = read_whole(source)
    with refusing_damage("It"):
        why = reason_against(original)
        if why is not None:
            raise UnsupportedObject(f"It {why}; it is not de-identified.")
        made = deidentified(original, pseudonyms, pseudonym=_pseudonym(original, pseudonyms, patient_of))
        if moved := moved_fact([original], [made]):
            raise QuantificationMoved(f"De-identification would change {moved}.")
    try:
        save(made, target)
    except OSError as fault:
        raise OutputFailed(f"What was de-identified cannot be written ({fault.strerror}).", "Make room.") from None
    except Exception:  # a value that pydicom cannot encode; its message would quote it
        raise UnreadableFile("It holds a value that cannot be written.", "Export it again.") from None


def _pseudonym(head: Any, pseudonyms: Pseudonyms, patient_of: Callable[[str], str]) -> str:
    """Return the pseudonym of the patient of one object: that of its study, unless the object contradicts it."""
    identifier, issuer = header.text(head, "PatientID"), header.text(head, "IssuerOfPatientID")
    known = patient_of(pseudonyms.uid(header.text(head, "StudyInstanceUID")))
    if known and (not identifier or not issuer or known == pseudonyms.patient(identifier)):
        return known
    return pseudonyms.patient(subject_of(head))


def _sorted_out(series: Sequence[Series], subject: str) -> tuple[dict[str, list[Series]], list[HevesyError]]:
    """Return the series of each subject, and why each of the rest is left out."""
    patients: dict[str, list[Series]] = {}
    left_out: list[HevesyError] = []
    imaged = [one for one in series if one.headers]
    whose = [subject] * len(imaged) if subject else subjects([one.headers for one in imaged])
    for one, who in zip(imaged, whose, strict=True):
        why = who if isinstance(who, HevesyError) else next(filter(None, map(refusal, one.headers)), None)
        if why is not None:
            left_out.append(why)
        else:
            patients.setdefault(str(who), []).append(one)
    left_out += [
        UnsupportedObject(
            f"'{one.files[0].name}' is NIfTI, whose texts may name the patient; it is not de-identified.",
            "Leave it out with --leave-out.",
        )
        for one in series
        if not one.headers
    ]
    return patients, left_out


def _places(case: Renaming, folder: Path) -> list[tuple[Series, Path]]:
    """Return each series of a patient, and the folder that it goes into."""
    return [(one, folder / f"{number:03d}-{one.modality}") for number, one in enumerate(case.series, start=1)]


def _write(case: Renaming, folder: Path, progress: Callable[[str], None]) -> None:
    for number, (one, place) in enumerate(_places(case, folder), start=1):
        progress(f"writing series {number} of {len(case.series)} of {folder.name}")
        place.mkdir(parents=True)
        for count, file in enumerate(one.files, start=1):
            made: Any = deidentified(read_whole(file), case.pseudonyms, case.identity, case.patient)
            save(made, place / f"{count:05d}.dcm")
