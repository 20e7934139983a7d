"""Convolution of a volume with a kernel that is even along every axis."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

#: bytes of one block of planes: it should stay in the processor's cache
BLOCK_BYTES = 2 << 20


@dataclass(frozen=True, slots=True, eq=False)
class EvenSpectrum:
    """The Fourier transform of an even kernel, for volumes of one shape.

    Parameters
    ----------
    shape : tuple of int
        Of the volumes that it convolves.
    values : (h2 + 1, h0 + 1, h1 + 1) array of float32
        The spectrum on a lattice of 2 h points an axis, last axis first; it is real and even.
    """

    shape: tuple[int, int, int]
    values: NDArray[np.float32] = field(repr=False)


def even_spectrum(octant: NDArray[Any], shape: tuple[int, int, int], workers: int | None = None) -> EvenSpectrum:
    """Return the spectrum of an even kernel, with enough room that no offset wraps around a volume.

    Parameters
    ----------
    octant : (h0 + 1, h1 + 1, h2 + 1) array
        The kernel at offsets that are not negative; offsets that the volume cannot hold are ignored, those that
        the octant lacks are 0.
    shape : tuple of int
        Of the volumes to convolve.
    workers : int, optional
        Threads; all processors if absent.
    """
    kept = octant[tuple(slice(0, n) for n in shape)]
    half = [scipy.fft.next_fast_len((n + k) // 2 + 1, real=True) for n, k in zip(shape, kept.shape, strict=True)]
    padded = np.zeros([n + 1 for n in half], np.float32)
    padded[tuple(slice(0, k) for k in kept.shape)] = kept
    values = scipy.fft.dctn(padded, type=1, workers=workers or os.cpu_count(), overwrite_x=True)
    return EvenSpectrum(shape, np.ascontiguousarray(np.moveaxis(values, 2, 0)))


def convolve_even(volume: NDArray[Any], spectrum: EvenSpectrum, workers: int | None = None) -> NDArray[np.float32]:
    """Return the convolution of a volume with an even kernel, of the volume's shape, zero outside.

    Parameters
    ----------
    volume : (n0, n1, n2) array
        What is convolved.
    spectrum : EvenSpectrum
        Of the kernel, for this shape.
    workers : int, optional
        Threads; all processors if absent.

    Returns
    -------
    (n0, n1, n2) array of float32
        Rounding is 1e-6 of the largest value.
    """
    workers = workers or os.cpu_count() or 1
    half2, half0, half1 = (n - 1 for n in spectrum.values.shape)
    n0, n1, n2 = volume.shape
    lines = np.empty((half2 + 1, n0, n1), np.complex64)
    slab = max(1, BLOCK_BYTES // (8 * n1 * (half2 + 1)))
    for first in range(0, n0, slab):
        part = np.asarray(volume[first : first + slab], np.float32)
        lines[:, first : first + slab] = np.moveaxis(scipy.fft.rfft(part, 2 * half2, axis=2, workers=workers), 2, 0)
    block = max(1, BLOCK_BYTES // (8 * 4 * half0 * half1))
    for first in range(0, half2 + 1, block):
        planes = slice(first, first + block)
        _convolve_planes(lines[planes], spectrum.values[planes], workers)
    result = np.empty((n0, n1, n2), np.float32)
    for first in range(0, n0, slab):
        part = np.moveaxis(lines[:, first : first + slab], 0, 2)
        result[first : first + slab] = scipy.fft.irfft(part, 2 * half2, axis=2, workers=workers)[..., :n2]
    return result


def _convolve_planes(planes: NDArray[Any], spectrum: NDArray[np.float32], workers: int) -> None:
    """Convolve planes, in place, with their part of a spectrum."""
    count, n0, n1 = planes.shape
    half0, half1 = (n - 1 for n in spectrum.shape[1:])
    wide = np.zeros((count, 2 * half0, 2 * half1), np.complex64)
    wide[:, :n0, :n1] = planes
    scipy.fft.fft(wide[:, :n0], axis=2, workers=workers, overwrite_x=True)
    scipy.fft.fft(wide, axis=1, workers=workers, overwrite_x=True)
    # an even spectrum: the upper halves mirror the lower ones
    lower, upper = slice(0, half0 + 1), slice(half0 + 1, None)
    mirrored = spectrum[:, half0 - 1 : 0 : -1]
    wide[:, lower, : half1 + 1] *= spectrum
    wide[:, lower, half1 + 1 :] *= spectrum[:, :, half1 - 1 : 0 : -1]
    wide[:, upper, : half1 + 1] *= mirrored
    wide[:, upper, half1 + 1 :] *= mirrored[:, :, half1 - 1 : 0 : -1]
    scipy.fft.ifft(wide, axis=1, workers=workers, overwrite_x=True)
    scipy.fft.ifft(wide[:, :n0], axis=2, workers=workers, overwrite_x=True)
    planes[:] = wide[:, :n0, :n1]
