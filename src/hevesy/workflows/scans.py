"""From a folder and its case.yaml to scans: activity that was present, and what was drawn on each."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from hevesy.core import Administration, Image, Measured, Nuclide, Outline, Patient, Quantity, Region, seconds_between
from hevesy.data.nuclides import HalfLife, read_half_lives
from hevesy.data.nuclides import nuclide as find_nuclide
from hevesy.errors import (
    BadConfiguration,
    ContradictoryInformation,
    DuplicateSlices,
    EmptyInput,
    ImpossibleTiming,
    IncompleteSeries,
    MissingInformation,
    UnknownName,
    WrongQuantity,
)
from hevesy.stages.imaging.administration import Injected
from hevesy.stages.imaging.folder import Folder
from hevesy.stages.imaging.series import Kind, Series
from hevesy.stages.imaging.structures import Structures
from hevesy.stages.imaging.supplied import Supplied
from hevesy.stages.quantification.presence import calibrated, present_activity, scaled
from hevesy.workflows.case import Case, parse_instant
from hevesy.workflows.organ_request import Asked

#: what `scans: structures:` says of a scan on which nothing that is drawn shall be used
NOTHING_DRAWN = "none"
#: injections of one administration that two headers place further apart than this contradict each other
_SAME_INJECTION_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One time point.

    Parameters
    ----------
    label : str
        Its name in the report.
    series : Series
        Where it came from.
    activity : Image
        Mean activity concentration present during the acquisition, Bq/mL, on the scan's own grid.
    mid_s : float
        Middle of the acquisition after administration, s.
    asked : str or None
        The structures that case.yaml names for it.
    drawn : mapping of str to Outline or Region
        What was drawn on it, by name.
    structures : Structures or None
        The object that it was drawn in.
    calibration_u : float
        Relative standard uncertainty of the calibration that is this scan's own.
    stored_Bq_mL : float
        Bq/mL of one unit of the values as they are read: 1 where they are an activity.
    refers_to : datetime or None
        The instant that the image's values are decay-corrected to; None where they are not corrected.
    ct : Series or None
        The CT in its frame of reference.
    """

    label: str
    series: Series
    activity: Image = field(repr=False)
    mid_s: float
    asked: str | None = None
    drawn: Mapping[str, Outline | Region] = field(default_factory=dict, repr=False)
    structures: Structures | None = field(default=None, repr=False)
    calibration_u: float = 0.0
    stored_Bq_mL: float = 1.0
    refers_to: datetime | None = None
    ct: Series | None = field(default=None, repr=False)

    @property
    def found(self) -> frozenset[str]:
        """Names of what was found automatically on it."""
        return frozenset(name for name, one in self.drawn.items() if isinstance(one, Region) and one.found_by)

    @property
    def duration_s(self) -> float:
        """Length of the acquisition, s."""
        return self.activity.timing.duration_s if self.activity.timing else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """All that is known of one administration before anything is computed.

    `anatomy` is a CT in HU, or None; `notes` are what a reader must know of how tags were read.
    """

    patient: Patient
    nuclide: Nuclide
    administration: Administration
    scans: tuple[Scan, ...]
    anatomy: Image | None
    anatomy_series: Series | None
    notes: tuple[str, ...]


