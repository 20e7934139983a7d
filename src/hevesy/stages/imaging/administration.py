"""What was administered, when, and to whom, from the header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from hevesy.core import Administration, Measured, Patient
from hevesy.errors import ImpossibleTiming, MissingInformation, UnreadableFile
from hevesy.stages.imaging import header

#: PS3.16 CID 18 and CID 4020, in SNOMED RT, SNOMED CT and DCM, for headers whose code has no readable meaning
NUCLIDE_CODES = {
    "C-105A1": "C-11",
    "C-107A1": "N-13",
    "C-B1038": "O-15",
    "C-111A1": "F-18",
    "C-106A1": "P-32",
    "C-127A2": "Cu-64",
    "C-127A3": "Cu-67",
    "C-131A2": "Ga-67",
    "C-131A3": "Ga-68",
    "C-128A2": "Ge-68",
    "C-159A2": "Rb-82",
    "C-162A3": "Y-86",
    "C-158A6": "Sr-89",
    "C-162A7": "Y-90",
    "C-168A4": "Zr-89",
    "C-163A8": "Tc-99m",
    "C-145A4": "In-111",
    "C-114A4": "I-123",
    "C-114A5": "I-124",
    "C-114A6": "I-125",
    "C-114B1": "I-131",
    "C-172A8": "Xe-133",
    "C-B1134": "Sm-153",
    "C-101ED": "Lu-177",
    "C-11906": "Re-186",
    "C-1018D": "Re-188",
    "C-138A9": "Tl-201",
    "C-136A2": "Ra-223",
    "40565003": "C-11",
    "21576001": "N-13",
    "129504001": "O-15",
    "77004003": "F-18",
    "32505007": "P-32",
    "3932008": "Cu-64",
    "53700003": "Cu-67",
    "2008008": "Ga-67",
    "35337001": "Ga-68",
    "53315004": "Ge-68",
    "79197006": "Rb-82",
    "10738001": "Y-86",
    "7770004": "Sr-89",
    "14691008": "Y-90",
    "63360001": "Zr-89",
    "72454006": "Tc-99m",
    "56609000": "In-111",
    "21572004": "I-123",
    "40937006": "I-124",
    "68630002": "I-125",
    "1368003": "I-131",
    "80751004": "Xe-133",
    "419804008": "Sm-153",
    "447553000": "Lu-177",
    "395865006": "Re-186",
    "423578007": "Re-188",
    "60057003": "Tl-201",
    "24853006": "Ra-223",
    "126606": "Tb-152",
    "126600": "Sc-44",
}

ELEMENTS = {
    "hydrogen": "H",
    "carbon": "C",
    "nitrogen": "N",
    "oxygen": "O",
    "fluorine": "F",
    "phosphorus": "P",
    "scandium": "Sc",
    "copper": "Cu",
    "gallium": "Ga",
    "germanium": "Ge",
    "rubidium": "Rb",
    "strontium": "Sr",
    "yttrium": "Y",
    "zirconium": "Zr",
    "molybdenum": "Mo",
    "technetium": "Tc",
    "indium": "In",
    "iodine": "I",
    "xenon": "Xe",
    "samarium": "Sm",
    "terbium": "Tb",
    "holmium": "Ho",
    "erbium": "Er",
    "lutetium": "Lu",
    "lutecium": "Lu",
    "rhenium": "Re",
    "thallium": "Tl",
    "astatine": "At",
    "bismuth": "Bi",
    "lead": "Pb",
    "radium": "Ra",
    "actinium": "Ac",
    "thorium": "Th",
    "barium": "Ba",
    "cobalt": "Co",
    "chromium": "Cr",
}

#: an instant, notes on how it was found, and the refusal that its absence deserves
Finding = tuple[datetime | None, tuple[str, ...], MissingInformation | ImpossibleTiming | None]

#: with a longer half-life a time of day alone does not tell the day of the injection
ONE_DAY_HALF_LIFE_S = 12 * 3600.0
#: nobody is imaged after less than this, Bq, nor gets more than that, MBq
LEAST_BQ = 5e4
MOST_MBQ = 5e4
#: nothing is left to see after so many half-lives
VISIBLE_HALF_LIVES = 25


@dataclass(frozen=True, slots=True)
class Injected:
    """What a header says about the radiopharmaceutical; None where it does not say.

    `notes` tell which of two contradicting tags was believed and why; `missing` is the refusal to
    raise when the instant is needed but not known.
    """

    nuclide: str | None = None
    half_life_s: float | None = None
    activity_Bq: float | None = None
    time: datetime | None = None
    radiopharmaceutical: str = ""
    notes: tuple[str, ...] = ()
    missing: MissingInformation | ImpossibleTiming | None = None

    def administration(self) -> Administration:
        """Return the administration.

        Raises
        ------
        MissingInformation
            If the nuclide or the instant is not known.
        ImpossibleTiming
            If the stated instant lies after the scan.
        """
        if self.missing is not None:
            raise self.missing
        if self.nuclide is None or self.time is None:
            raise MissingInformation("The header does not name the radionuclide.", "Give nuclide: in case.yaml.")
        activity = None if self.activity_Bq is None else Measured(self.activity_Bq, 0.0, "Bq")
        return Administration(self.nuclide, self.time, activity, self.radiopharmaceutical)


def injected(head: Any, scan_start: datetime | None) -> Injected:
    """Read the Radiopharmaceutical Information Sequence (0054,0016).

    Parameters
    ----------
    head : Dataset
        Header of one slice.
    scan_start : datetime or None
        Start of the acquisition, by which the day of a bare time is found.
    """
    sequence = header.items(head, "RadiopharmaceuticalInformationSequence")
    if not sequence:
        return Injected(
            missing=MissingInformation(
                "No Radiopharmaceutical Information Sequence (0054,0016): nuclide and injection are unknown.",
                "Give nuclide:, and administration: time: and activity_MBq:, in case.yaml.",
            )
        )
    item = sequence[0]
    half_life = header.positive(item, "RadionuclideHalfLife")
    time, notes, missing = _injection_time(head, item, scan_start, half_life)
    activity, activity_notes = _activity_Bq(head, item)
    notes = (*notes, *activity_notes)
    if len(sequence) > 1:
        notes = (*notes, f"{len(sequence)} radiopharmaceuticals are listed; the first is used.")
    return Injected(
        nuclide=nuclide_name(item),
        half_life_s=half_life,
        activity_Bq=activity,
        time=time,
        radiopharmaceutical=header.text(item, "Radiopharmaceutical"),
        notes=notes,
        missing=missing,
    )


def nuclide_name(item: Any) -> str | None:
    """Return the nuclide of an item of the sequence, such as ``"Lu-177"``; None where it is not told.

    Code meanings are written freely ("^18^Fluorine", "177 Lutetium", "F-18", "Tc99m"), so element and mass number
    are looked for in either order; the code itself is used only where the meaning says nothing.
    """
    for code in header.items(item, "RadionuclideCodeSequence"):
        for words in (header.text(code, "CodeMeaning"), header.text(code, "CodeValue")):
            name = parse_nuclide(words) or NUCLIDE_CODES.get(words)
            if name:
                return name
    return parse_nuclide(header.text(item, "Radiopharmaceutical"))


def parse_nuclide(words: str) -> str | None:
    """Find a nuclide in free text: an element's name or symbol beside a mass number."""
    symbols = "|".join(sorted({*ELEMENTS, *(s.lower() for s in ELEMENTS.values())}, key=len, reverse=True))
    plain = words.lower().replace("^", " ").replace("[", " ").replace("]", " ")
    forward = re.search(rf"(?<![a-z])({symbols})[\s-]*(\d{{1,3}})\s?(m?)(?![a-z0-9])", plain)
    if forward:
        return _joined(forward[1], forward[2], forward[3])
    backward = re.search(rf"(?<![0-9a-z])(\d{{1,3}})(m?)[\s-]*({symbols})(?![a-z])", plain)
    return _joined(backward[3], backward[1], backward[2]) if backward else None


