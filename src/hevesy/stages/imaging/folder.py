"""A folder of images, however nested and mixed: headers first, pixels when asked for."""

from __future__ import annotations

import os
import struct
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import pydicom

from hevesy.core import Patient
from hevesy.errors import EmptyInput, HevesyError, MixedPatients, UnreadableFile
from hevesy.stages.imaging import header
from hevesy.stages.imaging.nifti_in import sidecar_path
from hevesy.stages.imaging.problems import problems_of
from hevesy.stages.imaging.series import GAMMA_CAMERA_CLASS, Kind, Series, kind_of

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
NIFTI_SUFFIXES = (".nii", ".nii.gz")
#: how a header may start without preamble: group 0002 or 0008 in little endian
BARE_STARTS = (b"\x02\x00\x00\x00", b"\x08\x00\x00\x00", b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x08\x00\x16\x00")
PIXEL_DATA = b"\xe0\x7f\x10\x00"
WITHOUT_PIXELS = (Kind.RTSTRUCT, Kind.OTHER)
DICOMDIR_CLASS = "1.2.840.10008.1.3.10"


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """What a folder holds.

    Parameters
    ----------
    path : Path
        The folder.
    series : tuple of Series
        In order of time, then of description.
    passed_over : tuple of Path
        Files that are no images, such as notes and licences.
    problems : tuple of HevesyError
        Files that claim to be images and cannot be read.
    """

    path: Path
    series: tuple[Series, ...]
    passed_over: tuple[Path, ...] = field(default=(), repr=False)
    problems: tuple[HevesyError, ...] = ()

    @property
    def patient(self) -> Patient | None:
        """The one patient; None where no object names any.

        Raises
        ------
        MixedPatients
            If objects of two patients are mixed.
        """
        found = [p for p in (s.patient for s in self.series) if p is not None and p.identifier]
        names = sorted({p.identifier for p in found})
        if len(names) > 1:
            raise MixedPatients(
                f"{self.path} holds images of {len(names)} patients ({', '.join(names)}).", "Give a folder for each."
            )
        return max(found, key=_known_facts) if found else None

    def of_kind(self, *kinds: Kind) -> tuple[Series, ...]:
        """Return the series of the given kinds."""
        return tuple(s for s in self.series if s.kind in kinds)


def read_folder(
    path: str | Path, progress: Callable[[int, int], None] | None = None, *, tolerant: bool = False
) -> Folder:
    """Read the headers of every image in a folder and group them into series.

    Parameters
    ----------
    path : str or Path
        A folder, or one file.
    progress : callable, optional
        Called with (files read, files in all).
    tolerant : bool
        List damaged files under `problems` instead of refusing the folder.

    Raises
    ------
    EmptyInput
        If there is no such folder, or no image in it.
    UnreadableFile
        If a file that claims to be DICOM is not, or is truncated (unless `tolerant`).
    """
    root = Path(path)
    if not root.exists():
        raise EmptyInput(f"There is no folder {root}.", "Check the path.")
    files = [root] if root.is_file() else list(_walk(root))
    found: list[tuple[Path, Any]] = []
    others: list[Path] = []
    problems: list[HevesyError] = []
    for count, file in enumerate(files, 1):
        try:
            head = read_header(file)
        except UnreadableFile as refusal:
            if not tolerant:
                raise
            problems.append(refusal)
            continue
        finally:
            if progress is not None:
                progress(count, len(files))
        if head is None:
            others.append(file)
        else:
            found.append((file, head))
    series = _group(found)
    volumes = [f for f in others if f.name.lower().endswith(NIFTI_SUFFIXES)]
    nifti = tuple(_judged(Series(Kind.NIFTI, (f,))) for f in volumes)
    used = {*volumes, *map(sidecar_path, volumes)}
    passed_over = tuple(f for f in others if f not in used)
    if not (series or nifti or problems):
        raise EmptyInput(
            f"{root} holds no image ({len(files)} file{'' if len(files) == 1 else 's'} passed over).",
            "Give a folder with DICOM or NIfTI files.",
        )
    return Folder(root, (*series, *nifti), passed_over, tuple(problems))


def read_header(path: Path) -> Any | None:
    """Read the header of a DICOM object, without its pixels; None where the file claims to be none.

    Raises
    ------
    UnreadableFile
        If the file claims to be DICOM, by name or content, and is not, or ends too early.
    """
    claims = path.suffix.lower() in DICOM_SUFFIXES
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # badly written values are judged where they are used
            if not _looks_like_dicom(file.read(132)):
                if claims:
                    raise _misnamed(path)
                return None
            file.seek(0)
            head = pydicom.dcmread(file, stop_before_pixels=True, force=True)
            if not head.get("SOPClassUID"):
                if header.text(head.get("file_meta") or {}, "MediaStorageSOPClassUID") == DICOMDIR_CLASS:
                    return None
                if claims or len(head):
                    raise _misnamed(path)
                return None
            _require_whole(file, path, head)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be opened ({error.strerror or error}).") from error
    except UnreadableFile:
        raise
    except Exception as error:  # a damaged header makes pydicom raise many kinds
        raise UnreadableFile(f"{path} has a damaged header ({error}).", "Export it again.") from error
    return None if head.SOPClassUID == DICOMDIR_CLASS else head


def _walk(root: Path) -> Iterable[Path]:
    """Yield files, and links that lead nowhere, also through linked folders, but through none twice."""
    entered: set[str] = set()
    for folder, folders, files in os.walk(root, onerror=_refuse_folder, followlinks=True):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        real = os.path.realpath(folder)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        for path in (Path(folder) / f for f in sorted(files) if not f.startswith(".")):
            if path.is_file() or not path.exists():  # a pipe or a device would be waited for
                yield path


def _refuse_folder(fault: OSError) -> None:
    raise UnreadableFile(f"{fault.filename} cannot be opened ({fault.strerror}).") from fault


def _looks_like_dicom(start: bytes) -> bool:
    return start[128:132] == b"DICM" or start[:4] in BARE_STARTS


def _misnamed(path: Path) -> UnreadableFile:
    return UnreadableFile(f"{path} is named like DICOM and is not.", "Remove it, or export it again.")


def _require_whole(file: BinaryIO, path: Path, head: Any) -> None:
    """Refuse a file that ends before its pixels do. The file stands at the pixel data element, or at its end."""
    if "Rows" not in head and kind_of(head) in WITHOUT_PIXELS and head.SOPClassUID != GAMMA_CAMERA_CLASS:
        return
    size = path.stat().st_size
    start = file.read(12)
    if len(start) < 12 or start[:2] != PIXEL_DATA[:2]:
        raise UnreadableFile(f"{path} is truncated: it ends before its pixels.", "Copy it again.")
    explicit = not head.original_encoding[0]
    length = struct.unpack("<I", start[8:12] if explicit else start[4:8])[0]
    data_at = file.tell() if explicit else file.tell() - 4
    if length == 0xFFFFFFFF:
        file.seek(max(data_at, size - 64))
        if b"\xfe\xff\xdd\xe0" not in file.read():
            raise UnreadableFile(f"{path} is truncated: its compressed pixels have no end.", "Copy it again.")
    elif data_at + length > size:
        raise UnreadableFile(
            f"{path} is truncated: {data_at + length - size} of {length} bytes of pixels are missing.", "Copy it again."
        )


def _group(found: list[tuple[Path, Any]]) -> tuple[Series, ...]:
    groups: dict[tuple[str, ...], list[tuple[Path, Any]]] = defaultdict(list)
    for file, head in found:
        groups[_series_key(file, head)].append((file, head))
    made = [_series(members) for members in groups.values()]
    return tuple(sorted(made, key=lambda s: (str(s.start or ""), s.description, s.uid)))


def _series_key(file: Path, head: Any) -> tuple[str, ...]:
    """Tell the objects that belong together: of one series, class and kind; localizers apart.

    Objects of many frames, structures and doses stand alone: a series of them is a list, not a volume.
    """
    kind = kind_of(head)
    uid = header.text(head, "SeriesInstanceUID") or str(file.parent)
    alone = "" if header.frames(head) == 1 and kind in (Kind.PET, Kind.SPECT, Kind.CT, Kind.MR) else str(file)
    localizer = "LOCALIZER" if "LOCALIZER" in header.words(head, "ImageType") else ""
    return uid, header.text(head, "SOPClassUID"), header.text(head, "PatientID"), kind.name, localizer, alone


def _series(members: list[tuple[Path, Any]]) -> Series:
    files, headers = zip(*members, strict=True)
    return _judged(Series(kind_of(headers[0]), files, headers))


def _judged(series: Series) -> Series:
    return replace(series, problems=problems_of(series))


def _known_facts(patient: Patient) -> int:
    return sum(fact is not None for fact in (patient.sex, patient.birth_date, patient.mass_kg, patient.height_m))
