"""A CT to the μ-map of a SPECT reconstruction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hevesy.core import Grid, Image, Projections
from hevesy.errors import BadInput, GridMismatch, MissingInformation
from hevesy.physics.attenuation_map import EFFECTIVE_CT_KEV, attenuation_from_hounsfield
from hevesy.stages.imaging import header
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind, Series
from hevesy.stages.quantification.reconstruction.checks import require_whole_ct
from hevesy.stages.registration.averaging import average

USUAL_KVP = 120.0


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The CT that attenuation is taken from, and how it lies.

    Parameters
    ----------
    path : Path
        Folder of its DICOM slices.
    frame_accepted : bool
        Whether it is taken to lie as the SPECT does although their frames of reference differ or are not stated.
    shift_mm : tuple of float
        Moves the CT, patient coordinates, mm: a stated alignment.
    effective_keV : float or None
        Effective energy of its beam, keV; None is that of 120 kVp.
    truncated : bool
        Whether a CT that cuts the body off is accepted.
    """

    path: Path
    frame_accepted: bool = False
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    effective_keV: float | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class MuMap:
    """Linear attenuation coefficients on the reconstruction's grid, 1/mm, and what is to be said of them."""

    image: Image
    notes: tuple[str, ...]


def mu_map(anatomy: Anatomy, projections: Projections, photon_keV: float) -> MuMap:
    """Return the μ-map of projections: the CT's, table and all, averaged over each voxel of the reconstruction.

    Raises
    ------
    BadInput
        If the folder does not hold one CT.
    GridMismatch
        If the CT lies in another frame of reference, and that is not accepted.
    MissingInformation
        If where the reconstruction lies in the patient is not known.
    IncompleteSeries
        If the CT cuts the body off, and that is not accepted.
    """
    series = _ct_of(anatomy.path, projections.frame_of_reference)
    ct = series.image()
    notes = _require_frame(ct.grid, projections, anatomy)
    if not anatomy.truncated:
        require_whole_ct(ct)
    affine = np.array(ct.grid.affine)
    affine[:3, 3] += anatomy.shift_mm
    if any(anatomy.shift_mm):
        notes = (*notes, f"The CT was moved by {', '.join(f'{s:g}' for s in anatomy.shift_mm)} mm, as stated.")
    effective = anatomy.effective_keV or EFFECTIVE_CT_KEV
    mu = attenuation_from_hounsfield(ct, photon_keV, effective)
    placed = Image(mu.values, Grid(ct.grid.shape, affine, ct.grid.frame_of_reference), mu.quantity, None, mu.provenance)
    onto = Grid(projections.grid.shape, projections.grid.affine, ct.grid.frame_of_reference)
    image, reached = average(placed, onto)
    head = series.headers[0]
    said = f"Attenuation at {photon_keV:.4g} keV from CT '{series.description}', table included, air beyond it"
    return MuMap(image, (*notes, f"{said}: it reaches {reached.mean():.0%} of the volume.", *_beam(head, anatomy)))


def _ct_of(path: Path, frame: str | None) -> Series:
    """Return the one CT of a folder, or the one of several that lies in a frame of reference."""
    found = read_folder(path).of_kind(Kind.CT)
    sound = [s for s in found if not s.problems]
    within = [s for s in sound if frame and s.frame_of_reference == frame]
    for choice in (sound, within):
        if len(choice) == 1:
            return choice[0]
    if len(found) == 1:
        raise found[0].problems[0]
    names = ", ".join(s.name for s in sound) or "none"
    raise BadInput(f"{path} must hold one CT; it holds {len(sound)} ({names}).", "Give the folder of one series.")


def _require_frame(ct: Grid, projections: Projections, anatomy: Anatomy) -> tuple[str, ...]:
    if projections.placement.axis_mm is None:
        raise MissingInformation(
            "The projections do not state where the axis of rotation lies in the patient, so that no CT can be laid on"
            " them.",
            "Give it with --axis-mm X,Y,Z, or a μ-map on the reconstruction's own lattice with --mu.",
        )
    own, other = projections.frame_of_reference, ct.frame_of_reference
    if own is not None and own == other:
        return ()
    fault = "lie in different frames of reference" if own and other else "do not both state a frame of reference"
    if not anatomy.frame_accepted:
        raise GridMismatch(
            f"The CT and the projections {fault}, so that they need not lie as they did in the patient.",
            "Give the CT of the same session, or state that they agree with --ct-frame-accepted, after moving the CT by"
            " --ct-shift-mm X,Y,Z where they do not.",
        )
    return (f"The CT and the projections {fault}; that they agree is the user's statement.",)


def _beam(head: Any, anatomy: Anatomy) -> tuple[str, ...]:
    peak = header.positive(head, "KVP")
    if anatomy.effective_keV is not None or peak is None or abs(peak - USUAL_KVP) < 1:
        return ()
    return (f"The CT was taken at {peak:g} kVp; bone is converted as at 120 kVp unless --ct-kev states its energy.",)
