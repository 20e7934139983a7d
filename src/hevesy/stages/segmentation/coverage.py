"""From drawn contours to the covered fraction of each voxel, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Outline, Region
from hevesy.errors import BadInput, GridMismatch, OutsideImage
from hevesy.kernels.coverage import cell_areas

#: a plane this close to a slice, in slices, was drawn on it: coordinates are stored rounded
SAME_PLANE = 0.02
#: contours further apart than this many usual spacings enclose nothing between them: one undrawn slice was
#: forgotten, more were left out on purpose
OPEN_GAP = 2.5
#: share of a region's volume that may lie outside the image, for the rounding of stored coordinates
OUTSIDE_TOLERANCE = 1e-3
#: largest share of a region that loops wound against their contour may cut away
CROSSING_TOLERANCE = 0.01
#: planes per slice on which prisms oblique to the grid are cut
SUBPLANES = 8
#: a coverage below this is rounding
NOTHING = 1e-6
#: no polygon of sense is longer than this many voxels
TOO_LONG = 20_000

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Prism:
    """A contour and the slab that it stands for."""

    points_mm: Points
    sign: float  # −1 for a hole
    below_mm: float
    above_mm: float


class _Canvas:
    """Coverage of the part of a grid that a region can reach, and what fell outside the grid."""

    def __init__(self, grid: Grid, lowest: Points, highest: Points, name: str) -> None:
        shape = np.array(grid.shape)
        self.low: NDArray[np.int_] = np.clip(np.floor(lowest + 0.5).astype(int), 0, shape - 1)
        high = np.clip(np.floor(highest + 0.5).astype(int) + 1, self.low + 1, shape)
        self.coverage = np.zeros(tuple(high - self.low), np.float32)
        self.name = name
        self.drawn = self.lost = 0.0

    def add(self, axis: int, uv: Points, layers: list[tuple[int, float]], sign: float) -> None:
        """Add a polygon, with a sign, to layers of the canvas, each with the share of its depth that is filled."""
        first = np.floor(uv.min(axis=0) + 0.5).astype(int)
        size = np.floor(uv.max(axis=0) + 0.5).astype(int) + 1 - first
        if size.max() > TOO_LONG:
            raise OutsideImage(f"Region '{self.name}' is {size.max()} voxels long; the image cannot hold it.")
        areas = cell_areas(uv + 0.5 - first, (int(size[0]), int(size[1])))
        begin = first - np.delete(self.low, axis)
        extent = np.delete(self.coverage.shape, axis)
        inner = [slice(max(0, -b), max(0, min(n, e - b))) for b, n, e in zip(begin, size, extent, strict=True)]
        outer = [slice(b + s.start, b + max(s.start, s.stop)) for b, s in zip(begin, inner, strict=True)]
        kept = areas[inner[0], inner[1]]
        whole = abs(float(areas.sum()))
        beyond = whole - abs(float(kept.sum()))
        for layer, depth in layers:
            place = layer - int(self.low[axis])
            within = 0 <= place < self.coverage.shape[axis]
            self.drawn += whole * depth
            self.lost += (beyond if within else whole) * depth
            if within:
                window = np.moveaxis(self.coverage, axis, 0)[place][outer[0], outer[1]]
                window += (sign * depth * kept).astype(np.float32)


def cover(outline: Outline, grid: Grid, *, cut: bool = False) -> Region:
    """Return the exact fraction of each voxel that lies inside a drawn structure.

    Each contour stands for a prism: its polygon, reaching half way to the neighbouring contour planes. At the first
    and last plane it reaches out half the distance to the one neighbour; a structure on one plane is one slice thick.
    Planes more than 2.5 usual spacings apart are not joined. In the slice the area of polygon and pixel in common is
    exact (Green's theorem); through the slices, the overlap of slab and slice is exact where contours are parallel to
    the grid along any of its axes, and summed over eight planes a slice where the grid is oblique to them. A contour
    inside another is a hole, one inside a hole is an island, a keyhole contour is what it encloses, and contours that
    overlap are joined.

    Parameters
    ----------
    outline : Outline
        Closed planar contours on parallel planes, LPS, mm.
    grid : Grid
        The image's grid, in the same frame of reference.
    cut : bool
        Leave out what lies beyond the grid instead of refusing it, as for the outline of a whole body.

    Returns
    -------
    Region
        Fractions 0 to 1 on the grid.

    Raises
    ------
    GridMismatch
        If the outline and the grid name different frames of reference.
    OutsideImage
        If more than 0.1% of the structure's volume lies outside the grid; with `cut`, if all of it does.
    BadInput
        If a contour is not planar, the planes are not parallel, nothing is enclosed, or a contour crosses itself so
        that its inside is not defined.
    """
    frames = {outline.frame_of_reference, grid.frame_of_reference} - {None}
    if len(frames) > 1:
        raise GridMismatch(
            f"Region '{outline.name}' was drawn in another frame of reference than the image.",
            "Register the two first, or choose the image that it was drawn on.",
        )
    normal, prisms = _prisms(outline, grid)
    reach = [grid.to_index(p.points_mm + d * normal) for p in prisms for d in (-p.below_mm, p.above_mm)]
    stacked = np.concatenate(reach)
    canvas = _Canvas(grid, stacked.min(axis=0), stacked.max(axis=0), outline.name)
    along = np.asarray(np.linalg.solve(grid.affine[:3, :3], normal), np.float64)
    axis = int(np.argmax(np.abs(along) * grid.spacing_mm))
    for prism in prisms:
        _fill(canvas, prism, grid, along, axis)
    beyond = canvas.lost > OUTSIDE_TOLERANCE * canvas.drawn
    if beyond and not (cut and canvas.coverage.any()):
        share = canvas.lost / canvas.drawn
        raise OutsideImage(
            f"Region '{outline.name}' reaches outside the image: {share:.1%} of its volume lies beyond the edge.",
            "Cut the region to the image, or choose an image that holds it.",
        )
    return _region(canvas, outline, grid)


def _region(canvas: _Canvas, outline: Outline, grid: Grid) -> Region:
    coverage = canvas.coverage
    total = float(coverage.sum(dtype=np.float64))
    if -float(coverage[coverage < 0].sum(dtype=np.float64)) > CROSSING_TOLERANCE * abs(total):
        raise BadInput(
            f"A contour of region '{outline.name}' crosses itself, so that its inside is not defined.", "Redraw it."
        )
    coverage[coverage < NOTHING] = 0
    np.minimum(coverage, 1, out=coverage)
    offset = canvas.low
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        filled = np.flatnonzero(coverage.any(axis=others))
        if not filled.size:
            raise BadInput(f"Region '{outline.name}' encloses no volume.")
        coverage = np.take(coverage, range(filled[0], filled[-1] + 1), axis)
        offset[axis] += filled[0]
    return Region(outline.name, grid, coverage, (int(offset[0]), int(offset[1]), int(offset[2])), outline.role)


def _fill(canvas: _Canvas, prism: _Prism, grid: Grid, along: Points, axis: int) -> None:
    index = grid.to_index(prism.points_mm)
    others = [a for a in range(3) if a != axis]
    turned = prism.sign * np.sign(_area(index[:, others]))
    ends = np.sort([-prism.below_mm * along[axis], prism.above_mm * along[axis]])
    level = float(index[:, axis].mean())
    flat = np.ptp(index[:, axis]) < SAME_PLANE
    upright = np.abs(along[others] * (prism.below_mm + prism.above_mm)).max() < SAME_PLANE / 2
    if flat and upright:
        canvas.add(axis, index[:, others], list(_layers(level + ends[0], level + ends[1])), turned)
        return
    lowest, highest = index[:, axis].min() + ends[0], index[:, axis].max() + ends[1]
    for layer in range(int(np.floor(lowest + 0.5)), int(np.floor(highest + 0.5)) + 1):
        for plane in layer - 0.5 + (np.arange(SUBPLANES) + 0.5) / SUBPLANES:
            section = _section(index, along, axis, float(plane), prism)
            if len(section):
                canvas.add(axis, section, [(layer, 1 / SUBPLANES)], turned)


def _layers(low: float, high: float) -> Iterator[tuple[int, float]]:
    """Yield each slice between two levels with the share of its thickness between them."""
    for layer in range(int(np.floor(low + 0.5)), int(np.floor(high + 0.5)) + 1):
        depth = min(high, layer + 0.5) - max(low, layer - 0.5)
        if depth > NOTHING:
            yield layer, depth


def _section(index: Points, along: Points, axis: int, plane: float, prism: _Prism) -> Points:
    """Cut a prism by a plane of constant index: slide the contour along its normal onto it, keep the slab's part."""
    others = [a for a in range(3) if a != axis]
    shift = (plane - index[:, axis]) / along[axis]
    corners = np.column_stack([index[:, others] + shift[:, None] * along[others], shift])
    corners = _clip(corners, prism.above_mm)
    corners[:, 2] *= -1
    return _clip(corners, prism.below_mm)[:, :2]


def _clip(corners: Points, limit: float) -> Points:
    """Keep the part of a polygon whose last coordinate is at most a limit (Sutherland and Hodgman 1974)."""
    if not len(corners) or corners[:, 2].max() <= limit:
        return corners
    after = np.roll(corners, -1, axis=0)
    inside, next_inside = corners[:, 2] <= limit, after[:, 2] <= limit
    crossing = inside != next_inside
    step = np.where(crossing, after[:, 2] - corners[:, 2], 1.0)
    cut = corners + ((limit - corners[:, 2]) / step)[:, None] * (after - corners)
    both = np.stack([cut, after], axis=1)
    return np.asarray(both[np.stack([crossing, next_inside], axis=1)])


def _prisms(outline: Outline, grid: Grid) -> tuple[Points, list[_Prism]]:
    contours = [np.asarray(c, np.float64) for c in outline.contours_mm if len(c) >= 3]
    vectors = [_area_vector(c) for c in contours]
    sizes = [float(np.linalg.norm(v)) for v in vectors]
    if not sizes or not max(sizes) > 0:
        raise BadInput(f"Region '{outline.name}' encloses no area.")
    normal = vectors[int(np.argmax(sizes))] / max(sizes)
    slice_mm = float(np.abs(normal @ grid.affine[:3, :3]).max())
    spread = max(float(np.ptp(c @ normal)) for c in contours)
    if spread > 0.1 * slice_mm:
        raise BadInput(
            f"Region '{outline.name}' has contours that are not flat on parallel planes (out by {spread:.2g} mm).",
            "Draw it on one set of slices.",
        )
    across = np.linalg.svd(normal[None])[2][1:]
    planes = _planes([c for c, size in zip(contours, sizes, strict=True) if size > 0], normal, SAME_PLANE * slice_mm)
    planes = _on_slices(planes, normal, grid)
    below, above = _slabs(np.array([height for height, _ in planes]), slice_mm)
    pixel_mm = min(grid.spacing_mm)
    return normal, [
        _Prism(contour, sign, float(low), float(high))
        for (_, members), low, high in zip(planes, below, above, strict=True)
        for contour, sign in zip(members, _signs([m @ across.T / pixel_mm for m in members]), strict=True)
        if sign
    ]


def _planes(contours: list[Points], normal: Points, same_mm: float) -> list[tuple[float, list[Points]]]:
    """Group contours by plane, lowest first."""
    planes: list[tuple[float, list[Points]]] = []
    for contour in sorted(contours, key=lambda c: float((c @ normal).mean())):
        height = float((contour @ normal).mean())
        if planes and height - planes[-1][0] < same_mm:
            planes[-1][1].append(contour)
        else:
            planes.append((height, [contour]))
    return planes


def _on_slices(
    planes: list[tuple[float, list[Points]]], normal: Points, grid: Grid
) -> list[tuple[float, list[Points]]]:
    """Move planes that were drawn on slices onto them: coordinates are stored rounded, and slivers would remain."""
    steps = normal @ grid.affine[:3, :3]
    step = float(steps[np.argmax(np.abs(steps))])
    if np.sum(np.abs(steps)) - abs(step) > 1e-4 * abs(step):
        return planes
    origin = float(normal @ grid.affine[:3, 3])
    slices = [round((height - origin) / step) * step + origin for height, _ in planes]
    moves = [there - height for there, (height, _) in zip(slices, planes, strict=True)]
    if max(map(abs, moves)) > SAME_PLANE * abs(step):
        return planes
    return [
        (there, [c + move * normal for c in members])
        for there, move, (_, members) in zip(slices, moves, planes, strict=True)
    ]


def _slabs(heights_mm: Points, slice_mm: float) -> tuple[Points, Points]:
    """Return how far each contour plane reaches down and up, mm."""
    if len(heights_mm) == 1:
        return np.array([slice_mm / 2]), np.array([slice_mm / 2])
    between = np.diff(heights_mm)
    usual = float(np.sort(between)[(len(between) - 1) // 2])  # the lower median: gaps only widen
    half = np.where(between > OPEN_GAP * usual, usual, between) / 2
    return np.concatenate([half[:1], half]), np.concatenate([half, half[-1:]])


def _signs(polygons: list[Points]) -> list[float]:
    """Return +1 for each contour that adds to what encloses it, −1 for each hole, 0 for one drawn twice."""
    if len(polygons) == 1:
        return [1.0]
    sizes = [abs(_area(p)) for p in polygons]
    order = sorted(range(len(polygons)), key=lambda i: -sizes[i])
    signs = [1.0] * len(polygons)
    for place, small in enumerate(order):
        for large in order[:place]:
            if signs[large] and _same(polygons[small], polygons[large]):
                signs[small] = 0.0
                break
            if signs[large] and _encloses(polygons[large], polygons[small], sizes[small]):
                signs[small] *= -1.0
    return signs


def _same(first: Points, second: Points) -> bool:
    close = 1e-3
    return (
        abs(abs(_area(first)) - abs(_area(second))) < close
        and np.allclose(first.min(axis=0), second.min(axis=0), atol=close)
        and np.allclose(first.max(axis=0), second.max(axis=0), atol=close)
        and bool(np.allclose(_inner_point(first), _inner_point(second), atol=close))
    )


def _encloses(large: Points, small: Points, small_area: float) -> bool:
    """Say whether a polygon lies within another, and does not merely overlap it."""
    if not _holds(large, _inner_point(small)):
        return False
    first = np.floor(np.minimum(large.min(axis=0), small.min(axis=0)))
    size = np.floor(np.maximum(large.max(axis=0), small.max(axis=0)) - first).astype(int) + 1
    shape = (int(size[0]), int(size[1]))
    common = np.minimum(np.abs(cell_areas(large - first, shape)), np.abs(cell_areas(small - first, shape)))
    return float(common.sum()) > (1 - CROSSING_TOLERANCE) * small_area


def _inner_point(polygon: Points) -> Points:
    """Return a point well inside a polygon: the middle of its widest chord half way up."""
    levels = np.unique(polygon[:, 1])
    middle = len(levels) // 2
    level = float(levels[middle - 1] + levels[middle]) / 2
    chord = np.sort(_crossings(polygon, level))
    widths = chord[1::2] - chord[::2]
    widest = int(np.argmax(widths))
    return np.array([(chord[2 * widest] + chord[2 * widest + 1]) / 2, level])


def _holds(polygon: Points, point: Points) -> bool:
    return bool(np.count_nonzero(_crossings(polygon, float(point[1])) > point[0]) % 2)


def _crossings(polygon: Points, level: float) -> Points:
    """Return where a polygon's edges cross a level of the second coordinate."""
    after = np.roll(polygon, -1, axis=0)
    crossing = (polygon[:, 1] > level) != (after[:, 1] > level)
    a, b = polygon[crossing], after[crossing]
    return np.asarray(a[:, 0] + (level - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))


def _area(polygon: Points) -> float:
    """Return the signed area of a plane polygon."""
    p = polygon - polygon[0]
    q = np.roll(p, -1, axis=0)
    return float(np.sum(p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1])) / 2


def _area_vector(contour: Points) -> Points:
    """Return the vector across a contour whose length is its area (Newell)."""
    p = contour - contour[0]
    return np.asarray(np.cross(p, np.roll(p, -1, axis=0)).sum(axis=0) / 2)