def patient(head: Any) -> Patient:
    """Return the patient; what is empty, zero or impossible is not known."""
    sex = header.text(head, "PatientSex").upper()
    known: Literal["F", "M", "O"] | None = "F" if sex == "F" else "M" if sex == "M" else "O" if sex == "O" else None
    return Patient(
        identifier=header.text(head, "PatientID") or header.text(head, "PatientName"),
        sex=known,
        birth_date=_birth(head),
        mass_kg=header.positive(head, "PatientWeight"),
        height_m=_height_m(head),
    )


def _birth(head: Any) -> date | None:
    value = header.text(head, "PatientBirthDate")
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:8])) if int(value[:4]) > 1850 else None
    except ValueError:
        return None


def _height_m(head: Any) -> float | None:
    """Return Patient's Size in m; some write it in cm, which no one's height in m can be."""
    size = header.positive(head, "PatientSize")
    return size / 100 if size is not None and 30 < size < 300 else size


def _activity_Bq(head: Any, item: Any) -> tuple[float | None, tuple[str, ...]]:
    """Return Radionuclide Total Dose in Bq, and what was doubtful about its unit.

    PET objects hold it in Bq (PS3.3 C.8.9.2), gamma camera objects in MBq (C.8.4.10); both are written wrongly at
    times, which shows as an activity that nobody gets.
    """
    value = header.positive(item, "RadionuclideTotalDose")
    if value is None:
        return None, ()
    if header.text(head, "Modality") == "NM":
        if value < MOST_MBQ:
            return value * 1e6, ()
        return value, (
            f"Radionuclide Total Dose {value:g} cannot be MBq, as this object must hold; it is taken as Bq.",
        )
    if value >= LEAST_BQ:
        return value, ()
    return value * 1e6, (f"Radionuclide Total Dose {value:g} cannot be Bq, as PET must hold; it is taken as MBq.",)


