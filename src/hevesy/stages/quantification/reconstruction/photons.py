"""Which photon of a nuclide was counted, by the energy windows of the acquisition."""

from __future__ import annotations

from collections.abc import Sequence

from hevesy.core import EnergyWindow, Nuclide
from hevesy.errors import ContradictoryInformation

J_PER_KEV = 1.602176634e-16
#: lines that a gamma camera counts, keV
COUNTED_KEV = (40.0, 700.0)
#: yield over that of the strongest line below which no one sets a window on a line
LEAST_YIELD = 0.05
#: photons rarer than this, per decay, are not followed, nor those so far below a window
RAREST, FAR_BELOW = 1e-4, 0.9
#: how far a stated photon may lie from a line of the nuclide, as a fraction
SAME_LINE = 0.05


def photon_lines_keV(nuclide: Nuclide) -> tuple[float, ...]:
    """Return the photons that a gamma camera counts, keV, strongest first."""
    lines = [(e.per_decay, e.energy_J / J_PER_KEV) for e in nuclide.emissions if e.kind.is_photon]
    counted = sorted(((p, e) for p, e in lines if COUNTED_KEV[0] <= e <= COUNTED_KEV[1]), reverse=True)
    return tuple(energy for share, energy in counted if share >= LEAST_YIELD * counted[0][0])


def photons_above(nuclide: Nuclide, keV: float) -> tuple[tuple[float, float], ...]:
    """Return energy, keV, and number per decay of every photon that may be counted above an energy, keV."""
    photons = ((e.energy_J / J_PER_KEV, e.per_decay) for e in nuclide.emissions if e.kind.is_photon)
    return tuple((energy, share) for energy, share in photons if energy >= FAR_BELOW * keV and share >= RAREST)


def photon_counted(windows: Sequence[EnergyWindow], nuclide: Nuclide) -> float:
    """Return the energy of the strongest photon that an energy window holds, keV.

    Raises
    ------
    ContradictoryInformation
        If no window holds a photon of the nuclide.
    """
    lines = photon_lines_keV(nuclide)
    for line in lines:
        if any(low <= line <= high for window in windows for low, high in window.ranges_keV):
            return line
    names = "; ".join(", ".join(f"{a:g}–{b:g}" for a, b in w.ranges_keV) or "unstated" for w in windows)
    energies = ", ".join(f"{line:.1f}" for line in lines) or "none"
    raise ContradictoryInformation(
        f"No energy window holds a photon of {nuclide.name} ({energies} keV); the windows are {names} keV.",
        "Name the nuclide with --nuclide, or the photon that was counted with --photon-kev.",
    )


def require_photon_of(nuclide: Nuclide, photon_keV: float) -> None:
    """Refuse an energy that is none of the nuclide's photons.

    Raises
    ------
    ContradictoryInformation
        If the nuclide has photons that a gamma camera counts, and none within 5% of the energy.
    """
    lines = photon_lines_keV(nuclide)
    if lines and min(abs(line - photon_keV) for line in lines) > SAME_LINE * photon_keV:
        energies = ", ".join(f"{line:.1f}" for line in lines)
        raise ContradictoryInformation(
            f"{nuclide.name} has no photon of {photon_keV:g} keV; it has {energies} keV.",
            "Correct --photon-kev, or name the nuclide with --nuclide.",
        )
