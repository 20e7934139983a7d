"""Where the projection of a SPECT lies on a planar view: a search over the whole view, then a rigid registration."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hevesy.core import PlanarView
from hevesy.errors import BadInput, RegistrationWorsened
from hevesy.stages.registration.planar import PlanarMotion, move_view, register_views

Array = NDArray[np.float64]

#: correlation below which two pictures do not show the same part of a patient
LEAST_AGREEMENT = 0.6
#: by how much a turned picture may agree better than the upright one, as chance has it in a patient with two like sides
_TURNED_BETTER = 0.02
#: what a view may be that is not upright: the axes along which it is turned
_TURNED = {"upside down": (0,), "mirrored": (1,), "turned by 180°": (0, 1)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a smaller picture lies on a view.

    Parameters
    ----------
    corner : tuple of int
        Row and column of the view on which its first pixel lies; may be negative.
    motion : PlanarMotion
        What moves it from there onto the view.
    """

    corner: tuple[int, int]
    motion: PlanarMotion


def place_on_view(view: PlanarView, part: NDArray[np.float64]) -> Place:
    """Find a part of the patient, such as the projection of a SPECT, on a view with the same pixels.

    The correlation of square roots is searched over every whole pixel, then refined with a rotation.

    Parameters
    ----------
    view : PlanarView
        The view.
    part : (rows, columns) array
        What is to be found, in any unit.

    Raises
    ------
    BadInput
        If either holds nothing.
    RegistrationWorsened
        If the two agree nowhere, or better when the view is turned.
    """
    if not (np.ptp(part) > 0 and np.ptp(view.counts) > 0):
        raise BadInput("A SPECT without activity cannot be found on a planar view.", "Check both.")
    padding = (part.shape[0] // 2, part.shape[1] // 2)
    padded = np.pad(np.maximum(view.counts, 0.0), [(n, n) for n in padding])
    roots = np.sqrt(padded), np.sqrt(np.maximum(part, 0.0))
    row, column, agreement = _best(*roots)
    _refuse_turned(*roots, agreement)
    window = padded[row : row + part.shape[0], column : column + part.shape[1]]
    motion = register_views(replace(view, counts=window, variance=None), replace(view, counts=part, variance=None))
    if motion.agreement_after < LEAST_AGREEMENT:
        raise RegistrationWorsened(
            f"The SPECT was not found on the planar view (best correlation {motion.agreement_after:.2f}).",
            "Check that both show one patient, head first and upright; or give planar curves with --planar.",
        )
    return Place((row - padding[0], column - padding[1]), motion)


def laid_on_view(view: PlanarView, part: NDArray[np.float64], place: Place) -> Array:
    """Return a picture laid where its like was found, on all pixels of the view; zero elsewhere."""
    moved = move_view(replace(view, counts=part, variance=None), place.motion).counts
    full = np.zeros(view.counts.shape)
    (row, column), (rows, columns) = place.corner, part.shape
    into = (slice(max(row, 0), row + rows), slice(max(column, 0), column + columns))
    kept = full[into].shape
    first = (max(-row, 0), max(-column, 0))
    full[into] = moved[first[0] : first[0] + kept[0], first[1] : first[1] + kept[1]]
    return full


def _refuse_turned(view: Array, part: Array, upright: float) -> None:
    for how, axes in _TURNED.items():
        turned = _best(view, np.flip(part, axes))[2]
        if turned > upright + _TURNED_BETTER:
            raise RegistrationWorsened(
                f"The planar view looks {how} beside the SPECT (correlation {turned:.2f}; upright {upright:.2f}).",
                "Give views as seen from the detector, head up; or planar curves with --planar.",
            )


def _best(view: Array, part: Array) -> tuple[int, int, float]:
    """Return the row and column at which the normalised correlation is highest, and the correlation."""
    from scipy.signal import fftconvolve

    ones, shape = np.ones_like(part), part - part.mean()
    total, squares = fftconvolve(view, ones, "valid"), fftconvolve(view**2, ones, "valid")
    spread = squares - total**2 / part.size
    # where the view is empty, rounding alone would correlate
    norm = np.sqrt(np.maximum(spread, 1e-2 * spread.max()) * np.sum(shape**2))
    score = fftconvolve(view, shape[::-1, ::-1], "valid") / norm
    row, column = np.unravel_index(int(np.argmax(score)), score.shape)
    return int(row), int(column), float(score[row, column])
