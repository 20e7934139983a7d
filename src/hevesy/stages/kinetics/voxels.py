"""Time-integrated activity voxel by voxel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Image, Measured, Quantity
from hevesy.errors import BadInput, ImpossibleTiming, UnknownName
from hevesy.kernels.trapezoids import integrate_trapezoids
from hevesy.kernels.voxel_fitting import MONO, NOTHING, TRAPEZOID, fit_mono, improve_by_pair
from hevesy.stages.kinetics.criterion import EXACT, Criterion, criterion_named
from hevesy.stages.kinetics.models import Model, model_named
from hevesy.stages.kinetics.physical import decay_rate

#: label in the method image → model
LABELS = {
    NOTHING: "nothing",
    TRAPEZOID: "trapezoid",
    MONO: "mono",
    2: "uptake",
    3: "bi",
    4: "uptake-free",
    5: "bi-physical",
    6: "uptake-physical",
}
#: what "auto" chooses among
VOXEL_CANDIDATES = ("mono", "uptake", "bi")
#: a voxel's uncertainty falls no further below this share of its own maximum
_FLOOR = 0.1
#: the noise of voxels: a first guess, from about how many it is estimated, and how often it is corrected
_GUESSED_U, _SAMPLE, _ROUNDS = 0.1, 20_000, 3


@dataclass(frozen=True, slots=True, eq=False)
class TiaImage:
    """Time-integrated activity in every voxel.

    Parameters
    ----------
    tia : Image
        Bq·s/mL.
    u : Image
        Its standard uncertainty from the points alone, Bq·s/mL.
    method : Image
        A key of `LABELS` in every voxel: the model asked for, or what was taken in its place.
    voxels : dict of str to int
        How many voxels each method has.
    warnings : tuple of str
        What a reader must know.
    relative_u : float
        Relative standard uncertainty of a voxel's value: as stated, or estimated.
    criterion : str
        ``"AIC"`` or ``"AICc"``, by which models were compared; empty where one was asked for.
    """

    tia: Image
    u: Image
    method: Image
    voxels: dict[str, int]
    warnings: tuple[str, ...] = field(default=())
    relative_u: float = math.nan
    criterion: str = ""


@dataclass(frozen=True, slots=True)
class VoxelFit:
    """What is asked of every voxel.

    Parameters
    ----------
    relative_u : float or None
        Relative standard uncertainty of a voxel's value; it falls no further below a tenth of the voxel's maximum.
        None takes the scatter of all voxels about the richest model that leaves a residual.
    model : str
        ``"mono"``, another of two exponentials at most, ``"trapezoid"``, or ``"auto"``: the one of
        `VOXEL_CANDIDATES` with the least criterion.
    criterion : str or None
        ``"aic"`` or ``"aicc"``; None takes AIC where `relative_u` is stated, and AICc where it is not.

    Raises
    ------
    BadInput
        If the uncertainty is not positive.
    """

    relative_u: float | None
    model: str = "mono"
    criterion: str | None = None

    def __post_init__(self) -> None:
        if self.relative_u is not None and not 0 < self.relative_u < 10:
            raise BadInput(
                f"A relative standard uncertainty of {self.relative_u} is not usable.", "0.1 stands for 10%."
            )


def tia_image(
    images: Sequence[Image],
    frames_s: ArrayLike,
    decay_constant: Measured | float,
    asked: VoxelFit,
    mask: NDArray[np.bool_] | None = None,
) -> TiaImage:
    """Fit every voxel of a series and integrate over all time.

    Where a model cannot describe a voxel, one washout is taken, and where that cannot, because the voxel still rises
    at the last scan, straight lines and a tail of physical decay; the method image says which.

    Parameters
    ----------
    images : sequence of Image
        Activity concentration as present, mean over each frame, Bq/mL; two or more on one grid.
    frames_s : (n, 2) array
        Start and end of each frame after administration, s, in order.
    decay_constant : Measured or float
        Physical, 1/s.
    asked : VoxelFit
        Which model, and what is known of the noise.
    mask : (n0, n1, n2) array of bool or None
        Where to fit; elsewhere the result is zero.

    Raises
    ------
    BadInput
        If there are fewer images than parameters, or no residual is left to estimate the noise from.
    ImpossibleTiming
        If the frames are out of order or before administration.
    GridMismatch, WrongQuantity
        If the images differ in grid or are not of activity concentration.
    UnknownName
        If the model is not one for voxels.
    """
    rate = decay_rate(decay_constant)
    frames = _frames(images, frames_s)
    models = _models(asked.model, len(images))
    inside = np.ones(images[0].grid.shape, np.bool_) if mask is None else np.asarray(mask, np.bool_)
    if inside.shape != images[0].grid.shape:
        raise BadInput(f"The mask has shape {inside.shape}, the images {images[0].grid.shape}.")
    values = np.empty((len(images), int(inside.sum())), np.float32)
    for row, image in zip(values, images, strict=True):
        row[:] = image.values[inside]
    u = _scatter(values, frames, rate) if asked.relative_u is None else asked.relative_u
    measure = criterion_named(asked.criterion or ("aicc" if asked.relative_u is None else None), u_known=True)
    compared, doubt = _comparable(models, measure, len(images))
    out = _fit(values, frames, rate, u, compared, measure)
    result = _assemble(images[0], inside, out, compared)
    label = measure.label if asked.model == "auto" else ""
    return replace(result, warnings=(*doubt, *result.warnings), relative_u=u, criterion=label)


def _comparable(models: list[Model], measure: Criterion, scans: int) -> tuple[list[Model], tuple[str, ...]]:
    """Return the models for which the criterion is defined, and a warning where one alone is left of several."""
    defined = [m for m in models if measure.penalty(m.parameters, scans) < math.inf] or models[:1]
    if len(models) > 1 and len(defined) == 1:
        left = f"{scans} scans leave {measure.label} one model, '{defined[0].name}': it was not compared in any voxel."
        return defined, (left,)
    return defined, ()


def _scatter(values: NDArray[np.float32], frames: NDArray[np.float64], rate: float) -> float:
    """Return the relative uncertainty that makes chi² of the median voxel what chance gives.

    The scatter is that about the better of one washout and the candidate with the most parameters that leaves a
    residual. Thousands of voxels share it, so that it is as good as known; choosing the better takes a tenth off it.
    """
    usable = [m for name in VOXEL_CANDIDATES if (m := model_named(name)).parameters < len(frames)]
    if not usable:
        raise BadInput(f"{len(frames)} scans leave no residual to estimate the noise of voxels from.", "State it.")
    from scipy.special import chdtri

    models = list({m.name: m for m in (usable[0], max(usable, key=lambda m: m.parameters))}.values())
    sample = np.ascontiguousarray(values[:, :: max(1, values.shape[1] // _SAMPLE)])
    u = _GUESSED_U
    for _ in range(_ROUNDS):
        out = _fit(sample, frames, rate, u, models, Criterion(corrected=False))
        spent = np.select([out[3] == _label(m) for m in models], [float(m.parameters) for m in models], math.nan)
        fitted = np.isfinite(spent)
        if not fitted.any():
            raise BadInput("No voxel falls: there is no residual to estimate the noise from.", "State it.")
        chi2 = float(np.median(out[4, fitted] - 2.0 * spent[fitted]))
        expected = float(np.mean(chdtri(len(frames) - spent[fitted], 0.5)))
        u *= math.sqrt(max(chi2 / expected, EXACT))
    return u


def _label(model: Model) -> int:
    return next(label for label, name in LABELS.items() if name == model.name)


def _frames(images: Sequence[Image], frames_s: ArrayLike) -> NDArray[np.float64]:
    frames = np.array(frames_s, np.float64)
    if frames.shape != (len(images), 2):
        raise BadInput(f"{len(images)} images need as many frames, start and end; got {frames.shape}.")
    for image in images:
        image.require(Quantity.ACTIVITY_CONCENTRATION)
        images[0].grid.require_match(image.grid, "The images of a series")
    if (frames < 0).any() or (frames[:, 1] < frames[:, 0]).any() or (np.diff(frames[:, 0]) <= 0).any():
        raise ImpossibleTiming("Frames must be in order and after administration.", "Sort the images by time.")
    return frames


def _models(name: str, scans: int) -> list[Model]:
    names = VOXEL_CANDIDATES if name == "auto" else (name,)
    if scans < 2:
        raise BadInput("One scan cannot be fitted voxel by voxel.", "Use a one-scan method.")
    if name == "trapezoid":
        return []
    if unknown := [n for n in names if n not in LABELS.values() or n == "nothing"]:
        known = ", ".join([*list(LABELS.values())[1:], "auto"])
        raise UnknownName(f"There is no model '{unknown[0]}' for voxels.", f"Choose from: {known}.")
    models = [model_named(n) for n in names]
    fitting = [m for m in models if m.parameters <= scans]
    if not fitting:
        raise BadInput(
            f"{scans} scans cannot determine the {models[0].parameters} parameters of '{name}' in a voxel.",
            "Take 'mono' or 'auto'.",
        )
    return fitting


def _fit(
    values: NDArray[np.float32],
    frames: NDArray[np.float64],
    rate: float,
    relative_u: float,
    models: list[Model],
    measure: Criterion,
) -> NDArray[np.float32]:
    noise, scans = np.array([relative_u, _FLOOR, 0.0]), len(frames)
    middle = frames.mean(axis=1)
    first = float(middle[0] if middle[0] > 0 else middle[1])
    if not models:
        return integrate_trapezoids(values, frames, rate, noise)
    mono = model_named("mono")
    out = fit_mono(values, frames, _range(mono, rate, first), noise)
    # the kernel adds the penalty of AIC
    out[4] += measure.penalty(mono.parameters, scans) - 2.0 * mono.parameters if mono in models else np.inf
    for model in models:
        if model is not mono:
            slow = math.log(model.bounds(rate, first)[1, -1])
            kind = np.array([_label(model), measure.penalty(model.parameters, scans), float(model.physical_tail), slow])
            improve_by_pair(values, frames, _range(model, rate, first), noise, (model.mix, kind), out)
    return out


def _range(model: Model, rate: float, first: float) -> tuple[float, float]:
    bounds = model.bounds(rate, first)
    return rate, float(bounds[1, 0])


def _assemble(like: Image, inside: NDArray[np.bool_], out: NDArray[np.float32], models: list[Model]) -> TiaImage:
    def image(values: NDArray[np.float32], quantity: Quantity, elsewhere: float) -> Image:
        full = np.full(like.grid.shape, elsewhere, values.dtype)
        full[inside] = values
        return Image(full, like.grid, quantity, provenance=like.provenance.then("integrate over time"))

    labels = out[3].astype(np.int16)
    counts = {name: int((labels == label).sum()) for label, name in LABELS.items()}
    concentration = Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION
    return TiaImage(
        tia=image(out[0], concentration, 0.0),
        u=image(out[1], concentration, 0.0),
        method=image(labels, Quantity.LABEL, NOTHING),
        voxels={name: n for name, n in counts.items() if n},
        warnings=_warnings(counts, out, models),
    )


def _warnings(counts: dict[str, int], out: NDArray[np.float32], models: list[Model]) -> tuple[str, ...]:
    asked = {m.name for m in models}
    fitted = sum(n for name, n in counts.items() if name != "nothing")
    replaced = {name: n for name, n in counts.items() if n and name not in asked | {"nothing"}}
    if not replaced or not asked:
        return ()
    total = float(out[0].sum(dtype=np.float64)) or 1.0
    lines = []
    for name, n in replaced.items():
        label = next(k for k, v in LABELS.items() if v == name)
        share = float(out[0][out[3] == label].sum(dtype=np.float64)) / total
        lines.append(
            f"{n} of {fitted} voxels ({share:.1%} of the time-integrated activity) were given '{name}' instead."
        )
    return tuple(lines)