def _injection_time(head: Any, item: Any, scan: datetime | None, half_life: float | None) -> Finding:
    zone = header.zone(header.text(head, "TimezoneOffsetFromUTC"))
    stated = header.date_time(header.text(item, "RadiopharmaceuticalStartDateTime"), zone)
    since_midnight = header.seconds_of_day(header.text(item, "RadiopharmaceuticalStartTime"))
    notes: tuple[str, ...] = ()
    if stated is not None and scan is not None and (stated.tzinfo is None) != (scan.tzinfo is None):
        notes = (
            f"Of injection ({stated.isoformat()}) and scan ({scan.isoformat()}) only one has a time zone;"
            " both are taken as the same clock.",
        )
        stated = stated.replace(tzinfo=scan.tzinfo)
    if stated is None and since_midnight is None:
        return None, (), _unknown("is not stated")
    if stated is None:
        return _from_time_of_day(since_midnight or 0.0, scan, half_life)
    if scan is None:
        return stated, notes, None
    time, more, missing = _judged(head, stated, since_midnight, scan, half_life)
    return time, (*notes, *more), missing


def _judged(
    head: Any, stated: datetime, since_midnight: float | None, scan: datetime, half_life: float | None
) -> Finding:
    """Hold a stated date and time of injection against the scan's and the bare time of day."""
    of_day = (stated - _midnight(stated)).total_seconds()
    agree = since_midnight is None or abs(of_day - since_midnight) < 1
    before_s = (scan - stated).total_seconds()
    too_old = half_life is not None and before_s > VISIBLE_HALF_LIVES * half_life
    if before_s >= 0 and not too_old:
        note = (
            "Radiopharmaceutical Start DateTime and Start Time name different times of day;"
            f" the DateTime ({stated.isoformat()}) is believed because it also names the day."
        )
        return stated, (() if agree else (note,)), None
    same_day = _midnight(scan) + timedelta(seconds=of_day)
    if _dates_were_changed(head) and agree and same_day <= scan and same_day.date() != stated.date():
        note = (
            f"The stated injection ({stated.isoformat()}) does not fit the scan ({scan.isoformat()}), and the header"
            " says that it was de-identified: the date inside the sequence is taken to have been shifted differently,"
            f" and the time of day is believed on the day of the scan ({same_day.isoformat()})."
        )
        return same_day, (note,), None
    if too_old:
        return None, (), _unknown(f"({stated.isoformat()}) lies too long before the scan ({scan.isoformat()})")
    refusal = ImpossibleTiming(
        f"The scan ({scan.isoformat()}) starts before the injection ({stated.isoformat()}).",
        "Correct the header, or give administration: time: in case.yaml.",
    )
    return None, (), refusal


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def _from_time_of_day(since_midnight: float, scan: datetime | None, half_life: float | None) -> Finding:
    if scan is None:
        return None, (), _unknown("is a time of day, and the scan has no date")
    if half_life is None or half_life > ONE_DAY_HALF_LIFE_S:
        return None, (), _unknown("is a time of day without a date, and the nuclide lives for more than a day")
    time = _midnight(scan) + timedelta(seconds=since_midnight)
    if time <= scan:
        return time, (), None
    time -= timedelta(days=1)
    return time, (f"Injection before midnight: the time of day is later than the scan's, so {time.isoformat()}.",), None


def _unknown(why: str) -> MissingInformation:
    return MissingInformation(f"The instant of the injection {why}.", "Give administration: time: in case.yaml.")


def _dates_were_changed(head: Any) -> bool:
    modified = header.text(head, "LongitudinalTemporalInformationModified").upper() in ("MODIFIED", "REMOVED")
    return modified or header.text(head, "PatientIdentityRemoved").upper() == "YES"


def _joined(element: str, mass: str, metastable: str) -> str | None:
    symbol = ELEMENTS.get(element) or next(s for s in ELEMENTS.values() if s.lower() == element)
    if not 1 <= int(mass) <= 260:
        raise UnreadableFile(f"'{element} {mass}' is not a nuclide.")
    return f"{symbol}-{int(mass)}{metastable}"
