"""One series of a folder: what it is, read from headers alone; its pixels are read when asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from hevesy.core import Image, Patient
from hevesy.errors import HevesyError, UnsupportedObject, WrongQuantity
from hevesy.stages.imaging import header
from hevesy.stages.imaging.administration import Injected, injected
from hevesy.stages.imaging.administration import patient as patient_of
from hevesy.stages.imaging.nifti_in import read_sidecar, says_what_it_holds
from hevesy.stages.imaging.supplied import NOTHING, Supplied


class Kind(Enum):
    """What a series holds."""

    PET = "PET"
    SPECT = "SPECT"
    PROJECTIONS = "SPECT projections"
    WHOLE_BODY = "whole body"
    STATIC = "static planar"
    DYNAMIC = "dynamic planar"
    GATED = "gated"
    CT = "CT"
    MR = "MR"
    RTSTRUCT = "structures"
    SEG = "segmentation"
    RTDOSE = "dose"
    PARAMETRIC_MAP = "parametric map"
    NIFTI = "NIfTI"
    OTHER = "other"


#: kinds whose values can be an activity in space
VOLUME_KINDS = (Kind.PET, Kind.SPECT, Kind.NIFTI)

SOP_CLASS = {
    "1.2.840.10008.5.1.4.1.1.2": Kind.CT,
    "1.2.840.10008.5.1.4.1.1.2.1": Kind.CT,
    "1.2.840.10008.5.1.4.1.1.2.2": Kind.CT,
    "1.2.840.10008.5.1.4.1.1.4": Kind.MR,
    "1.2.840.10008.5.1.4.1.1.4.1": Kind.MR,
    "1.2.840.10008.5.1.4.1.1.4.4": Kind.MR,
    "1.2.840.10008.5.1.4.1.1.30": Kind.PARAMETRIC_MAP,
    "1.2.840.10008.5.1.4.1.1.66.4": Kind.SEG,
    "1.2.840.10008.5.1.4.1.1.66.7": Kind.SEG,
    "1.2.840.10008.5.1.4.1.1.481.2": Kind.RTDOSE,
    "1.2.840.10008.5.1.4.1.1.481.3": Kind.RTSTRUCT,
    "1.2.840.10008.5.1.4.1.1.128": Kind.PET,
    "1.2.840.10008.5.1.4.1.1.130": Kind.PET,
}

GAMMA_CAMERA_CLASS = "1.2.840.10008.5.1.4.1.1.20"
#: Image Type value 3 of a gamma camera object (PS3.3 C.8.4.9.1.1.3), and whole-body in its two spellings
GAMMA_CAMERA = {
    "STATIC": Kind.STATIC,
    "DYNAMIC": Kind.DYNAMIC,
    "GATED": Kind.GATED,
    "WHOLE BODY": Kind.WHOLE_BODY,
    "TOMO": Kind.PROJECTIONS,
    "GATED TOMO": Kind.PROJECTIONS,
    "RECON TOMO": Kind.SPECT,
    "RECON GATED TOMO": Kind.SPECT,
}

#: a PET scanner has no collimator that projects; an object of PET class with one of these is a SPECT
SPECT_COLLIMATORS = {"PARA", "PINH", "FANB", "CONE", "SLNT", "ASTG", "DIVG"}


def kind_of(head: Any) -> Kind:
    """Tell what kind of thing a header describes."""
    kind = SOP_CLASS.get(header.text(head, "SOPClassUID"))
    if kind is Kind.PET:
        return Kind.SPECT if header.text(head, "CollimatorType").upper() in SPECT_COLLIMATORS else kind
    if kind is not None:
        return kind
    types = header.words(head, "ImageType")
    if "TRANSMISSION" in types[3:4]:
        return Kind.OTHER
    if header.text(head, "Modality") == "NM" and len(types) > 2:
        return GAMMA_CAMERA.get(types[2], Kind.OTHER)
    return Kind.OTHER


def digest(files: Iterable[Path]) -> str:
    """Return the SHA-256 of the sorted SHA-256 of files, so that names and order do not matter."""
    each = sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    return hashlib.sha256("".join(each).encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A series as its headers describe it.

    Parameters
    ----------
    kind : Kind
        What it holds.
    files : tuple of Path
        Its files.
    headers : tuple of Dataset
        Header of each file, without pixels, in the same order. Empty for NIfTI.
    problems : tuple of HevesyError
        The refusals that using the series would meet, as far as headers tell.
    """

    kind: Kind
    files: tuple[Path, ...]
    headers: tuple[Any, ...] = field(default=(), repr=False)
    problems: tuple[HevesyError, ...] = ()

    @property
    def uid(self) -> str:
        """Series Instance UID; the file's name for NIfTI."""
        return header.text(self.headers[0], "SeriesInstanceUID") if self.headers else self.files[0].name

    @property
    def modality(self) -> str:
        """Modality (0008,0060)."""
        return header.text(self.headers[0], "Modality") if self.headers else "NIfTI"

    @property
    def description(self) -> str:
        """Series Description (0008,103E), or the file's name where there is none."""
        return (header.text(self.headers[0], "SeriesDescription") if self.headers else "") or self.files[0].name

    @property
    def name(self) -> str:
        """How a refusal names the series."""
        return f"Series '{self.description}' ({self.modality})"

    @property
    def patient(self) -> Patient | None:
        """The patient; None for NIfTI."""
        return patient_of(self.headers[0]) if self.headers else None

    @property
    def frame_of_reference(self) -> str | None:
        """DICOM frame of reference UID."""
        return header.text(self.headers[0], "FrameOfReferenceUID") or None if self.headers else None

    @property
    def start(self) -> datetime | None:
        """Earliest acquisition that the headers state; that of the series or the content where there is none."""
        for day, time in (
            ("AcquisitionDate", "AcquisitionTime"),
            ("SeriesDate", "SeriesTime"),
            ("ContentDate", "ContentTime"),
        ):
            known = [s for s in (header.instant(h, day, time) for h in self.headers) if s is not None]
            if known:
                return min(known)
        return None

    @property
    def injected(self) -> Injected:
        """What the header, or the sidecar of NIfTI, says about the radiopharmaceutical."""
        if self.headers:
            return injected(self.headers[0], self.start)
        file = self.files[0]
        return Injected(nuclide=read_sidecar(file).nuclide) if says_what_it_holds(file) else Injected()

    @property
    def same_as(self) -> str | None:
        """UID of the DICOM series that holds the same image, where the sidecar of NIfTI names one."""
        return None if self.headers else read_sidecar(self.files[0]).same_as

    def image(self, supplied: Supplied = NOTHING) -> Image:
        """Read the one image of the series.

        Raises
        ------
        WrongQuantity
            If it holds no volume, or several.
        HevesyError
            What reading refuses; see the readers of this package.
        """
        images = self.images(supplied)
        if len(images) != 1:
            raise WrongQuantity(
                f"{self.name} holds {len(images)} volumes where one was expected.", "Choose one of them."
            )
        return images[0]

    def images(self, supplied: Supplied = NOTHING) -> tuple[Image, ...]:
        """Read the volumes of the series, in order of time or gate; most series hold one."""
        from hevesy.stages.imaging.readers import read_volumes

        return read_volumes(self, supplied)

    def load(self, supplied: Supplied = NOTHING) -> Any:
        """Read whatever the series holds: images, projections, planar views, structures or regions.

        Raises
        ------
        UnsupportedObject
            If nothing here reads its kind.
        """
        from hevesy.stages.imaging.readers import READERS

        if self.kind not in READERS:
            raise UnsupportedObject(
                f"{self.name} is a {_class_name(self.headers[0])}, which is not read.", "Leave it out."
            )
        return READERS[self.kind](self, supplied)


def _class_name(head: Any) -> str:
    return str(getattr(header.raw(head, "SOPClassUID"), "name", "") or "object of unknown class")
