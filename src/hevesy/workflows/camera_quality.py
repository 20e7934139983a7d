"""Is this gamma camera in order? From one image of a phantom or source to what its test measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Image, Measured, PlanarView, Projections
from hevesy.errors import BadInput, MissingInformation, UnknownName, WrongQuantity
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.quality.bars import quadrant_bars
from hevesy.stages.quality.contrast import jaszczak_contrast
from hevesy.stages.quality.resolution import line_resolution, line_separation_mm, point_resolution
from hevesy.stages.quality.rotation import centre_of_rotation
from hevesy.stages.quality.sensitivity import net_count_rate
from hevesy.stages.quality.uniformity import flood_uniformity
from hevesy.stages.quantification.calibration import KnownActivity


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured thing: its name, value, and a remark such as ``"visible"``."""

    name: str
    value: Measured
    remark: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class CameraQuality:
    """What one test found.

    Parameters
    ----------
    test : str
        Its name in `TESTS`.
    findings : tuple of Finding
        In the order of the report.
    warnings : tuple of str
        What a reader must know.
    picture : (rows, columns) array
        What was measured, for a picture.
    """

    test: str
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    picture: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the image of a test does not say.

    Parameters
    ----------
    useful_mm : tuple of float or None
        Height and width of the useful field of view (uniformity), mm.
    separation_mm : float or None
        True distance between two line sources (resolution), mm.
    known : KnownActivity or None
        The source's activity (sensitivity).
    background : Path or None
        Image without the source (sensitivity).
    detector : int or None
        Which detector, where the image holds views of several.
    """

    useful_mm: tuple[float, float] | None = None
    separation_mm: float | None = None
    known: KnownActivity | None = None
    background: Path | None = None
    detector: int | None = None


NOTHING = Circumstances()


def examine_camera(path: Path, test: str | None = None, circumstances: Circumstances = NOTHING) -> CameraQuality:
    """Run one test on one image.

    Parameters
    ----------
    path : Path
        A DICOM object.
    test : str or None
        A name in `TESTS`; None where the image admits only one.
    circumstances : Circumstances
        What the image does not say.

    Raises
    ------
    UnknownName
        If there is no such test.
    MissingInformation
        If the image admits several tests and none was chosen.
    WrongQuantity
        If the image is not what the test needs.
    HevesyError
        What the test refuses.
    """
    if test is not None and test not in TESTS:
        raise UnknownName(f"There is no test '{test}'.", f"Tests: {', '.join(TESTS)}.")
    found = _load(path)
    if test is None:
        admitted = [name for name, (kind, _) in TESTS.items() if isinstance(found[0], kind)]
        if len(admitted) > 1:
            raise MissingInformation(
                f"{path.name} could serve several tests.", f"Choose one with --test: {', '.join(admitted)}."
            )
        test = admitted[0]
    kind, run = TESTS[test]
    if not isinstance(found[0], kind):
        raise WrongQuantity(f"The test '{test}' needs {NEEDS[kind]}; {path.name} holds {NEEDS[type(found[0])]}.")
    return run(_chosen(found, circumstances.detector, path.name), circumstances)


def _load(path: Path) -> tuple[Any, ...]:
    folder = read_folder(path)
    series = folder.of_kind(Kind.STATIC, Kind.PROJECTIONS, Kind.SPECT)
    if len(folder.series) != 1 or len(series) != 1:
        names = ", ".join(f"{s.kind.value} '{s.description}'" for s in folder.series)
        raise BadInput(f"{path.name} must hold one static, tomographic or reconstructed image; it holds {names}.")
    return tuple(series[0].load())


def _chosen(found: tuple[Any, ...], detector: int | None, name: str) -> Any:
    if isinstance(found[0], PlanarView) and detector is not None:
        found = tuple(view for view in found if view.detector == detector)
        if not found:
            raise UnknownName(f"{name} holds no view of detector {detector}.")
    if len(found) > 1:
        raise MissingInformation(f"{name} holds {len(found)} images.", "Choose one with --detector.")
    return found[0]


def _uniformity(view: PlanarView, circumstances: Circumstances) -> CameraQuality:
    found = flood_uniformity(view, circumstances.useful_mm)
    findings = []
    for name, field in (("useful field", found.useful), ("central field", found.central)):
        findings += [
            Finding(
                f"integral uniformity, {name}", field.integral, f"noise alone: {field.integral_by_noise.value:.2f}%"
            ),
            Finding(f"differential uniformity, {name}, rows", field.differential_rows),
            Finding(f"differential uniformity, {name}, columns", field.differential_columns),
        ]
    return CameraQuality("uniformity", tuple(findings), found.warnings, found.smoothed)


def _resolution(view: PlanarView, circumstances: Circumstances) -> CameraQuality:
    lines = line_resolution(view)
    findings, warnings = [], []
    for number, line in enumerate(lines, 1):
        name = f"line {number}, along {line.along}, at {line.place_mm:.0f} mm"
        findings.append(Finding(f"FWHM, {name}", line.fwhm))
        if line.fwtm is None:
            warnings.append(f"Line {number} does not fall to a tenth on both sides; its FWTM is not given.")
        else:
            findings.append(Finding(f"FWTM, {name}", line.fwtm))
        warnings += line.warnings
    for along, distance in line_separation_mm(lines).items():
        remark = ""
        if circumstances.separation_mm is not None:
            remark = f"pixel size is {100 * (distance / circumstances.separation_mm - 1):+.2f}% off"
        findings.append(Finding(f"distance between lines along {along}", Measured(distance, unit="mm"), remark))
    return CameraQuality("resolution", tuple(findings), tuple(dict.fromkeys(warnings)), view.counts)


def _bars(view: PlanarView, circumstances: Circumstances) -> CameraQuality:
    findings = []
    for bars in quadrant_bars(view):
        width = bars.implied_fwhm_mm
        seen = "visible" if bars.visible else "not visible"
        remark = seen if width is None else f"{seen}; FWHM of a Gaussian with this modulation {width:.2f} mm"
        findings.append(Finding(f"modulation, {bars.quadrant}, bars of {bars.bar_mm:.2f} mm", bars.modulation, remark))
    return CameraQuality("bars", tuple(findings), (), view.counts)


def _sensitivity(view: PlanarView, circumstances: Circumstances) -> CameraQuality:
    known = circumstances.known
    if known is None or view.timing is None:
        raise MissingInformation(
            "Sensitivity needs the source's activity and when the view was taken.",
            "Give --nuclide, --activity-MBq, --u-percent and --measured-at.",
        )
    background = None
    warnings: list[str] = []
    if circumstances.background is None:
        warnings.append("No background was taken off; give an image without the source with --background.")
    else:
        views = _load(circumstances.background)
        if not isinstance(views[0], PlanarView):
            raise WrongQuantity(f"{circumstances.background.name} is no planar view.")
        background = _chosen(views, circumstances.detector, circumstances.background.name)
    net = net_count_rate(view, background)
    present = known.decays_during(view.timing.start, view.timing.duration_s)
    findings = (
        Finding("net count rate", net),
        Finding("activity, mean over the scan", present.to(1e-6, "MBq")),
        Finding("sensitivity", (net / present).to(1e6, "counts/s/MBq")),
    )
    return CameraQuality("sensitivity", findings, tuple(warnings), view.counts)


def _rotation(projections: Projections, circumstances: Circumstances) -> CameraQuality:
    findings, warnings = [], []
    pixel = projections.pixel_mm[1]
    for found in centre_of_rotation(projections):
        name = f"detector {found.detector}"
        largest = f"largest deviation of a view {found.largest_deviation_mm:.2f} mm"
        findings += [
            Finding(f"offset of the axis, {name}", found.offset, f"{found.offset.value / pixel:+.2f} pixel; {largest}"),
            Finding(f"distance of the point from the axis, {name}", found.radius),
            Finding(f"spread along the axis, {name}", Measured(found.axial_spread_mm, unit="mm")),
        ]
        if abs(found.offset.value) > 0.5 * pixel:
            warnings.append(f"The axis lies more than half a pixel off the middle of {name}: correct it.")
    return CameraQuality("rotation", tuple(findings), tuple(warnings), projections.counts.sum(0))


def _contrast(image: Image, circumstances: Circumstances) -> CameraQuality:
    found = jaszczak_contrast(image)
    findings = [
        Finding(f"contrast, sphere of {s.diameter_mm:g} mm", s.contrast, "visible" if s.visible else "not visible")
        for s in found.spheres
    ]
    findings.append(Finding("noise between the spheres", Measured(found.noise_percent, unit="%")))
    axis = int(np.argmax(np.abs(image.grid.affine[2, :3])))
    plane = np.moveaxis(image.values, axis, 0)[found.slice_index]
    return CameraQuality("contrast", tuple(findings), (), np.asarray(plane).T)


def _point(image: Image, circumstances: Circumstances) -> CameraQuality:
    widths = point_resolution(image)
    findings = [Finding(f"FWHM along axis {axis}", width) for axis, width in enumerate(widths)]
    warnings = [
        f"Voxels of {size:.3g} mm are more than a fifth of the width along axis {axis}."
        for axis, (size, width) in enumerate(zip(image.grid.spacing_mm, widths, strict=True))
        if size > 0.2 * width.value
    ]
    return CameraQuality("point", tuple(findings), tuple(warnings), image.values.max(axis=2).T)


#: test → (what it needs, how it is run)
TESTS: dict[str, tuple[type, Callable[[Any, Circumstances], CameraQuality]]] = {
    "uniformity": (PlanarView, _uniformity),
    "resolution": (PlanarView, _resolution),
    "bars": (PlanarView, _bars),
    "sensitivity": (PlanarView, _sensitivity),
    "rotation": (Projections, _rotation),
    "contrast": (Image, _contrast),
    "point": (Image, _point),
}
NEEDS: dict[type, str] = {
    PlanarView: "a static view",
    Projections: "the projections of a tomographic acquisition",
    Image: "a reconstruction",
}
