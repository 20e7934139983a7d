"""What using a series for a dose would be refused for, as far as headers tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hevesy.core import Quantity
from hevesy.errors import HevesyError, WrongQuantity
from hevesy.stages.imaging import header
from hevesy.stages.imaging.anatomy import anatomy_quantity
from hevesy.stages.imaging.nifti_in import read_sidecar
from hevesy.stages.imaging.pet import pet_quantity, pet_timing, require_all_slices, volumes_in_time
from hevesy.stages.imaging.reconstruction import reconstruction_grid, reconstruction_quantity
from hevesy.stages.imaging.series import Kind, Series
from hevesy.stages.imaging.supplied import NOTHING
from hevesy.stages.imaging.volume import stack_slices


def problems_of(series: Series) -> tuple[HevesyError, ...]:
    """Return the refusals that using the series would meet; empty where headers show none."""
    found: list[HevesyError] = []
    for check in CHECKS.get(series.kind, ()):
        try:
            check(series)
        except HevesyError as refusal:
            if str(refusal) not in map(str, found):
                found.append(refusal)
    return tuple(found)


def _stacks(series: Series) -> None:
    if _is_one_object(series.headers):
        return
    for members in volumes_in_time(series.headers):
        own = [series.headers[i] for i in members]
        stack_slices(own, series.name)
        require_all_slices(own, series.name)


def _has_activity(series: Series) -> None:
    require_calibrated(quantity_of(series), series.name)


def _has_times(series: Series) -> None:
    if series.modality == "PT":
        pet_timing(series.headers, Quantity.ACTIVITY_CONCENTRATION, NOTHING)


def _has_injection(series: Series) -> None:
    missing = series.injected.missing
    if missing is not None:
        raise missing


def _has_place(series: Series) -> None:
    if _is_one_object(series.headers):
        reconstruction_grid(series.headers[0], series.name)


def _is_hounsfield(series: Series) -> None:
    if not _is_one_object(series.headers):
        anatomy_quantity(series.headers, series.name)


def _has_sidecar(series: Series) -> None:
    read_sidecar(series.files[0])


def _is_one_object(headers: Sequence[Any]) -> bool:
    return header.frames(headers[0]) > 1 or header_has_groups(headers[0])


def header_has_groups(head: Any) -> bool:
    """Say whether an object keeps its headers in functional groups."""
    return "SharedFunctionalGroupsSequence" in head


def quantity_of(series: Series) -> Quantity:
    """Return what the values of an emission volume mean.

    Raises
    ------
    MissingInformation, UnsupportedObject, BadConfiguration
        If its header or sidecar does not tell.
    """
    if series.kind is Kind.NIFTI:
        return read_sidecar(series.files[0]).quantity
    if series.modality == "PT":
        return pet_quantity(series.headers[0], series.name)[0]
    return reconstruction_quantity(series.headers[0], series.name)


def require_calibrated(quantity: Quantity, what: str) -> None:
    """Refuse values that are not Bq/mL, and say how to calibrate them.

    Raises
    ------
    WrongQuantity
    """
    if quantity is not Quantity.ACTIVITY_CONCENTRATION:
        name = quantity.name.lower().replace("_", " ")
        named = f"values in {quantity.unit} ({name})" if quantity.unit != name else name
        key = "counts_per_s_per_MBq" if quantity is Quantity.COUNTS else "Bq_mL_per_unit"
        raise WrongQuantity(
            f"{what} holds {named}, not Bq/mL.",
            f"Give calibration: {key}: in case.yaml, or a series in Bq/mL.",
        )


EMISSION = (_stacks, _has_activity, _has_times, _has_injection)
CHECKS: dict[Kind, tuple[Callable[[Series], None], ...]] = {
    Kind.PET: EMISSION,
    Kind.SPECT: (_has_place, *EMISSION),
    Kind.CT: (_is_hounsfield, _stacks),
    Kind.NIFTI: (_has_sidecar,),
}
