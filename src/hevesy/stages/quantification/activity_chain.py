"""From counts in an outline to activity, absorbed dose and BED, with every cause of uncertainty kept.

Source: Gear JI et al. 2018, Eur J Nucl Med Mol Imaging 45:2456-2474: A = C/(Q R), D = Ã S. Quantities that depend on
one outline share its cause, so that the covariances of the guidance between volume, counts, recovery and mass follow
from the arithmetic of `Measured`; what several scans share (calibration, outline) stays shared between them.
"""

from __future__ import annotations

from hevesy.core import Measured
from hevesy.errors import BadInput
from hevesy.stages.quantification.delineation import activity_exponent


def counts_in_outline(counts: float, u_counts: float, volume: Measured, resolution_mm: float) -> Measured:
    """Return the counts in an outline with the uncertainties of counting and of the outline.

    Parameters
    ----------
    counts, u_counts : float
        Counts and their standard uncertainty from counting and reconstruction, independent of other scans.
    volume : Measured
        Of the outline, mL; u(C)/C = φ/(2R)·u(V)/V.
    resolution_mm : float
        Reconstructed spatial resolution, FWHM, mm.
    """
    if not (counts > 0 and u_counts >= 0):
        raise BadInput(f"Counts must be positive, not {counts} ± {u_counts}.")
    share = activity_exponent(volume.value, resolution_mm) * counts / volume.value
    return Measured.propagate(counts, [(Measured(0.0, u_counts, "", "counts"), 1.0), (volume, share)])


def activity(counts: Measured, duration_s: float, calibration: Measured, recovery: Measured) -> Measured:
    """Return activity A = C/(t·Q·R), Bq.

    Parameters
    ----------
    counts : Measured
        In the outline.
    duration_s : float
        Length of the scan.
    calibration : Measured
        Counts per second and becquerel, ``"1/s/Bq"``.
    recovery : Measured
        Recovery coefficient.
    """
    if calibration.unit != "1/s/Bq" or not calibration.value > 0:
        raise BadInput(f"A calibration factor must be positive and in 1/s/Bq, not {calibration}.")
    if not duration_s > 0 or not recovery.value > 0:
        raise BadInput("A scan's duration and a recovery coefficient must be positive.")
    rate = Measured.propagate(counts.value / duration_s, [(counts, 1 / duration_s)], "1/s")
    return (rate / calibration / recovery).to(1.0, "Bq")


def absorbed_dose(tia: Measured, volume: Measured, density_kg_per_mL: Measured, energy_J: float) -> Measured:
    """Return the self-dose of an outline, Gy: D = Ã·Δ/m with m = ρV.

    Parameters
    ----------
    tia : Measured
        Time-integrated activity, Bq·s.
    volume : Measured
        mL; where it is the one that `tia` was measured in, the two keep their covariance.
    density_kg_per_mL : Measured
        Mass density.
    energy_J : float
        Energy absorbed per decay.
    """
    mass = (volume * density_kg_per_mL).to(1.0, "kg")
    return (tia * energy_J / mass).to(1.0, "Gy")


def biologically_effective_dose(
    dose: Measured, half_life: Measured, alpha_beta: Measured, repair_half_life: Measured
) -> Measured:
    """Return BED = D + D²/(α/β)·T_rep/(T_rep + T_eff) of one mono-exponential administration, Gy.

    Parameters
    ----------
    dose : Measured
        Absorbed dose, Gy.
    half_life : Measured
        Effective half-life, s; where it is of the fit that gave the dose, the two keep their covariance.
    alpha_beta, repair_half_life : Measured
        Gy; s.
    """
    share = repair_half_life / (repair_half_life + half_life)
    return dose + (dose * dose / alpha_beta * share).to(1.0, "Gy")
