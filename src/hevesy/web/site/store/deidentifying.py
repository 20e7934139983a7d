"""Objects made nameless as they come in, before anything of them is kept; what knows how to registers itself here."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from hevesy.errors import BadConfiguration, HevesyError, MissingInformation, UnreadableFile, UnsupportedObject
from hevesy.web.site.store.files import FileStore, Held
from hevesy.web.site.store.limits import Limits

#: says by what identifier the patient of a study goes who is here already, by the UID that the study goes by; or ""
PatientOf = Callable[[str], str]
#: writes a de-identified copy of an object: what, where to, with which secret key, and whose the studies that are here
#: are; the same gives the same bytes. Its refusals quote nothing of the object.
Deidentify = Callable[[Path, Path, bytes, PatientOf], None]

_KNOWN: list[Deidentify] = []


def deidentifier(function: Deidentify) -> Deidentify:
    """Register the function that de-identifies one object; the site itself knows nothing of images."""
    _KNOWN[:] = [function]
    return function


#: what is said of a file that was refused before it was de-identified, in place of a text that may quote it
_SAID: dict[type[HevesyError], str] = {
    UnreadableFile: "It is damaged or truncated, or an archive that cannot be unpacked.",
    MissingInformation: "It does not say what it is, or to what it belongs.",
    UnsupportedObject: "It is nothing that can be stored.",
}


def without_words(refusal: HevesyError) -> HevesyError:
    """Return a refusal of the same kind, without the name of a file or a value that its text may quote."""
    said = _SAID.get(type(refusal), f"It was refused ({type(refusal).__name__}).")
    return type(refusal)(said, "What it is called is not kept: find it among what was sent.")


@contextmanager
def quoting_nothing(wanted: bool) -> Iterator[None]:
    """Where it is wanted, let out refusals and faults without their texts: a job keeps them, with their traceback."""
    try:
        yield
    except Exception as fault:
        if not wanted:
            raise
        if isinstance(fault, HevesyError):
            raise without_words(fault) from None
        frames = traceback.extract_tb(fault.__traceback__)
        raise RuntimeError(f"{type(fault).__name__} at {frames[-1].filename}:{frames[-1].lineno}") from None


@contextmanager
def nameless(held: Held, store: FileStore, limits: Limits, patient_of: PatientOf) -> Iterator[Held | None]:
    """Hold a de-identified copy of a file, dropped at the end unless it was kept; None of a DICOMDIR.

    An object that leaves out whose it is follows the other objects of its study, which `patient_of` knows.

    Raises
    ------
    UnsupportedObject
        If it is no DICOM, or its pixels or its content may name the patient.
    BadInput
        If it is damaged, or cannot be de-identified for another reason, in words that hold none of its own.
    BadConfiguration
        If nothing on this site can de-identify.
    """
    # brings in pydicom, which a server has no use for
    from hevesy.web.site.store.dicom_object import looks_like_dicom, read_object

    if not _KNOWN:
        raise BadConfiguration("Nothing on this site de-identifies.", "Import as it is, or install the workbench.")
    if not looks_like_dicom(held.path):
        raise UnsupportedObject("It is no DICOM object, and nothing else is de-identified.")
    try:
        found = read_object(held.path, limits)  # a bomb is refused before it is read as a whole
    except HevesyError as refusal:
        raise without_words(refusal) from None
    if found is None:
        yield None
        return
    copy = store.scratch / f"nameless-{os.getpid()}-{os.urandom(8).hex()}"
    try:
        _KNOWN[0](held.path, copy, settings.HOME.pseudonym_key().encode("ascii"), patient_of)
        with store.hold(copy, linked=True) as made:
            copy.unlink()
            yield made
    finally:
        copy.unlink(missing_ok=True)
