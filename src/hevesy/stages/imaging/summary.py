"""What a folder holds, series by series, and what a dose still needs of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hevesy.core import Grid, Quantity, Timing
from hevesy.errors import HevesyError
from hevesy.stages.imaging import header
from hevesy.stages.imaging.folder import Folder
from hevesy.stages.imaging.multiframe import frame_headers
from hevesy.stages.imaging.nifti_in import read_sidecar
from hevesy.stages.imaging.pet import pet_timing, volumes_in_time
from hevesy.stages.imaging.problems import header_has_groups, quantity_of
from hevesy.stages.imaging.reconstruction import reconstruction_grid, reconstruction_timing
from hevesy.stages.imaging.series import Kind, Series
from hevesy.stages.imaging.volume import stack_slices

EMISSION_KINDS = (Kind.PET, Kind.SPECT, Kind.NIFTI)


@dataclass(frozen=True, slots=True)
class Summary:
    """One series in a few words and numbers; None where it has no such thing or does not say."""

    series: Series = field(repr=False)
    quantity: Quantity | None = None
    volumes: int | None = None
    grid: Grid | None = None
    pixels: str = ""
    timing: Timing | None = None
    nuclide: str | None = None
    administered_at: datetime | None = None
    administered_activity_Bq: float | None = None
    regions: tuple[str, ...] = ()
    drawn_on: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def summarise(series: Series) -> Summary:
    """Describe a series; structures are opened for their names, pixels of images stay unread."""
    problems = [str(p) for p in series.problems]
    facts: dict[str, Any] = {"pixels": _pixels(series)}
    for read in DESCRIBE.get(series.kind, ()):
        try:
            facts.update(read(series))
        except HevesyError as refusal:
            if str(refusal) not in problems:
                problems.append(str(refusal))
    if series.kind in EMISSION_KINDS and series.headers:
        injection = series.injected
        facts["nuclide"], facts["administered_at"] = injection.nuclide, injection.time
        facts["administered_activity_Bq"] = injection.activity_Bq
        facts["notes"] = tuple(dict.fromkeys((*facts.get("notes", ()), *injection.notes)))
    return Summary(series, problems=tuple(problems), **facts)


def missing_for_dose(folder: Folder, summaries: tuple[Summary, ...]) -> tuple[str, ...]:
    """Tell what a dose still needs, in the order in which a person would supply it."""
    missing: list[str] = [str(p) for p in folder.problems]
    try:
        _ = folder.patient
    except HevesyError as refusal:
        missing.append(str(refusal))
    emission = [s for s in summaries if s.series.kind in EMISSION_KINDS]
    usable = [s for s in emission if s.quantity is Quantity.ACTIVITY_CONCENTRATION and not s.problems]
    for summary in emission:
        name = summary.series.name
        missing.extend(p if name in p else f"{name}: {p}" for p in summary.problems)
    if not usable:
        missing.append("No volume in Bq/mL can be used as it is.")
    elif len(usable) == 1:
        missing.append(
            "One time point alone: no washout can be fitted; a second scan or a population half-life is needed."
        )
    if usable and not any(s.nuclide for s in usable):
        missing.append("No nuclide is named: give nuclide: in case.yaml.")
    if usable and not any(s.administered_activity_Bq for s in usable):
        missing.append("No administered activity is stated: give administration: activity_MBq: in case.yaml.")
    drawn = {uid for s in summaries for uid in s.drawn_on}
    bare = [s.series.name for s in usable if s.series.uid not in drawn and s.series.frame_of_reference not in drawn]
    if bare:
        missing.append(f"No regions are drawn on {', '.join(bare)}.")
    return tuple(dict.fromkeys(missing))


def _volume(series: Series) -> dict[str, Any]:
    if series.headers and header_has_groups(series.headers[0]):
        frames = frame_headers(series.headers[0], series.name)
        return {"grid": stack_slices(frames, series.name).grid, "volumes": 1}
    if header.frames(series.headers[0]) > 1:
        return {"grid": reconstruction_grid(series.headers[0], series.name)[0], "volumes": 1}
    members = volumes_in_time(series.headers)
    stack = stack_slices([series.headers[i] for i in members[0]], series.name)
    return {"grid": stack.grid, "volumes": len(members), "notes": stack.notes}


def _quantity(series: Series) -> dict[str, Any]:
    return {"quantity": quantity_of(series)}


def _timing(series: Series) -> dict[str, Any]:
    quantity = quantity_of(series)
    if series.modality == "PT":
        timing, notes = pet_timing(series.headers, quantity)
    else:
        timing, notes = reconstruction_timing(series.headers[0], quantity)
    return {"timing": timing, "notes": notes}


def _sidecar(series: Series) -> dict[str, Any]:
    sidecar = read_sidecar(series.files[0])
    return {"quantity": sidecar.quantity, "timing": sidecar.timing, "nuclide": sidecar.nuclide}


def _structures(series: Series) -> dict[str, Any]:
    structures = series.load()
    names = tuple(r.name for r in (*structures.outlines, *structures.regions))
    frame = (structures.frame_of_reference,) if structures.frame_of_reference else ()
    return {"regions": names, "drawn_on": (*structures.referenced_series_uids, *frame), "notes": structures.notes}


def _pixels(series: Series) -> str:
    if not series.headers or not header.whole(series.headers[0], "Rows"):
        return ""
    head = series.headers[0]
    frames = header.frames(head)
    count = frames if len(series.files) == 1 else len(series.files)
    spacing = header.vector(head, "PixelSpacing", 2)
    size = f"{header.whole(head, 'Columns')}×{header.whole(head, 'Rows')}" + (f"×{count}" if count > 1 else "")
    return size if spacing is None else f"{size} pixels of {spacing[1]:.4g}×{spacing[0]:.4g} mm"


DESCRIBE = {
    Kind.PET: (_volume, _quantity, _timing),
    Kind.SPECT: (_volume, _quantity, _timing),
    Kind.CT: (_volume,),
    Kind.MR: (_volume,),
    Kind.NIFTI: (_sidecar,),
    Kind.RTSTRUCT: (_structures,),
    Kind.SEG: (_structures,),
}
