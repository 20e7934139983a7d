"""Which reader reads which kind of series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hevesy.core import Image
from hevesy.errors import UnsupportedObject, WrongQuantity
from hevesy.stages.imaging.anatomy import read_anatomy
from hevesy.stages.imaging.pet import read_pet
from hevesy.stages.imaging.rtstruct import read_structures
from hevesy.stages.imaging.series import Kind, Series
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
    return (read_pet(series.headers, series.files, series.name, supplied),)


def _spect(series: Series, supplied: Supplied) -> tuple[Image, ...]:
    if series.modality == "PT":
        return _pet(series, supplied)
    raise UnsupportedObject(f"{series.name} is a reconstruction by a gamma camera.")


def _anatomy(series: Series, supplied: Supplied) -> tuple[Image, ...]:
    return (read_anatomy(series.headers, series.files, series.name),)


def _structures(series: Series, supplied: Supplied) -> Structures:
    return read_structures(series.files[0])


VOLUMES: dict[Kind, Callable[[Series, Supplied], tuple[Image, ...]]] = {
    Kind.PET: _pet,
    Kind.SPECT: _spect,
    Kind.CT: _anatomy,
    Kind.MR: _anatomy,
}

READERS: dict[Kind, Callable[[Series, Supplied], Any]] = {**VOLUMES, Kind.RTSTRUCT: _structures}