def gather(folder: Folder, case: Case, progress: Callable[[str], None] = lambda step: None) -> Course:
    """Read the scans of a case.

    Parameters
    ----------
    folder : Folder
        What the case's folder holds.
    case : Case
        What the images do not say.
    progress : callable, optional
        Told what is being read.

    Raises
    ------
    HevesyError
        If the patient, the nuclide, the administration, a scan or its quantity is missing, mixed or contradictory.
    """
    patient = _patient(folder, case)
    series = emission_series(folder, case)
    administration = _administration(series, case)
    nuclide = find_nuclide(administration.nuclide, _half_lives(case))
    administration = replace(administration, nuclide=nuclide.name)
    scans = []
    for number, (one, entry) in enumerate(series, start=1):
        label = str(entry.get("label") or one.description or f"Scan {number}")
        progress(f"reading {label}")
        scans.append(read_scan(one, entry, label, case, nuclide, administration))
    scans.sort(key=lambda scan: scan.mid_s)
    scans = [replace(scan, ct=_sound_ct(folder, scan)) for scan in scans]
    _refuse_one_acquisition_twice(scans)
    notes = dict.fromkeys(f"{scan.label}: {note}" for scan in scans for note in scan.activity.provenance.notes)
    drawn, drawn_notes = _with_structures(folder, case, scans)
    anatomy = _anatomy_series(folder, (drawn[reference_scan(drawn, case)], *drawn) if drawn else ())
    image = anatomy.image() if anatomy else None
    return Course(
        patient,
        nuclide,
        administration,
        drawn,
        image,
        anatomy,
        (*notes, *_unused_anatomy(folder, anatomy), *drawn_notes),
    )


def _refuse_one_acquisition_twice(scans: Sequence[Scan]) -> None:
    """Refuse two reconstructions of one acquisition, such as with and without attenuation correction."""
    for one, other in itertools.pairwise(scans):
        if other.mid_s - one.mid_s < max(1.0, (one.duration_s + other.duration_s) / 4):
            raise ContradictoryInformation(
                f"'{one.label}' and '{other.label}' were acquired at the same time ({one.mid_s / 3600:.2f} h after"
                " administration).",
                "Name the series to use under scans: in case.yaml.",
            )


def _patient(folder: Folder, case: Case) -> Patient:
    found = folder.patient or Patient("unknown")
    mass, height = case.get("patient.mass_kg"), case.get("patient.height_m")
    return replace(found, mass_kg=mass or found.mass_kg, height_m=height or found.height_m)


def _half_lives(case: Case) -> Mapping[str, HalfLife] | None:
    named = case.get("half_lives")
    if named is None:
        return None
    base = case.source.parent if case.source else Path()
    return read_half_lives(base / str(named))


def emission_series(folder: Folder, case: Case) -> list[tuple[Series, Mapping[str, Any]]]:
    """Return the series to take activity from, each with what case.yaml says of it.

    Raises
    ------
    EmptyInput
        If there is none.
    UnknownName
        If case.yaml names one that there is not, or that there is twice.
    """
    candidates = folder.of_kind(Kind.PET, Kind.SPECT, Kind.NIFTI)
    entries: Sequence[Mapping[str, Any]] = case.get("scans", [])
    if entries:
        return [(_named(candidates, str(entry["series"])), entry) for entry in entries]
    if not candidates:
        held = ", ".join(sorted({s.kind.value for s in folder.series})) or "nothing"
        raise EmptyInput(
            f"{folder.path} holds no reconstructed SPECT or PET to take a dose from (it holds: {held}).",
            "Run 'hevesy inspect' on it to see what is there.",
        )
    alone = len(candidates) == 1
    there = {one.uid for one in candidates if one.kind is not Kind.NIFTI}
    return [
        (one, {})
        for one in candidates
        if one.kind is not Kind.NIFTI or alone or (_is_activity(one) and one.same_as not in there)
    ]


def _is_activity(series: Series) -> bool:
    """Whether a NIfTI file without an entry in case.yaml says by its sidecar that it is an emission image."""
    image: Image = series.image()
    return image.quantity in (Quantity.ACTIVITY_CONCENTRATION, Quantity.COUNTS)


def _named(candidates: Sequence[Series], wanted: str) -> Series:
    found = [s for s in candidates if _is_called(s, wanted)]
    if len(found) == 1:
        return found[0]
    there = "; ".join(f"'{s.description}'" for s in candidates) or "none"
    fault = "No emission series is" if not found else f"{len(found)} emission series are"
    raise UnknownName(f"{fault} called '{wanted}' (case.yaml, scans).", f"There are: {there}.")


