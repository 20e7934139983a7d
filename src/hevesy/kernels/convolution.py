"""Convolution of a volume with a kernel that is even along every axis."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

#: bytes of one block of planes: it should stay in the processor's cache
BLOCK_BYTES = 8 << 20


def convolve_even(volume: NDArray[Any], octant: NDArray[Any], workers: int | None = None) -> NDArray[np.float32]:
    """Return the convolution of a volume with an even kernel, of the volume's shape, zero outside.

    Parameters
    ----------
    volume : (n0, n1, n2) array
        What is convolved.
    octant : (h0 + 1, h1 + 1, h2 + 1) array
        The kernel at offsets that are not negative; offsets that the volume cannot hold are ignored, those that
        the octant lacks are 0.
    workers : int, optional
        Threads; all processors if absent.

    Returns
    -------
    (n0, n1, n2) array of float32
        Rounding is 1e-6 of the largest value.
    """
    workers = workers or os.cpu_count() or 1
    kept = octant[tuple(slice(0, n) for n in volume.shape)]
    # enough zeros that no offset of the kernel wraps around; even, so that the spectrum is a cosine transform
    half = [scipy.fft.next_fast_len((n + k) // 2 + 1, real=True) for n, k in zip(volume.shape, kept.shape, strict=True)]
    spectrum = _even_spectrum(kept, half, workers)
    lines = scipy.fft.rfft(np.asarray(volume, np.float32), 2 * half[2], axis=2, workers=workers)
    lines = np.ascontiguousarray(np.moveaxis(lines, 2, 0))
    block = max(1, BLOCK_BYTES // (8 * 4 * half[0] * half[1]))
    for first in range(0, len(lines), block):
        planes = slice(first, first + block)
        lines[planes] = _convolve_planes(lines[planes], spectrum[planes], workers)
    result = scipy.fft.irfft(np.moveaxis(lines, 0, 2), 2 * half[2], axis=2, workers=workers)
    return np.ascontiguousarray(result[:, :, : volume.shape[2]])


def _even_spectrum(octant: NDArray[Any], half: list[int], workers: int) -> NDArray[np.float32]:
    """Return the real spectrum of the mirrored octant, last axis first and of its full length half + 1."""
    padded = np.zeros([n + 1 for n in half], np.float32)
    padded[tuple(slice(0, k) for k in octant.shape)] = octant
    return np.ascontiguousarray(np.moveaxis(scipy.fft.dctn(padded, type=1, workers=workers), 2, 0))


def _convolve_planes(planes: NDArray[Any], spectrum: NDArray[np.float32], workers: int) -> NDArray[Any]:
    _, n0, n1 = planes.shape
    size0, size1 = 2 * (spectrum.shape[1] - 1), 2 * (spectrum.shape[2] - 1)
    wide = scipy.fft.fft(planes, size1, axis=2, workers=workers)
    wide = scipy.fft.fft(wide, size0, axis=1, workers=workers)
    mirror0 = _mirror(size0)
    wide *= spectrum[:, mirror0][:, :, _mirror(size1)]
    wide = scipy.fft.ifft(wide, axis=1, workers=workers, overwrite_x=True)[:, :n0]
    result: NDArray[Any] = scipy.fft.ifft(wide, axis=2, workers=workers)[:, :, :n1]
    return result


def _mirror(size: int) -> NDArray[np.int64]:
    index = np.arange(size)
    return np.minimum(index, size - index)
