"""Single-frame slices to a volume: order, spacing and gaps come from positions alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid
from hevesy.errors import DuplicateSlices, IncompleteSeries, MissingInformation, MixedSeries
from hevesy.stages.imaging import header
from hevesy.stages.imaging.pixels import rescaled, stored_pixels

#: positions are written with a few decimals; slices nearer than this lie at one place
SAME_PLACE_MM = 0.01
#: how far a step between slices may differ from the others, as a fraction: bed positions of whole-body PET are
#: joined with steps that are 2.5% short on real scanners; a missing slice makes it 100%
STEP_TOLERANCE = 0.05
#: a difference of steps below this is the rounding of positions
STEP_ROUNDING = 0.002
SAME_DIRECTION = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in order along their normal, and the lattice that they form.

    Parameters
    ----------
    order : tuple of int
        Index of each slice, in the sequence given, from one end of the stack to the other.
    grid : Grid
        Array axes: 0 along a row (column index), 1 along a column (row index), 2 from slice to slice.
    notes : tuple of str
        How far slices lie off the lattice, where it is not exact.
    """

    order: tuple[int, ...]
    grid: Grid
    notes: tuple[str, ...] = ()


def stack_slices(headers: Sequence[Any], what: str) -> Stack:
    """Order slices by position and find their lattice.

    Array axis 0 runs along the direction of rows, axis 1 along that of columns, axis 2 along
    their cross product, whatever the instance numbers say; so an axial series of any patient
    position has its axes along +x, +y, +z of the patient (PS3.3 C.7.6.2.1.1).

    Raises
    ------
    MissingInformation
        If a slice has no position, orientation or pixel spacing.
    MixedSeries
        If sizes, orientations or pixel spacings differ.
    DuplicateSlices
        If two slices lie at one position.
    IncompleteSeries
        If a step between slices differs from the others.
    """
    rows, columns = _one_size(headers, what)
    row_direction, column_direction = _one_orientation(headers, what)
    spacing = _one_spacing(headers, what)
    normal = np.cross(row_direction, column_direction)
    positions = np.array([_required(h, "ImagePositionPatient", 3, what) for h in headers])
    distance = positions @ normal
    order = np.argsort(distance, kind="stable")
    step, notes = _one_step(positions[order], normal, headers, what)
    affine = np.eye(4)
    affine[:3, 0] = row_direction * spacing[1]
    affine[:3, 1] = column_direction * spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = positions[order[0]]
    frame = header.text(headers[0], "FrameOfReferenceUID") or None
    return Stack(tuple(int(i) for i in order), Grid((columns, rows, len(headers)), affine, frame), notes)


def read_values(stack: Stack, files: Sequence[Path], headers: Sequence[Any]) -> NDArray[np.float32]:
    """Decode, rescale and stack slices: (columns, rows, slices).

    Raises
    ------
    UnreadableFile
        If a slice cannot be decoded.
    MixedSeries
        If a slice holds several frames.
    """
    columns, rows, slices = stack.grid.shape
    planes = np.empty((slices, rows, columns), np.float32)
    for place, index in enumerate(stack.order):
        stored = stored_pixels(files[index])
        if stored.shape != (rows, columns):
            raise MixedSeries(f"{files[index].name} holds pixels of shape {stored.shape}, not one slice.")
        planes[place] = rescaled(stored, headers[index])
    return np.ascontiguousarray(planes.T)


def _one_size(headers: Sequence[Any], what: str) -> tuple[int, int]:
    sizes = {(header.whole(h, "Rows"), header.whole(h, "Columns")) for h in headers}
    if len(sizes) > 1:
        raise MixedSeries(f"{what} mixes slices of {_listed(f'{r}×{c}' for r, c in sizes)} pixels.", "Separate them.")
    return sizes.pop()


def _one_orientation(headers: Sequence[Any], what: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = np.array([_required(h, "ImageOrientationPatient", 6, what) for h in headers])
    if np.abs(found - found[0]).max() > SAME_DIRECTION:
        raise MixedSeries(f"{what} mixes slices of different orientations.", "Separate them.")
    row, column = found[0, :3], found[0, 3:]
    if abs(row @ column) > SAME_DIRECTION or abs(row @ row - 1) > 0.01 or abs(column @ column - 1) > 0.01:
        raise MissingInformation(f"{what} has an orientation whose directions are not two perpendicular unit vectors.")
    return row / np.linalg.norm(row), column / np.linalg.norm(column)


def _one_spacing(headers: Sequence[Any], what: str) -> NDArray[np.float64]:
    found = np.array([_required(h, "PixelSpacing", 2, what) for h in headers])
    if np.abs(found - found[0]).max() > 1e-3 * found[0].max():
        raise MixedSeries(f"{what} mixes slices of different pixel spacings.", "Separate them.")
    if found[0].min() <= 0:
        raise MissingInformation(f"{what} has a pixel spacing of {found[0].tolist()} mm.")
    return np.asarray(found[0])


def _one_step(
    positions: NDArray[np.float64], normal: NDArray[np.float64], headers: Sequence[Any], what: str
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    if len(positions) == 1:
        thickness = header.positive(headers[0], "SliceThickness")
        if thickness is None:
            raise MissingInformation(f"{what} is one slice without a thickness, so that it has no volume.")
        return normal * thickness, ()
    distance = positions @ normal
    steps = np.diff(distance)
    if steps.min() < SAME_PLACE_MM:
        at = positions[int(np.argmin(steps))].round(2).tolist()
        raise DuplicateSlices(f"{what} has two slices at one position ({at} mm).", "Remove one of them.")
    usual = float(np.median(steps))
    off = np.flatnonzero(np.abs(steps - usual) > STEP_TOLERANCE * usual)
    if off.size:
        first = int(off[0])
        raise IncompleteSeries(
            f"{what} has a gap: slices lie {usual:.4g} mm apart, but {steps[first]:.4g} mm"
            f" between {distance[first]:.2f} and {distance[first + 1]:.2f} mm along their normal"
            + (f" (and at {off.size - 1} more places)." if off.size > 1 else "."),
            "Supply the missing slices.",
        )
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    return step, _off_lattice(positions, steps, step)


def _off_lattice(
    positions: NDArray[np.float64], steps: NDArray[np.float64], step: NDArray[np.float64]
) -> tuple[str, ...]:
    length = float(np.linalg.norm(step))
    if np.ptp(steps) < max(STEP_ROUNDING * length, 2 * SAME_PLACE_MM):
        return ()
    lattice = positions[0] + np.arange(len(positions))[:, None] * step
    worst = float(np.linalg.norm(positions - lattice, axis=1).max())
    return (
        f"Steps between slices vary from {steps.min():.4g} to {steps.max():.4g} mm; they are put on one lattice of"
        f" {length:.4g} mm, which moves no slice by more than {worst:.2g} mm.",
    )


def _required(head: Any, keyword: str, length: int, what: str) -> NDArray[np.float64]:
    value = header.vector(head, keyword, length)
    if value is None:
        raise MissingInformation(f"{what} has a slice without {keyword}, so that its place in the patient is unknown.")
    return value


def _listed(names: Any) -> str:
    return " and ".join(sorted(names))