def _administration(series: Sequence[tuple[Series, Mapping[str, Any]]], case: Case) -> Administration:
    """Join what every header and case.yaml say of the one administration."""
    found = [one.injected for one, _ in series]
    name, time = nuclide_name(found, case), administered_at(found, case)
    drug = case.get("administration.radiopharmaceutical") or next((i.radiopharmaceutical for i in found), "")
    return Administration(name, time, administered_activity(found, case), str(drug))


def nuclide_name(found: Sequence[Injected], case: Case) -> str:
    """Return the radionuclide that case.yaml or the headers name.

    Raises
    ------
    MissingInformation, ContradictoryInformation
        If none is named, or two are.
    """
    name = case.get("nuclide") or _agreed([i.nuclide for i in found], "the radionuclide", "nuclide:")
    if name is None:
        missing = next((i.missing for i in found if i.missing is not None), None)
        raise missing or MissingInformation("No image names the radionuclide.", "Give nuclide: in case.yaml.")
    return str(name)


def administered_at(found: Sequence[Injected], case: Case) -> datetime:
    """Return the instant of administration that case.yaml or the headers give.

    Raises
    ------
    MissingInformation, ContradictoryInformation
        If there is none, or headers belong to different administrations.
    """
    return case.instant("administration.time") or _agreed_time(found)


def administered_activity(found: Sequence[Injected], case: Case) -> Measured | None:
    """Return the administered activity that case.yaml or the headers give, Bq; None where none is given.

    Raises
    ------
    ContradictoryInformation
        If headers give two.
    """
    given = case.get("administration.activity_MBq")
    stated = [i.activity_Bq for i in found]
    value = given * 1e6 if given else _agreed(stated, "the activity", "administration: activity_MBq:")
    if not value:
        return None
    return Measured(value, value * case.number("administration.u_percent") / 100, "Bq", "administered activity")


def _agreed(stated: Sequence[Any], what: str, key: str) -> Any:
    known = list(dict.fromkeys(value for value in stated if value is not None))
    if len(known) > 1:
        listed = " and ".join(str(value) for value in known)
        raise ContradictoryInformation(
            f"The scans contradict each other on {what}: {listed}.", f"Give {key} in case.yaml."
        )
    return known[0] if known else None


def _agreed_time(found: Sequence[Injected]) -> datetime:
    times: list[datetime] = [i.time for i in found if i.time is not None]
    if not times:
        missing = next((i.missing for i in found if i.missing is not None), None)
        raise missing or MissingInformation(
            "The time of administration is not known.", "Give administration: time: in case.yaml."
        )
    first = times[0]
    times.sort(key=lambda time: (seconds_between(first, time), str(time)))
    if seconds_between(times[0], times[-1]) > _SAME_INJECTION_S:
        raise ContradictoryInformation(
            f"The scans belong to different administrations ({times[0]} and {times[-1]}).",
            "Give the scans of one cycle, or administration: time: in case.yaml.",
        )
    return times[0]


def read_scan(
    series: Series, entry: Mapping[str, Any], label: str, case: Case, nuclide: Nuclide, administration: Administration
) -> Scan:
    """Return a series as a scan: the activity that was present in it, and when.

    Raises
    ------
    MissingInformation, ImpossibleTiming
        If its time is not known, or lies before the administration.
    WrongQuantity
        If its values cannot be made Bq/mL.
    """
    supplied = Supplied(
        start=parse_instant(entry["start"], "scans.start") if "start" in entry else None,
        duration_s=entry.get("duration_s"),
        decay_corrected_to=entry.get("decay_corrected_to"),
        units=entry.get("units"),
        administered_at=administration.time,
        half_life_s=nuclide.half_life.value,
    )
    read = series.image(supplied)
    image = _activity(read, case, series, entry)
    timing = image.timing
    if timing is None:
        raise MissingInformation(f"{series.name} has no acquisition time.", "Give scans: start: in case.yaml.")
    since = seconds_between(administration.time, timing.start)
    if since < 0:
        raise ImpossibleTiming(
            f"{series.name} was acquired {-since / 3600:.2f} h before the administration at {administration.time}.",
            "Check administration: time: in case.yaml, and the scanner's clock.",
        )
    present = present_activity(image, nuclide.decay_constant.value)
    own = float(entry.get("calibration", {}).get("u_percent", 0.0)) / 100
    per_unit, instant = _per_unit(image, read), timing.decay_corrected_to
    middle_s, asked = since + timing.duration_s / 2, entry.get("structures")
    return Scan(label, series, present, middle_s, asked, calibration_u=own, stored_Bq_mL=per_unit, refers_to=instant)


