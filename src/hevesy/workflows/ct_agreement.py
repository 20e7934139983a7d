"""Whether a CT lies where an emission image lies, for every door that uses the two together."""

from __future__ import annotations

import contextlib

from hevesy.core import Image
from hevesy.errors import HevesyError
from hevesy.stages.imaging.folder import Folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.registration.ct_offset import REACH_MM, Offset, ct_offset

#: what quiet breathing and laying down again explain, across the body (LPS x, y) and along it, mm: liver and kidneys
#: move by 10 to 25 mm along the body from breath to breath (AAPM Report 91, 2006), of which an image shows the mean
EXPLAINED_MM = (10.0, 10.0, 15.0)
#: a shift that makes the image likelier by less than this is none: three standard deviations
_LEAST_LIKELIHOOD = 4.5
_WAYS = (
    ("to the patient's right", "to the patient's left"),
    ("to the front", "to the back"),
    ("caudally", "cranially"),
)


def misplaced(label: str, emission: Image, anatomy: Image) -> str | None:
    """Say how far a CT lies from an emission image, where that is more than breathing explains.

    Parameters
    ----------
    label : str
        What the emission image is called.
    emission : Image
        Any emission image.
    anatomy : Image
        CT, HU, in the same patient coordinates.

    Returns
    -------
    str or None
        One sentence; None where the two agree, or too little is seen to tell.
    """
    found = ct_offset(emission, anatomy)
    away = displaced(found) if found is not None else ""
    return f"The CT lies {away} of where {label} shows the patient, more than breathing explains." if away else None


def displaced(found: Offset) -> str:
    """Return how far and whither a CT lies, along each axis on which it is more than breathing explains; or nothing."""
    if found.likelihood < _LEAST_LIKELIHOOD:
        return ""
    rows = zip(found.shift_mm, found.u_mm, EXPLAINED_MM, _WAYS, strict=True)
    parts = [_said(shift, u, ways) for shift, u, explained, ways in rows if abs(shift) > explained + u]
    return " and ".join(parts)


def _said(shift: float, u: float, ways: tuple[str, str]) -> str:
    way = ways[shift > 0]
    return f"{REACH_MM:.0f} mm or more {way}" if abs(shift) >= REACH_MM else f"{abs(shift):.0f} ± {u:.0f} mm {way}"


def misplaced_in(folder: Folder) -> dict[str, str]:
    """Return what `misplaced` says of each emission series of a folder, by its UID, against the CT in its frame.

    Series that cannot be read as they are, or hold several volumes, are passed over: what ails them is told elsewhere.
    """
    said = {}
    for series in folder.of_kind(Kind.PET, Kind.SPECT):
        there = [s for s in folder.of_kind(Kind.CT) if s.frame_of_reference == series.frame_of_reference]
        sound = [s for s in there if s.frame_of_reference and not s.problems]
        with contextlib.suppress(HevesyError):
            ct = max(sound, key=lambda s: len(s.files), default=None)
            if ct is not None and (line := misplaced(series.description, series.image(), ct.image())):
                said[series.uid] = line
    return said
