"""A simulated ¹⁷⁷Lu patient, 20 times: activities and doses of organs and lesions against the truth, and coverage.

The patient is that of examples/lu177-simulated; each realisation has its own noise, and its own width of the
collimator's response, which is known to 3%. HEVESY_REALISATIONS sets how many are made (20).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Curve, EnergyWindow, Grid, Image, Quantity
from hevesy.data.collimators import collimator
from hevesy.data.nuclides import nuclide
from hevesy.physics.attenuation_map import attenuation_from_hounsfield
from hevesy.stages.kinetics import fit_curve
from hevesy.stages.quantification.partial_volume import counting_u, recover, scatter_u
from hevesy.stages.quantification.reconstruction import Lattice, Measurement, Orbit, Schedule, SystemModel, osem
from hevesy.stages.quantification.reconstruction.response import (
    QuadratureResponse,
    SharpenedResponse,
    collimator_response,
)
from hevesy.stages.quantification.reconstruction.scatter import triple_window
from hevesy.stages.quantification.reconstruction.simulated_scatter import Detection, estimated_scatter, scattered
from hevesy.stages.quantification.reconstruction.simulation import Acquisition, contour_radii_mm, rebinned
from hevesy.workflows.region_kinetics import widened

FOLDER = Path(__file__).parents[1] / "examples" / "lu177-simulated"
#: half the matrix of a clinical scan, so that 20 realisations take minutes
BINS, ROWS, BIN_MM = 64, 54, 7.1928
#: what the width of the response is known to, relative
U_RESPONSE = 0.03
#: and the amount of scatter, whose estimates differ by as much from pass to pass
U_SCATTER = 0.03
WINDOWS = ((187.2, 228.8), (166.4, 187.2), (228.8, 249.6))
LINES = ((208.366, 0.1036), (249.674, 0.002), (321.316, 0.00216))
HISTORIES = 30_000
SCHEDULE = Schedule(4, 10)
REPLICATES = 16


def _patient() -> Any:
    spec = importlib.util.spec_from_file_location("simulated_patient", FOLDER / "patient.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulated_patient"] = module
    spec.loader.exec_module(module)
    return module


patient = _patient()


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Mean counts of each region's activity at 24 h, and what is needed to reconstruct them.

    `primary` (2, regions, views, bins, rows) is seen with the response as it is known, and wider by its uncertainty.
    """

    phantom: Any
    detection: Detection
    primary: NDArray[np.float64] = field(repr=False)
    scatter: NDArray[np.float64] = field(repr=False)
    system: SystemModel = field(repr=False)
    blurrier: SystemModel = field(repr=False)
    regions: NDArray[np.float32] = field(repr=False)


def prepare() -> Study:
    """Project every region on the phantom's own grid, with scatter; the reconstruction has the camera's grid."""
    phantom = patient.phantom()
    fine = Lattice(108, 90, patient.PIXEL_MM, patient.SLICE_MM)
    ct = Image(
        phantom.hu, Grid(fine.shape, np.diag([fine.pixel_mm, fine.pixel_mm, -fine.slice_mm, 1])), Quantity.HOUNSFIELD
    )
    mu = attenuation_from_hounsfield(ct, patient.PHOTON_KEV).values
    angles = (180.0 + 360 / patient.VIEWS * np.arange(patient.VIEWS)) % 360
    orbit = Orbit(angles, contour_radii_mm(mu, fine, angles, 25.0))
    known = collimator_response(collimator("Siemens Symbia ME"), patient.PHOTON_KEV, 3.8)
    detection = Detection(patient.PHOTON_KEV, LINES, tuple(EnergyWindow((w,)) for w in WINDOWS), 0.082)
    scan = Acquisition(
        patient.SECONDS_PER_VIEW, patient.SENSITIVITY, patient.HEADS, nuclide("Lu-177").decay_constant.value
    )
    weight = scan.sensitivity * scan.decays_per_becquerel(orbit.views)[:, None, None] * patient.VOXEL_ML
    systems = [
        SystemModel(fine, orbit, SharpenedResponse(_wider(known, share), fine.pixel_mm), mu)
        for share in (0.0, U_RESPONSE)
    ]
    at_24 = phantom.activity(24.0)
    parts = [at_24 * phantom.mask(number) for number in range(len(patient.ORGANS))]
    primary = np.array(
        [[_detected(s.forward(part.astype(np.float32)), fine) * weight for part in parts] for s in systems]
    )
    scatter = np.array(
        [
            _detected(scattered(systems[0], part, detection, HISTORIES, 100 + n), fine) * weight
            for n, part in enumerate(parts)
        ]
    )
    coarse = Lattice(BINS, ROWS, BIN_MM, BIN_MM)
    mu_seen = _averaged(mu, fine)
    regions = np.array([_averaged(phantom.mask(n), fine) for n in range(len(patient.ORGANS))], np.float32)
    nominal, wide = (SystemModel(coarse, orbit, _wider(known, share), mu_seen) for share in (0.0, U_RESPONSE))
    return Study(phantom, detection, np.maximum(primary, 0), scatter, nominal, wide, regions)


