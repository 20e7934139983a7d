"""A region from one grid onto another, with its volume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Region
from hevesy.errors import BadInput, GridMismatch, OutsideImage

#: share of a region's volume that may lie outside the image, for the rounding of stored coordinates
OUTSIDE_TOLERANCE = 1e-3
#: two lattices whose voxels lie this close, in voxels, and whose spacings differ by no more of themselves than their
#: stored decimals do, are one; a spacing that differs by more would change the volume
SAME_PLACE, SAME_SPACING = 0.02, 1e-5
#: axes run along each other if no more than this of a voxel is lost across the region
ALONG = 1e-2
#: fewest and most sample points along each axis of a voxel that is oblique to the region's
FEWEST, MOST = 3, 8
#: a coverage below this is rounding
NOTHING = 1e-6

Matrix = NDArray[np.floating]


def place(region: Region, grid: Grid, *, cut: bool = False) -> Region:
    """Return a region on another grid of the same frame of reference.

    Where the axes of the two grids run along each other (whatever their order, direction, spacing or origin) the
    covered fraction is exact: each voxel is spread over those that it overlaps. Grids oblique to each other are sampled
    on 3³ to 8³ points a voxel, finer than the region's own voxels.

    Parameters
    ----------
    region : Region
        Coverage on its own grid, such as that of a DICOM segmentation.
    grid : Grid
        The image's grid.
    cut : bool
        Leave out what lies beyond the grid instead of refusing it, as for the outline of a whole body.

    Raises
    ------
    GridMismatch
        If the two grids name different frames of reference.
    OutsideImage
        If more than 0.1% of the region's volume lies outside the grid; with `cut`, if all of it does.
    """
    frames = {region.grid.frame_of_reference, grid.frame_of_reference} - {None}
    if len(frames) > 1:
        raise GridMismatch(
            f"Region '{region.name}' lies in another frame of reference than the image.", "Register the two first."
        )
    change = np.linalg.solve(grid.affine, region.grid.affine)
    source = np.argmax(np.abs(change[:3, :3]), axis=1)  # for each axis here, the region's axis along it
    across = change[:3, :3].copy()
    across[np.arange(3), source] = 0
    if len(set(source.tolist())) == 3 and np.abs(across @ np.array(region.coverage.shape)).max() < ALONG:
        mask, inside = _spread(region, grid, change, source)
    else:
        mask, inside = _sampled(region, grid, change)
    if inside < 1 - OUTSIDE_TOLERANCE and not (cut and mask.any()):
        raise OutsideImage(
            f"Region '{region.name}' reaches outside the image: {1 - inside:.1%} of its volume lies beyond the edge.",
            "Cut the region to the image, or choose an image that holds it.",
        )
    mask[mask < NOTHING] = 0
    if not mask.any():
        raise BadInput(f"Region '{region.name}' covers no voxel of the image.")
    placed = Region.from_mask(region.name, grid, np.minimum(mask, 1), region.role)
    return replace(placed, recovery=region.recovery, provenance=region.provenance)


def _spread(region: Region, grid: Grid, change: Matrix, source: NDArray[np.intp]) -> tuple[NDArray[np.float32], float]:
    """Spread voxels along each axis in turn; return the mask and the share of the volume that it holds."""
    mask: Matrix = region.coverage.transpose(source).astype(np.float64)
    total = mask.sum() * region.grid.voxel_volume_mL
    for axis in range(3):
        along = source[axis]
        steps = region.offset[along] + np.arange(region.coverage.shape[along])
        # the middle of the box fixes the place along this axis; tilt within ALONG is forgotten
        others = np.array(region.offset) + (np.array(region.coverage.shape) - 1) / 2
        others[along] = 0
        shares = _overlaps(change[axis, along], change[axis, :3] @ others + change[axis, 3], steps, grid.shape[axis])
        mask = np.moveaxis(np.tensordot(shares, mask, axes=(1, axis)), 0, axis)
    return mask.astype(np.float32), float(mask.sum() * grid.voxel_volume_mL / total)


def _overlaps(scale: float, origin: float, steps: NDArray[np.int_], count: int) -> Matrix:
    """Return how much of each voxel of one axis each voxel of another fills (count, len(steps))."""
    if abs(abs(scale) - 1) < SAME_SPACING and abs(origin - round(origin)) < SAME_PLACE:
        scale, origin = float(np.sign(scale)), float(round(origin))
    ends = np.sort(scale * (steps[:, None] + np.array([-0.5, 0.5])) + origin, axis=1)
    cells = np.arange(count)[:, None]
    return np.asarray(np.clip(np.minimum(ends[:, 1], cells + 0.5) - np.maximum(ends[:, 0], cells - 0.5), 0, None))


def _sampled(region: Region, grid: Grid, change: Matrix) -> tuple[NDArray[np.float32], float]:
    """Sample the region within each voxel; return the mask and the share of the volume within the grid."""
    mask = np.zeros(grid.shape, np.float32)
    ends = np.array(list(np.ndindex(2, 2, 2))) * np.array(region.coverage.shape) - 0.5 + region.offset
    corners = ends @ change[:3, :3].T + change[:3, 3]
    low = np.clip(np.floor(corners.min(axis=0) + 0.5).astype(int), 0, grid.shape)
    high = np.clip(np.floor(corners.max(axis=0) + 0.5).astype(int) + 1, low, grid.shape)
    back = np.linalg.inv(change)
    finer = int(np.ceil(2 * max(grid.spacing_mm) / min(region.grid.spacing_mm)))
    points = min(max(finer, FEWEST), MOST)
    within = (np.arange(points) + 0.5) / points - 0.5
    offsets = np.stack(np.meshgrid(within, within, within, indexing="ij"), axis=-1).reshape(-1, 3)
    plane = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low[:2], high[:2], strict=True)), indexing="ij"), -1)
    for k in range(low[2], high[2]):
        centres = np.concatenate([plane, np.full((*plane.shape[:2], 1), k)], axis=-1)
        total = np.zeros(plane.shape[:2])
        for offset in offsets:
            total += _looked_up(region, (centres + offset) @ back[:3, :3].T + back[:3, 3])
        mask[low[0] : high[0], low[1] : high[1], k] = total / len(offsets)
    filled = np.argwhere(region.coverage)
    weights = region.coverage[tuple(filled.T)].astype(np.float64)
    there = (filled + region.offset) @ change[:3, :3].T + change[:3, 3]
    inside = ((there > -0.5) & (there < np.array(grid.shape) - 0.5)).all(axis=1)
    return mask, float(weights[inside].sum() / weights.sum())


def _looked_up(region: Region, index: Matrix) -> NDArray[np.float32]:
    """Return the coverage of the voxel that each index of the region's grid falls into."""
    cells = np.floor(index + 0.5).astype(int) - region.offset
    outside = ((cells < 0) | (cells >= region.coverage.shape)).any(axis=-1)
    cells[outside] = 0
    found = region.coverage[cells[..., 0], cells[..., 1], cells[..., 2]]
    return np.where(outside, np.float32(0), found)