def _per_unit(image: Image, read: Image) -> float:
    """Return what a unit of the values read is in those of the image, to which they are proportional."""
    highest = np.unravel_index(int(np.argmax(read.values)), read.values.shape)
    return float(image.values[highest]) / float(read.values[highest]) if read.values[highest] > 0 else 1.0


def _activity(image: Image, case: Case, series: Series, entry: Mapping[str, Any]) -> Image:
    given = entry.get("calibration", {})
    named = [key for key in ("counts_per_s_per_MBq", "Bq_mL_per_unit") if key in given]
    if image.quantity is Quantity.ACTIVITY_CONCENTRATION:
        if named:
            raise ContradictoryInformation(
                f"{series.name} is in Bq/mL already, and case.yaml gives scans: calibration: {named[0]}:.",
                "Leave it out, or give units: CNTS if its tags are wrong.",
            )
        return image
    factors = given if named else case.get("calibration", {})
    counts, scale = factors.get("counts_per_s_per_MBq"), factors.get("Bq_mL_per_unit")
    if image.quantity is Quantity.COUNTS and counts is not None:
        return calibrated(image, Measured(counts * 1e-6, unit="1/s/Bq"))
    if image.quantity in (Quantity.COUNTS, Quantity.PROPORTIONAL_TO_COUNTS) and scale is not None:
        return scaled(image, float(scale))
    key = "counts_per_s_per_MBq" if image.quantity is Quantity.COUNTS else "Bq_mL_per_unit"
    raise WrongQuantity(
        f"{series.name} holds {image.quantity.name.lower().replace('_', ' ')}, not activity in Bq/mL.",
        f"Give calibration: {key}: in case.yaml, or a series with Units BQML.",
    )


def reference_scan(scans: Sequence[Scan], case: Case) -> int:
    """Return the index of the scan that case.yaml names, or of the first on which anything is drawn.

    Raises
    ------
    BadConfiguration
        If it is not one of the scans.
    """
    wanted = case.get("reference")
    if wanted is None:
        return next((i for i, scan in enumerate(scans) if scan.drawn), 0)
    if wanted > len(scans):
        raise BadConfiguration(f"case.yaml: reference: there is no scan {wanted}.", f"There are {len(scans)}.")
    return int(wanted) - 1


def _anatomy_series(folder: Folder, scans: Sequence[Scan]) -> Series | None:
    """Find the CT in the frame of reference of the first scan that has one; refuse one that is no volume."""
    for scan in scans:
        if scan.ct is not None:
            return scan.ct
        for problem in (
            p for s in _cts(folder, scan) for p in s.problems if isinstance(p, (IncompleteSeries, DuplicateSlices))
        ):
            raise problem
    return None


def _cts(folder: Folder, scan: Scan) -> list[Series]:
    frame = scan.activity.grid.frame_of_reference
    return [s for s in folder.of_kind(Kind.CT) if s.frame_of_reference == frame]


def _sound_ct(folder: Folder, scan: Scan) -> Series | None:
    """Return the longest CT in a scan's frame of reference that is a volume."""
    return max((s for s in _cts(folder, scan) if not s.problems), key=lambda s: len(s.files), default=None)


