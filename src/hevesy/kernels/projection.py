"""Projection of a volume with attenuation and a blur that grows with distance, and its exact adjoint.

Each view looks at the volume on a lattice of its own: depth planes parallel to the detector, and rays that are parallel
or, for a fan beam, meet in a focal line beyond the volume. Forward, planes are walked from the farthest to the
nearest, and what has been gathered is blurred by the *difference* in variance between checkpoints on the way (McCarthy
and Miller 1991, IEEE NSS 3:1979; Di Bella et al. 1996, IEEE Trans Nucl Sci 43:3345). A plane between two checkpoints
is shared between them so that its variance is its own, and several planes cost one small convolution, as planned by
`hevesy.kernels.depth_blur`. Every elementary step is a linear map whose transpose is written out, so that `backproject`
is the transpose of `project` to rounding. Views run in parallel; a volume is laid out with the axis of rotation last,
so that inner loops are vectors: each is short and writes one or two rows, for with more the compiler gives up proving
that they do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit, prange, set_num_threads
from numpy.typing import NDArray

from hevesy.kernels.depth_blur import Walk
from hevesy.kernels.view_lattice import add_shared, inside, place, sample, scatter, secant

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
System = tuple[NDArray[np.uint16], Floats, Ints, Ints, Ints, Floats, Floats]

#: full scale of a stored survival probability: half a step is 8e-6
SURVIVAL_SCALE = np.float32(65535.0)
#: voxels times views that make a thread worth waking: about 10 ms
STEPS_PER_THREAD = 2_000_000
#: zeros before and after each row while it is blurred; eight keep rows aligned
MARGIN = 8


class Optics(NamedTuple):
    """What each view sees, as the kernels take it.

    Attributes
    ----------
    surviving : (views, n, bins, nz) array
        From `survival`; an array with no view means no attenuation.
    frames : (views, 7) array
        Detector normal (x, y), direction of the bins (x, y), the bin offset of the axis of rotation, and the spacing
        of rays at the axis and its growth per plane towards the detector, in voxels: 1 and 0 where rays are parallel.
        A ray that is inclined by γ counts cos³γ of one that is not: its hole is longer, and narrower across.
    walk : Walk
        The blur.
    spans : (views, planes, 2) array
        From `hevesy.kernels.view_lattice.spans`: the bins of each plane that are walked.
    """

    surviving: NDArray[np.uint16]
    frames: Floats
    walk: Walk
    spans: Ints

    def arrays(self) -> System:
        """Return all arrays, flat: compiled loops over views take no nested tuple."""
        return (self.surviving, self.frames, self.spans, *self.walk)


def survival(mu: Floats, frames: Floats, bins: int) -> NDArray[np.uint16]:
    """Return the probability that a photon leaves the volume towards the detector, for every view.

    exp(−Σ μ) over all planes nearer to the detector and half of the photon's own, along its ray.

    Parameters
    ----------
    mu : (n + 2, n + 2, nz) array
        Attenuation per plane (μ × spacing), with a border of zeros.
    frames : (views, 7) array
        See `Optics`.
    bins : int
        Number of bins across the detector.

    Returns
    -------
    (views, n, bins, nz) array
        Probability × 65535; plane 0 is the farthest from the detector.
    """
    # made here: numpy asks for large pages, and half a gigabyte of small ones takes seconds to come by
    stored = np.empty((frames.shape[0], mu.shape[0] - 2, bins, mu.shape[2]), np.uint16)
    _survival_into(stored, mu, frames)
    return stored


def project(volume: Floats, views: Ints, optics: Optics) -> Floats:
    """Project a volume onto some of the views.

    Parameters
    ----------
    volume : (n + 2, n + 2, nz) array
        Values with a border of zeros in the plane of rotation.
    views : (m,) array
        Which views, as indices into `optics`.
    optics : Optics
        What they see.

    Returns
    -------
    (m, bins, nz) array
        Sum over planes of volume × survival × blur; no voxel size enters.
    """
    out = np.empty((views.size, *optics.surviving.shape[2:]), np.float32)
    with _threads_for(volume.size * views.size):
        _project_into(out, volume, views, optics.arrays())
    return out


def backproject(projections: Floats, views: Ints, optics: Optics) -> Floats:
    """Apply the transpose of `project`.

    Parameters
    ----------
    projections : (m, bins, nz) array
        One plane of values for each of `views`.
    views, optics
        See `project`.

    Returns
    -------
    (n, n, nz) array
        Sum over views of the values spread back into the volume.
    """
    with _partial_volumes(views, optics) as partial:
        _backproject_into(partial, projections, views, optics.arrays())
    return _sum_inside(partial)


def backproject_ratio(
    volume: Floats, counts: Floats, additive: Floats, floor: float, views: Ints, optics: Optics
) -> Floats:
    """Backproject measured over expected counts, view by view, while what the view sees is in the cache.

    Parameters
    ----------
    volume : (n + 2, n + 2, nz) array
        Image with a border of zeros in the plane of rotation.
    counts, additive : (all views, bins, nz) arrays
        Measured counts and what is expected besides the projection; an `additive` with no view means nothing.
    floor : float
        Expected counts below which a bin is seen by no voxel: its ratio is 0.
    views, optics
        See `project`.

    Returns
    -------
    (n, n, nz) array
        Aᵀ(y / (A f + r)) over the views.
    """
    with _partial_volumes(views, optics) as partial:
        _backproject_ratio_into(partial, volume, (counts, additive, np.float32(floor)), views, optics.arrays())
    return _sum_inside(partial)


def planes_of(volume: Floats, view: int, optics: Optics) -> Floats:
    """Return the planes of a volume that a view sees, attenuated and not blurred: (n, bins, nz), farthest first."""
    planes = np.zeros(optics.surviving.shape[1:], np.float32)
    _planes_into(planes, volume, optics.frames[view], _seen(view, optics))
    return planes


def add_planes(planes: Floats, view: int, optics: Optics, volume: Floats) -> None:
    """Add the transpose of `planes_of` applied to planes (n, bins, nz) to a bordered volume; `planes` are used up."""
    _add_planes(planes, optics.frames[view], _seen(view, optics), volume)


def _seen(view: int, optics: Optics) -> NDArray[np.uint16]:
    surviving = optics.surviving
    return surviving[view] if surviving.shape[0] else np.empty((0, *surviving.shape[2:]), np.uint16)


@contextmanager
def _partial_volumes(views: Ints, optics: Optics) -> Iterator[Floats]:
    """Give each worker a volume of its own to add into: no two threads write one voxel."""
    side, depth = optics.walk.shares.shape[1] + 2, optics.surviving.shape[3]
    with _threads_for(side * side * depth * views.size) as threads:
        yield np.zeros((min(threads, views.size), side, side, depth), np.float32)


def _sum_inside(partial: Floats) -> Floats:
    total: Floats = partial[0, 1:-1, 1:-1].copy()  # the border holds what fell outside
    for other in partial[1:]:
        total += other[1:-1, 1:-1]
    return total


@contextmanager
def _threads_for(steps: int) -> Iterator[int]:
    """Use no more threads than there is work for: on a busy machine to wait for one takes longer than a small view."""
    before = get_num_threads()
    set_num_threads(max(1, min(before, steps // STEPS_PER_THREAD)))
    try:
        yield get_num_threads()
    finally:
        set_num_threads(before)


@njit(parallel=True, fastmath=True, cache=True)
def _survival_into(stored: NDArray[np.uint16], mu: Floats, frames: Floats) -> None:
    for view in prange(frames.shape[0]):
        _survival_of_view(mu, frames[view], stored[view])


@njit(parallel=True, fastmath=True, cache=True)
def _project_into(out: Floats, volume: Floats, views: Ints, system: System) -> None:
    surviving, frames, spans, starts, passes, taps, shares = system
    for m in prange(views.size):
        _project_view(volume, views[m], (surviving, frames, spans, starts, passes, taps, shares), out[m])


@njit(parallel=True, fastmath=True, cache=True)
def _backproject_into(partial: Floats, projections: Floats, views: Ints, system: System) -> None:
    workers = partial.shape[0]
    surviving, frames, spans, starts, passes, taps, shares = system
    for worker in prange(workers):
        seen = (surviving, frames, spans, starts, passes, taps, shares)
        for m in range(worker, views.size, workers):
            _backproject_view(projections[m], views[m], seen, partial[worker])


@njit(parallel=True, fastmath=True, cache=True)
def _backproject_ratio_into(
    partial: Floats, volume: Floats, measured: tuple[Floats, Floats, np.float32], views: Ints, system: System
) -> None:
    counts, additive, floor = measured
    workers = partial.shape[0]
    surviving, frames, spans, starts, passes, taps, shares = system
    for worker in prange(workers):
        seen = (surviving, frames, spans, starts, passes, taps, shares)
        expected = np.empty((counts.shape[1], counts.shape[2]), np.float32)
        for m in range(worker, views.size, workers):
            view = views[m]
            _project_view(volume, view, seen, expected)
            for u in range(expected.shape[0]):
                for k in range(expected.shape[1]):
                    mean = expected[u, k] + (additive[view, u, k] if additive.shape[0] else np.float32(0))
                    expected[u, k] = counts[view, u, k] / mean if mean > floor else np.float32(0)
            _backproject_view(expected, view, seen, partial[worker])


@njit(fastmath=True, cache=True)
def _survival_of_view(mu: Floats, frame: Floats, stored: NDArray[np.uint16]) -> None:
    n, bins, depth = stored.shape
    chance = np.ones((bins, depth), np.float32)
    own = np.empty(depth, np.float32)
    for plane in range(n - 1, -1, -1):
        for u in range(bins):
            i, j = place(frame, n, bins, plane, u)
            kept, out = chance[u], stored[plane, u]
            if not inside(i, j, n):
                for k in range(depth):
                    out[k] = np.uint16(SURVIVAL_SCALE * kept[k] + np.float32(0.5))
                continue
            path = np.float32(0.5) * secant(frame, bins, u)
            sample(mu, i, j, own)
            for k in range(depth):
                half = _decay(path * own[k])
                reached = kept[k] * half
                out[k] = np.uint16(SURVIVAL_SCALE * reached + np.float32(0.5))
                kept[k] = reached * half


@njit(fastmath=True, cache=True, inline="always")
def _decay(x: np.float32) -> np.float32:
    """Return exp(−x) as (exp(−x/8))⁸ by series: within 1e-7 for 0 ≤ x ≤ 0.5, and a vector operation."""
    y = np.float32(0.125) * x
    e = np.float32(1 / 24) * y - np.float32(1 / 6)
    e = e * y + np.float32(0.5)
    e = e * y - np.float32(1)
    e = e * y + np.float32(1)
    e *= e
    e *= e
    return e * e


@njit(fastmath=True, cache=True)
def _mix(first: Floats, second: Floats, w1: np.float32, line: Floats) -> None:
    w2 = np.float32(1) - w1
    for k in range(line.size):
        line[k] = w1 * first[k] + w2 * second[k]


@njit(fastmath=True, cache=True)
def _dim(line: Floats, chance: NDArray[np.uint16]) -> None:
    scale = np.float32(1.0) / SURVIVAL_SCALE
    for k in range(line.size):
        line[k] *= scale * np.float32(chance[k])


@njit(fastmath=True, cache=True)
def _blur_along(line: Floats, out: Floats, taps: Floats) -> None:
    """Blur a row with its margins along the axis of rotation."""
    w0, w1, w2 = taps[3], taps[4], taps[5]
    for k in range(out.size):
        c = k + MARGIN
        out[k] = w0 * line[c] + w1 * (line[c - 1] + line[c + 1]) + w2 * (line[c - 2] + line[c + 2])


@njit(fastmath=True, cache=True)
def _blur_across(ring: Floats, u: int, out: Floats, taps: Floats) -> None:
    """Blur across the rows of a ring: row u of the plane is row u mod 8 of the ring."""
    s0, s1, s2, s3, s4 = ring[(u - 2) & 7], ring[(u - 1) & 7], ring[u & 7], ring[(u + 1) & 7], ring[(u + 2) & 7]
    w0, w1, w2 = taps[0], taps[1], taps[2]
    for k in range(out.size):
        out[k] = w0 * s2[k] + w1 * (s1[k] + s3[k]) + w2 * (s0[k] + s4[k])


@njit(fastmath=True, cache=True)
def _blur(plane: Floats, passes: int, taps: Floats, rows: Ints) -> None:
    """Blur rows of a plane (bins, nz + 2 margins) in place, and what they spread into; five are held beside it."""
    bins, depth = plane.shape[0], plane.shape[1] - 2 * MARGIN
    first, last = max(rows[0] - 2 * passes, 0), min(rows[1] + 2 * passes, bins)
    ring = np.empty((8, depth), np.float32)
    for _ in range(passes if rows[1] > rows[0] else 0):
        for u in range(first - 2, last + 2):
            if 0 <= u < bins:
                _blur_along(plane[u], ring[u & 7], taps)
            else:
                ring[u & 7] = 0
            if u >= first + 2:
                _blur_across(ring, u - 2, plane[u - 2, MARGIN : MARGIN + depth], taps)


@njit(cache=True)
def _reaches(spans: Ints, starts: Ints, passes: Ints, bins: int) -> Ints:
    """Return the rows, first and one past the last, that hold something before each group is blurred: (groups, 2)."""
    reaches = np.empty((passes.size, 2), np.int64)
    first, last = bins, 0
    for group in range(passes.size):
        for plane in range(starts[group], starts[group + 1]):
            first, last = min(first, spans[plane, 0]), max(last, spans[plane, 1])
        reaches[group, 0], reaches[group, 1] = first, last
        if last > first:
            first, last = max(first - 2 * passes[group], 0), min(last + 2 * passes[group], bins)
    return reaches


@njit(fastmath=True, cache=True)
def _project_view(volume: Floats, view: int, system: System, out: Floats) -> None:
    surviving, frames, spans, starts, passes, taps, shares = system
    frame = frames[view]
    n = volume.shape[0] - 2
    bins, depth = out.shape
    reaches = _reaches(spans[view], starts[view], passes[view], bins)
    before = np.zeros((bins, depth + 2 * MARGIN), np.float32)
    after = np.zeros_like(before)
    line = np.empty(depth, np.float32)
    for group in range(passes.shape[1]):
        for plane in range(starts[view, group], starts[view, group + 1]):
            share = shares[view, plane]
            for u in range(spans[view, plane, 0], spans[view, plane, 1]):
                i, j = place(frame, n, bins, plane, u)
                if not inside(i, j, n):
                    continue
                sample(volume, i, j, line)
                if surviving.shape[0]:
                    _dim(line, surviving[view, plane, u])
                first, second = before[u, MARGIN : MARGIN + depth], after[u, MARGIN : MARGIN + depth]
                add_shared(first, second, share, np.float32(1) - share, line)
        _blur(before, passes[view, group], taps[view, group], reaches[group])
        for u in range(reaches[group, 0], reaches[group, 1]):
            for k in range(MARGIN, MARGIN + depth):
                before[u, k] += after[u, k]
                after[u, k] = 0
    for u in range(bins):
        out[u] = before[u, MARGIN : MARGIN + depth] / secant(frame, bins, u) ** 3


@njit(fastmath=True, cache=True)
def _backproject_view(values: Floats, view: int, system: System, volume: Floats) -> None:
    surviving, frames, spans, starts, passes, taps, shares = system
    frame = frames[view]
    n = volume.shape[0] - 2
    bins, depth = values.shape
    reaches = _reaches(spans[view], starts[view], passes[view], bins)
    before = np.zeros((bins, depth + 2 * MARGIN), np.float32)
    after = np.empty_like(before)
    line = np.empty(depth, np.float32)
    for u in range(bins):
        before[u, MARGIN : MARGIN + depth] = values[u] / secant(frame, bins, u) ** 3
    for group in range(passes.shape[1] - 1, -1, -1):
        for u in range(reaches[group, 0], reaches[group, 1]):
            after[u] = before[u]
        _blur(before, passes[view, group], taps[view, group], reaches[group])
        for plane in range(starts[view, group], starts[view, group + 1]):
            share = shares[view, plane]
            for u in range(spans[view, plane, 0], spans[view, plane, 1]):
                i, j = place(frame, n, bins, plane, u)
                if not inside(i, j, n):
                    continue
                _mix(before[u, MARGIN : MARGIN + depth], after[u, MARGIN : MARGIN + depth], share, line)
                if surviving.shape[0]:
                    _dim(line, surviving[view, plane, u])
                scatter(volume, i, j, line)


@njit(parallel=True, fastmath=True, cache=True)
def _planes_into(planes: Floats, volume: Floats, frame: Floats, seen: NDArray[np.uint16]) -> None:
    n, bins, _ = planes.shape
    for plane in prange(n):
        for u in range(bins):
            i, j = place(frame, n, bins, plane, u)
            if inside(i, j, n):
                line = planes[plane, u]
                sample(volume, i, j, line)
                if seen.shape[0]:
                    _dim(line, seen[plane, u])
                line /= secant(frame, bins, u) ** 3


@njit(fastmath=True, cache=True)
def _add_planes(planes: Floats, frame: Floats, seen: NDArray[np.uint16], volume: Floats) -> None:
    n, bins, _ = planes.shape
    for plane in range(n):
        for u in range(bins):
            i, j = place(frame, n, bins, plane, u)
            if inside(i, j, n):
                line = planes[plane, u]
                if seen.shape[0]:
                    _dim(line, seen[plane, u])
                line /= secant(frame, bins, u) ** 3
                scatter(volume, i, j, line)
