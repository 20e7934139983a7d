"""Which reader reads which kind of series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hevesy.core import Image, PlanarView, Projections
from hevesy.errors import WrongQuantity
from hevesy.stages.imaging import header, rtdose
from hevesy.stages.imaging.anatomy import read_anatomy
from hevesy.stages.imaging.multiframe import read_multiframe
from hevesy.stages.imaging.nifti_in import read_nifti
from hevesy.stages.imaging.pet import read_pet
from hevesy.stages.imaging.planar_views import read_planar
from hevesy.stages.imaging.reconstruction import read_reconstruction
from hevesy.stages.imaging.rtstruct import read_structures
from hevesy.stages.imaging.segmentation_object import read_segments
from hevesy.stages.imaging.series import Kind, Series
from hevesy.stages.imaging.spect_projections import read_projections
from hevesy.stages.imaging.structures import Structures
from hevesy.stages.imaging.supplied import Supplied


def read_volumes(series: Series, supplied: Supplied) -> tuple[Image, ...]:
    """Read the volumes of a series.

    Raises
    ------
    WrongQuantity
        If its kind holds no volumes.
    """
    if series.kind not in VOLUMES:
        raise WrongQuantity(f"{series.name} holds {series.kind.value}, not a volume.")
    return VOLUMES[series.kind](series, supplied)


def _pet(series: Series, supplied: Supplied) -> tuple[Image, ...]:
    return read_pet(series.headers, series.files, series.name, supplied)


def _spect(series: Series, supplied: Supplied) -> tuple[Image, ...]:
    if series.modality == "PT" or len(series.files) > 1:
        return _pet(series, supplied)
    return read_reconstruction(series.headers, series.files, series.name, supplied)


def _anatomy(series: Series, supplied: Supplied) -> tuple[Image, ...]:
    if header.frames(series.headers[0]) > 1 or "SharedFunctionalGroupsSequence" in series.headers[0]:
        return _multiframe(series, supplied)
    return (read_anatomy(series.headers, series.files, series.name),)


def _projections(series: Series, supplied: Supplied) -> tuple[Projections, ...]:
    return read_projections(series.headers[0], series.files[0], series.name)


def _planar(series: Series, supplied: Supplied) -> tuple[PlanarView, ...]:
    return read_planar(series.headers[0], series.files[0], series.name)


def _structures(series: Series, supplied: Supplied) -> Structures:
    return read_structures(series.files[0])


def _segments(series: Series, supplied: Supplied) -> Structures:
    return read_segments(series.files[0])


def _multiframe(series: Series, supplied: Supplied) -> tuple[Image, ...]:
    return read_multiframe(series.headers[0], series.files[0], series.name)


def _dose(series: Series, supplied: Supplied) -> tuple[Image, ...]:
    return (rtdose.read(series.files[0]),)


def _nifti(series: Series, supplied: Supplied) -> tuple[Image, ...]:
    return (read_nifti(series.files[0]),)


VOLUMES: dict[Kind, Callable[[Series, Supplied], tuple[Image, ...]]] = {
    Kind.PET: _pet,
    Kind.SPECT: _spect,
    Kind.CT: _anatomy,
    Kind.MR: _anatomy,
    Kind.PARAMETRIC_MAP: _multiframe,
    Kind.RTDOSE: _dose,
    Kind.NIFTI: _nifti,
}

READERS: dict[Kind, Callable[[Series, Supplied], Any]] = {
    **VOLUMES,
    Kind.PROJECTIONS: _projections,
    Kind.WHOLE_BODY: _planar,
    Kind.STATIC: _planar,
    Kind.DYNAMIC: _planar,
    Kind.GATED: _planar,
    Kind.RTSTRUCT: _structures,
    Kind.SEG: _segments,
}
