"""CT number to mass density and tissue, after Schneider et al., Phys. Med. Biol. 45 (2000) 459."""

from __future__ import annotations

import numpy as np

from hevesy.core.image import Image
from hevesy.core.material import Material
from hevesy.core.quantity import Quantity
from hevesy.data.hounsfield import HounsfieldTable, schneider_2000
from hevesy.errors import MissingInformation


def density_from_hounsfield(ct: Image, table: HounsfieldTable | None = None) -> Image:
    """Return the mass density of each voxel of a CT.

    Parameters
    ----------
    ct : Image
        CT numbers, HU.
    table : HounsfieldTable, optional
        The scanner's calibration; Schneider's (120 kVp) if absent.

    Returns
    -------
    Image
        Density, kg/m³, constant beyond the ends of the table.

    Raises
    ------
    WrongQuantity
        If `ct` does not hold CT numbers.
    """
    ct.require(Quantity.HOUNSFIELD)
    table = table or schneider_2000()
    rising = table.hounsfield.copy()
    step = np.flatnonzero(np.diff(rising) == 0) + 1
    rising[step] = np.nextafter(rising[step], np.inf)
    density = np.empty(ct.values.shape, np.float32)
    for plane, shown in zip(density, ct.values, strict=True):  # a whole CT in double precision would take gigabytes
        plane[:] = np.interp(shown, rising, table.density_kg_m3)
    image = ct.with_values(density, Quantity.DENSITY)
    return _noted(image, ct, "density from CT numbers", table)


def materials_from_hounsfield(ct: Image, table: HounsfieldTable | None = None) -> tuple[Image, tuple[Material, ...]]:
    """Return the tissue of each voxel of a CT, as a label, and the tissues that the labels number from 0.

    Raises
    ------
    WrongQuantity
        If `ct` does not hold CT numbers.
    MissingInformation
        If the table gives density alone.
    """
    ct.require(Quantity.HOUNSFIELD)
    table = table or schneider_2000()
    if not table.tissues:
        raise MissingInformation(
            f"The CT calibration {table.source} names no tissues.", "Give its tissues, or a label image of materials."
        )
    label = np.searchsorted(table.tissue_from, ct.values, side="right") - 1
    labels = ct.with_values(np.maximum(label, 0).astype(np.uint8), Quantity.LABEL)
    return _noted(labels, ct, "tissues from CT numbers", table), table.tissues


def _noted(image: Image, ct: Image, operation: str, table: HounsfieldTable) -> Image:
    provenance = ct.provenance.then(operation, calibration=table.source)
    return Image(image.values, image.grid, image.quantity, None, provenance)
