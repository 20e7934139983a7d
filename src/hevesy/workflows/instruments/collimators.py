"""Which collimator for which photon: resolution and sensitivity against distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hevesy.core.collimator import Collimator
from hevesy.data.collimators import collimator
from hevesy.errors import BadInput
from hevesy.physics.collimation import (
    effective_length_mm,
    geometric_efficiency,
    geometric_fwhm_mm,
    septal_penetration,
)
from hevesy.physics.fan_beam import fan_beam_efficiency, fan_beam_fwhm_mm
from hevesy.stages.reporting.line_charts import Line, Panel
from hevesy.workflows.instruments.comparison import Comparison

#: width at half maximum that a 9.5 mm NaI crystal adds at 140 keV, mm
INTRINSIC_MM = 3.9
#: from the collimator's back to where photons are detected, mm
GAP_MM = 8.0
DISTANCES_MM = np.linspace(0.0, 300.0, 61)
PARALLEL = ("Siemens Symbia LEHR", "Siemens Symbia LEUHR", "Siemens Symbia ME", "Siemens Symbia HE")
#: holes of a fan-beam collimator are taken to be those of LEHR, converging on a line so far from the face, mm
FAN_HOLES, FOCUS_MM = "Siemens Symbia LEHR", 445.0
#: more than this through the walls and the image loses its contrast (Cherry et al. 2012, chapter 14.C)
PENETRATION_LIMIT = 0.05
TABLE_MM = (50.0, 100.0, 200.0)


def compare_collimators(photon_keV: float = 140.5) -> Comparison:
    """Set the system's resolution and the collimator's efficiency against distance for LEHR, LEUHR, ME, HE and a fan.

    Parameters
    ----------
    photon_keV : float
        Energy of the photon that is counted, keV.

    Raises
    ------
    BadInput
        If a camera does not count such photons, or no collimator stops them.
    """
    if not 30 <= photon_keV <= 1000:
        raise BadInput(f"A gamma camera does not count photons of {photon_keV:g} keV.", "Give 30 to 1000 keV.")
    usable = [collimator(name) for name in PARALLEL if _stops(collimator(name), photon_keV)]
    if not usable:
        raise BadInput(f"None of these collimators stops photons of {photon_keV:g} keV.", "Give a lower energy.")
    widths = {_short(one): np.hypot(INTRINSIC_MM, _fwhm(one, photon_keV, DISTANCES_MM)) for one in usable}
    passed = {_short(one): np.full(DISTANCES_MM.size, 1e6 * geometric_efficiency(one, photon_keV)) for one in usable}
    rows = [_row(one, photon_keV) for one in usable]
    holes = collimator(FAN_HOLES)
    if holes in usable:
        name = f"fan beam, focus at {FOCUS_MM:g} mm"
        fan = fan_beam_fwhm_mm(holes, photon_keV, DISTANCES_MM + GAP_MM, FOCUS_MM + GAP_MM)
        magnified = INTRINSIC_MM * (FOCUS_MM - DISTANCES_MM) / (FOCUS_MM + holes.length_mm + GAP_MM)
        widths[name] = np.hypot(magnified, fan)
        passed[name] = 1e6 * fan_beam_efficiency(holes, photon_keV, DISTANCES_MM, FOCUS_MM)
        rows.append((name, *_at(widths[name]), *_at(passed[name]), 100 * septal_penetration(holes, photon_keV)))
    return Comparison(
        f"Collimators at {photon_keV:g} keV",
        (
            _panel("Resolution", "system FWHM / mm", widths),
            _panel("Sensitivity", "photons that pass, per million emitted", passed),
        ),
        (
            "collimator",
            *(f"FWHM at {d:g} mm / mm" for d in TABLE_MM),
            *(f"passed per million at {d:g} mm" for d in TABLE_MM),
            "through the walls / %",
        ),
        tuple(rows),
        _notes(photon_keV, {_short(collimator(name)) for name in PARALLEL} - set(widths), rows),
    )


def _stops(one: Collimator, photon_keV: float) -> bool:
    try:
        return effective_length_mm(one, photon_keV) > one.length_mm / 2
    except BadInput:
        return False


def _fwhm(one: Collimator, photon_keV: float, distance_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    return geometric_fwhm_mm(one, photon_keV, distance_mm, GAP_MM)


def _short(one: Collimator) -> str:
    return one.name.rpartition(" ")[2]


def _at(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(np.interp(d, DISTANCES_MM, values)) for d in TABLE_MM)


def _row(one: Collimator, photon_keV: float) -> tuple[str | float, ...]:
    widths = np.hypot(INTRINSIC_MM, _fwhm(one, photon_keV, np.array(TABLE_MM)))
    passed = 1e6 * geometric_efficiency(one, photon_keV)
    through = 100 * septal_penetration(one, photon_keV)
    return (_short(one), *map(float, widths), *[passed] * len(TABLE_MM), through)


def _panel(title: str, label: str, curves: dict[str, NDArray[np.float64]]) -> Panel:
    lines = tuple(Line(name, DISTANCES_MM, values) for name, values in curves.items())
    return Panel(title, "distance from the collimator's face / mm", label, lines)


def _notes(photon_keV: float, left_out: set[str], rows: list[tuple[str | float, ...]]) -> tuple[str, ...]:
    notes = [
        f"FWHM holds {INTRINSIC_MM:g} mm of the crystal; efficiency is that of the holes, of a source in air.",
        "Parallel holes lose no counts with distance: each hole sees less, but more holes see the source.",
    ]
    leaky = [str(row[0]) for row in rows if float(row[-1]) > 100 * PENETRATION_LIMIT]
    if leaky:
        notes.append(f"More than 5% pass the walls of {', '.join(leaky)}: these widths hold for the core of the image.")
    if left_out:
        notes.append(f"Left out, for their walls do not stop {photon_keV:g} keV: {', '.join(sorted(left_out))}.")
    return tuple(notes)