def _wider(response: QuadratureResponse, share: float) -> QuadratureResponse:
    scale = 1 + share
    return QuadratureResponse(response.intrinsic_mm * scale, response.slope * scale, response.intercept_mm * scale)


def _detected(counts: NDArray[Any], lattice: Lattice) -> NDArray[np.float64]:
    return rebinned(counts, lattice, (BINS, ROWS), (BIN_MM, BIN_MM))


def _averaged(values: NDArray[Any], fine: Lattice) -> NDArray[np.float64]:
    """Average a volume over the voxels of the reconstruction."""
    along = rebinned(values, fine, (BINS, ROWS), (BIN_MM, BIN_MM))  # axes 1 and 2
    across = rebinned(
        np.swapaxes(along, 0, 1), Lattice(108, ROWS, fine.pixel_mm, BIN_MM), (BINS, ROWS), (BIN_MM, BIN_MM)
    )
    return np.swapaxes(across, 0, 1) * (fine.pixel_mm**2 * fine.slice_mm) / BIN_MM**3


def counts_of(study: Study, hours: float, response: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw the counts of a scan in every window, with a response off by so many standard uncertainties."""
    shape = np.array([organ.shape(hours) for organ in patient.ORGANS])
    known, wider = study.primary
    seen = np.tensordot(shape, known + response * (wider - known), axes=1)
    scatter = np.tensordot(shape, np.swapaxes(study.scatter, 0, 1), axes=(0, 1))
    return random.poisson(np.maximum(study.detection.spill()[:, None, None, None] * seen + scatter, 0))


def measured(study: Study, counts: NDArray[np.int64]) -> Measurement:
    """Estimate scatter, first from the windows beside the peak, then from the image."""
    widths = (WINDOWS[1][1] - WINDOWS[1][0], WINDOWS[0][1] - WINDOWS[0][0], WINDOWS[2][1] - WINDOWS[2][0])
    first = Measurement(study.system, counts[0], triple_window(counts[1], counts[2], widths))
    scatter = estimated_scatter(first, lambda one: osem(one, Schedule(2, 10)), study.detection, HISTORIES)
    return Measurement(study.system, counts[0], scatter)


def image_of(one: Measurement) -> NDArray[np.float32]:
    """Reconstruct."""
    return osem(one, SCHEDULE)


def realise(study: Study, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return activities (times, regions; Bq) without correction and with it, and what scans share, relative.

    Recovery is found on every scan, as a lesion's contrast grows with time and with it what the image keeps; what it
    is known to, and the scatter estimate, is shared by all scans (regions,).
    """
    random = np.random.default_rng(seed)
    response = random.standard_normal()
    rate = nuclide("Lu-177").decay_constant.value
    scan = Acquisition(patient.SECONDS_PER_VIEW, patient.SENSITIVITY, patient.HEADS, rate)
    per_sum = 1 / (scan.sensitivity * scan.decays_per_becquerel(patient.VIEWS).mean())
    apparent, true, shared = [], [], []
    for hours in patient.TIMES_H:
        one = measured(study, counts_of(study, hours, response, random))
        found = recover(one, study.regions, image_of, study.blurrier)
        scatter = scatter_u(one, found.apparent, study.regions, image_of, U_SCATTER)
        apparent.append(per_sum * found.apparent)
        true.append(per_sum * found.true)
        shared.append(np.hypot(found.u_relative, scatter))
    return np.array(apparent), np.array(true), np.max(shared, axis=0)


def of_each_scan(study: Study) -> NDArray[np.float64]:
    """Return what is a scan's own, relative (times, regions): counting, by bootstrap."""
    random = np.random.default_rng(0)
    scans = [measured(study, counts_of(study, hours, 0.0, random)) for hours in patient.TIMES_H]
    return np.array([counting_u(one, study.regions, image_of, random, REPLICATES) for one in scans])


def main() -> None:
    """Print errors, intervals and coverage of every region."""
    realisations = int(os.environ.get("HEVESY_REALISATIONS", "20"))
    study = prepare()
    peak, scatter = study.primary[0].sum(), study.scatter[:, 0].sum()
    print(f"{peak + scatter:.3g} counts in the peak at 24 h; scatter over the rest: {scatter / peak:.2f}", flush=True)
    u_counts = of_each_scan(study)
    made = []
    for seed in range(1, realisations + 1):
        made.append(realise(study, seed))
        print(".", end="", flush=True)
    print()
    _table(study, u_counts, *(np.array(values) for values in zip(*made, strict=True)))


def _table(
    study: Study,
    u_counts: NDArray[np.float64],
    apparent: NDArray[np.float64],
    corrected: NDArray[np.float64],
    u_shared: NDArray[np.float64],
) -> None:
    print("                    activity at 24 h over the truth, less 1              dose over the truth, less 1")
    print("region            mL  uncorrected  mean   worst      u  covered  |    mean   worst      u  covered")
    for number, organ in enumerate(patient.ORGANS[:-1]):
        truth = study.phantom.total_Bq(number, 24.0)
        error = corrected[:, 1, number] / truth - 1
        u = np.hypot(u_shared[:, number], u_counts[1, number])
        inside = int((np.abs(error) <= 1.96 * u * (1 + error)).sum())
        doses = [
            _dose(a, u_counts[:, number], v) for a, v in zip(corrected[..., number], u_shared[:, number], strict=True)
        ]
        tia = study.phantom.tia_Bq_s(number)
        off = np.array([value / tia - 1 for value, _, _ in doses])
        held = sum(low <= tia <= high for _, low, high in doses)
        width = float(np.mean([(high - low) / (2 * 1.96 * value) for value, low, high in doses]))
        volume = study.phantom.mask(number).sum() * patient.VOXEL_ML
        lost = apparent[:, 1, number].mean() / truth - 1
        print(
            f"{organ.name:14} {volume:6.1f} {lost:+12.1%} {_errors(error, float(u.mean()))} {inside:5}/{len(error)}"
            f"  | {_errors(off, width)} {held:5}/{len(error)}"
        )


def _errors(error: NDArray[np.float64], u: float) -> str:
    return f"{error.mean():+6.1%} {error[np.abs(error).argmax()]:+7.1%} {u:6.1%}"


def _dose(activity: NDArray[np.float64], u_counts: NDArray[np.float64], u_shared: float) -> tuple[float, float, float]:
    """Return time-integrated activity with its 95% interval; the dose is in proportion, since the mass is known."""
    starts = np.array(patient.TIMES_H) * 3600.0
    length = patient.VIEWS / patient.HEADS * patient.SECONDS_PER_VIEW
    curve = Curve(starts, starts + length, activity, activity * u_counts, "region")
    fit = fit_curve(curve, nuclide("Lu-177").decay_constant)
    return (fit.tia.value, *widened(fit.interval95, fit.tia.value, u_shared))