def _unused_anatomy(folder: Folder, used: Series | None) -> list[str]:
    """Say that no CT of the folder could be used."""
    if used is not None:
        return []
    return [
        f"CT '{one.description}' was not used: "
        + (one.problems[0].refused if one.problems else "it is in no scan's frame of reference.")
        for one in folder.of_kind(Kind.CT)
    ]


def _with_structures(folder: Folder, case: Case, scans: Sequence[Scan]) -> tuple[tuple[Scan, ...], list[str]]:
    """Give each scan what was drawn on it, and tell what must be known of the drawings that are used."""
    objects = [(one, one.load()) for one in folder.of_kind(Kind.RTSTRUCT, Kind.SEG)]
    _refuse_unknown(scans, objects)
    used: set[str] = set()
    drawn = []
    for scan in scans:
        asked = scan.asked
        own = [o for one, o in objects if (_is_asked(one, o, asked) if asked else _belongs(o, scan, scans))]
        own = [] if asked == NOTHING_DRAWN else own
        if len(own) > 1:
            raise ContradictoryInformation(
                f"{len(own)} sets of structures are drawn on {scan.label}.",
                "Name one with scans: structures: in case.yaml.",
            )
        used.update(o.sop_instance_uid for o in own)
        drawn.append(replace(scan, drawn=_chosen(own[0], case), structures=own[0]) if own else scan)
    notes = [note for _, o in objects if o.sop_instance_uid in used for note in _relevant(o, case)]
    notes += [
        f"Structures '{one.description}' belong to no scan that is used; they were left out."
        for one, o in objects
        if o.sop_instance_uid not in used
    ]
    return tuple(drawn), notes


def _refuse_unknown(scans: Sequence[Scan], objects: Sequence[tuple[Series, Structures]]) -> None:
    for name in (scan.asked for scan in scans):
        if name and name != NOTHING_DRAWN and not any(_is_asked(one, o, name) for one, o in objects):
            there = ", ".join(f"'{one.description}'" for one, _ in objects) or "none"
            raise UnknownName(f"No structures are called '{name}' (case.yaml, scans).", f"There are: {there}.")


def _is_asked(series: Series, structures: Structures, wanted: str) -> bool:
    return wanted == structures.sop_instance_uid or _is_called(series, wanted)


def _is_called(series: Series, wanted: str) -> bool:
    return wanted == series.uid or fnmatch.fnmatchcase(series.description, wanted)


def _belongs(structures: Structures, scan: Scan, scans: Sequence[Scan]) -> bool:
    """Say whether structures were drawn on a scan: on its series, or else, as on its CT, in its frame of reference."""
    on_series = {other.series.uid for other in scans} & set(structures.referenced_series_uids)
    if on_series:
        return scan.series.uid in on_series
    frame = scan.activity.grid.frame_of_reference
    return frame is not None and structures.frame_of_reference == frame


def _chosen(structures: Structures, case: Case) -> dict[str, Outline | Region]:
    return {shape.name: shape for shape in _shapes(structures) if not case.region(shape.name).get("skip")}


def _relevant(structures: Structures, case: Case) -> list[str]:
    """Drop the notes on roles that case.yaml has settled."""
    settled = [name for name in case.get("regions", {}) if "role" in case.region(name)]
    return [n for n in structures.notes if not ("its role is taken as" in n and any(f"'{s}'" in n for s in settled))]


def check_region_names(case: Case, scans: Sequence[Scan]) -> None:
    """Refuse a region of case.yaml that nothing drawn has.

    Raises
    ------
    BadConfiguration
        If a name is not among the structures.
    """
    asked = Asked.of(case)
    shapes = {shape.name for scan in scans if scan.structures for shape in _shapes(scan.structures)}
    there = sorted(shapes | set(asked.names if asked else ()))
    for name in case.get("regions", {}):
        if name not in there:
            raise BadConfiguration(
                f"case.yaml: regions: nothing drawn is called '{name}'.",
                f"There are: {', '.join(there) or 'no structures'}.",
            )


def _shapes(structures: Structures) -> list[Outline | Region]:
    return [*structures.outlines, *structures.regions]
