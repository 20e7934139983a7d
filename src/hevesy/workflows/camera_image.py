"""A gamma camera's acquisition to a quantitative image, and what is left behind of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from hevesy import __version__
from hevesy.core import Grid, Image, Measured, Quantity
from hevesy.errors import BadConfiguration, UnreadableFile
from hevesy.stages.imaging import nifti
from hevesy.stages.imaging.derived import derived_uid
from hevesy.stages.imaging.reconstruction_writer import Making, write_reconstruction
from hevesy.stages.quantification.reconstruction import Measurement
from hevesy.stages.quantification.reconstruction.acquisition import calibrated, counts_image
from hevesy.stages.quantification.reconstruction.uncertainty import bootstrap
from hevesy.stages.reporting.fused_picture import fused_picture
from hevesy.stages.reporting.whole_file import write_text
from hevesy.workflows.camera_file import Acquired
from hevesy.workflows.reconstruction import Recipe, reconstruct

PER_MBQ = 1e-6
_OF_UNCERTAINTY = {
    Quantity.COUNTS: Quantity.COUNTS_UNCERTAINTY,
    Quantity.ACTIVITY_CONCENTRATION: Quantity.ACTIVITY_CONCENTRATION_UNCERTAINTY,
}


@dataclass(frozen=True, slots=True, eq=False)
class Spect:
    """A reconstruction with what belongs to it.

    Parameters
    ----------
    image : Image
        Counts of the acquisition, or Bq/mL as the mean over it.
    u : Image or None
        Standard uncertainty of each voxel from the noise of counts, in the image's unit.
    calibration : Measured or None
        Counts per second and becquerel.
    """

    image: Image
    acquired: Acquired = field(repr=False)
    recipe: Recipe
    u: Image | None = None
    calibration: Measured | None = None


def read_calibration(text: str) -> Measured:
    """Return a calibration factor, ``"1/s/Bq"``, from a number or from a file that `hevesy calibrate` printed.

    Raises
    ------
    UnreadableFile
        If the text is no number and no file that can be read.
    BadConfiguration
        If the file does not hold ``counts_per_s_per_MBq``.
    """
    try:
        return Measured(float(text), 0.0, "1/s/Bq", "calibration")
    except ValueError:
        pass
    try:
        lines = Path(text).read_text(encoding="utf-8")
        if "case.yaml:" in lines:  # what is printed for a person, saved as it is
            lines = lines.split("case.yaml:", 1)[1]
        facts = yaml.safe_load(lines)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise UnreadableFile(f"{text} is neither a number nor a file with a calibration factor ({fault}).") from fault
    facts = facts.get("calibration", facts) if isinstance(facts, dict) else {}
    try:
        value, percent = float(facts["counts_per_s_per_MBq"]), float(facts.get("u_percent", 0.0))
    except (KeyError, TypeError, ValueError):
        raise BadConfiguration(
            f"{text} does not hold 'counts_per_s_per_MBq'.", "Give what 'hevesy calibrate --json' prints."
        ) from None
    factor = value * PER_MBQ
    return Measured(factor, factor * percent / 100, "1/s/Bq", "calibration")


def make_image(
    acquired: Acquired,
    recipe: Recipe,
    calibration: Measured | None = None,
    replicates: int = 0,
    progress: Callable[[int], None] = lambda iteration: None,
) -> Spect:
    """Reconstruct an acquisition.

    Parameters
    ----------
    acquired : Acquired
        From `hevesy.workflows.camera_file.read_camera`.
    recipe : Recipe
        How the image is made.
    calibration : Measured or None
        Counts per second and becquerel; None leaves counts.
    replicates : int
        Reconstructions of resampled counts, for the standard uncertainty; 0 for none.
    progress : callable, optional
        Told each iteration of the image as it ends.
    """
    image = _placed(counts_image(reconstruct(acquired.measurement, recipe, progress), acquired.projections), acquired)
    u = None
    if replicates:
        spread = _spread(acquired, recipe, replicates)
        u = image.with_values(counts_image(spread, acquired.projections).values)
    if calibration is not None:
        image = calibrated(image, calibration)
        u = None if u is None else calibrated(u, calibration)
    return Spect(image, acquired, recipe, u, calibration)


def _spread(acquired: Acquired, recipe: Recipe, replicates: int) -> NDArray[np.float32]:
    """Resample the counts as they were stored: weights for decay and dead time are no part of their noise."""
    weights = acquired.weights.astype(np.float32)[:, None, None]
    stored = replace(acquired.measurement, counts=acquired.measurement.counts / weights)

    def image_of(drawn: Measurement) -> NDArray[np.float32]:
        return reconstruct(replace(drawn, counts=drawn.counts * weights), recipe)

    return bootstrap(stored, image_of, replicates, np.random.default_rng(1)).standard_uncertainty


def _placed(image: Image, acquired: Acquired) -> Image:
    """Put the image into the frame of reference of the CT that it was reconstructed with."""
    grid = image.grid
    if acquired.mu is None or acquired.mu.grid.frame_of_reference is None:
        return image
    affine = np.array(grid.affine)
    affine[:3, 3] -= acquired.ct_shift_mm
    return replace(image, grid=Grid(grid.shape, affine, acquired.mu.grid.frame_of_reference))


def write_spect(made: Spect, folder: Path) -> None:
    """Write spect.dcm, image.nii.gz, mu.nii.gz, uncertainty.nii.gz, picture.svg and reconstruction.json.

    The DICOM object lies in the frame of reference of the CT, or of the projections; where neither is known, in one of
    its own.
    """
    created = datetime.now(UTC).replace(microsecond=0)
    image, acquired = made.image, made.acquired
    making = Making(acquired.projections.window, _method(made), acquired.corrections, created)
    uid = write_reconstruction(_framed(image), acquired.head, making, folder / "spect.dcm")
    named = {} if acquired.nuclide is None else {"nuclide": acquired.nuclide}
    nifti.write(image, folder / "image.nii.gz", same_as=uid, **named)
    mu = None if acquired.mu is None else replace(acquired.mu, grid=image.grid)
    if mu is not None:
        nifti.write(mu, folder / "mu.nii.gz")
    title = "Activity over the μ-map" if mu else "Activity"
    write_text(folder / "picture.svg", fused_picture(image, mu, title))
    if made.u is not None:
        nifti.write(made.u.with_values(made.u.values, _OF_UNCERTAINTY[image.quantity]), folder / "uncertainty.nii.gz")
    record = json.dumps(_record(made, created), indent=2, ensure_ascii=False) + "\n"
    write_text(folder / "reconstruction.json", record)


def _framed(image: Image) -> Image:
    grid = image.grid
    if grid.frame_of_reference is not None:
        return image
    own = derived_uid("frame of reference", image.provenance.source, grid.affine.tobytes())
    return replace(image, grid=Grid(grid.shape, grid.affine, own))


def _method(made: Spect) -> str:
    recipe = made.recipe
    words = [f"{recipe.algorithm.upper()}, {recipe.schedule.iterations} iterations, {recipe.schedule.subsets} subsets"]
    words += [f"filter {recipe.filter_fwhm_mm:g} mm FWHM"] if recipe.filter_fwhm_mm else []
    words += ["collimator-detector response"] if made.acquired.measurement.system.response is not None else []
    words += ["attenuation"] if made.acquired.mu is not None else []
    words += ["scatter windows"] if "SCAT" in made.acquired.corrections else []
    if made.calibration is not None:
        words.append(f"{made.calibration.value / PER_MBQ:.6g} +/- {made.calibration.u / PER_MBQ:.2g} counts/s/MBq")
    return "; ".join(words)


def _record(made: Spect, created: datetime) -> dict[str, object]:
    image, acquired = made.image, made.acquired
    placement = acquired.projections.placement
    record: dict[str, object] = {
        "hevesy": __version__,
        "created": created.isoformat(),
        "unit": image.quantity.unit,
        "method": _method(made),
        "shape": list(image.grid.shape),
        "affine_mm": np.round(image.grid.affine, 6).tolist(),
        "frame_of_reference": image.grid.frame_of_reference,
        "axis_of_rotation_mm": None if placement.axis_mm is None else list(placement.axis_mm),
        "patient_position": placement.patient_position or None,
        "acquisition_start": image.timing.start.isoformat() if image.timing else None,
        "acquisition_length_s": image.timing.duration_s if image.timing else None,
        "decay_corrected_to": None,
        "corrections": list(acquired.corrections),
        "notes": list(acquired.notes),
    }
    if made.calibration is not None:
        record["counts_per_s_per_MBq"] = made.calibration.value / PER_MBQ
        record["calibration_u_percent"] = 100 * made.calibration.u_relative
    if made.u is not None:
        record["uncertainty"] = "standard deviation of voxels from the noise of counts; neighbours are correlated"
    return record
