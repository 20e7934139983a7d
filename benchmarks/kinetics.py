"""Time-integrated activity against closed forms, simulated patients, published shares and a peer.

The peer is what most scripts do: `scipy.optimize.curve_fit` on the sum of exponentials from one start.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Curve, Grid, Image, Quantity
from hevesy.data.effective_half_lives import PublishedHalfLife
from hevesy.data.nuclides import nuclide
from hevesy.errors import NoWashout
from hevesy.stages.kinetics import LABELS, MODELS, VoxelFit, fit_curve, score, simulate, tia_image

Array = NDArray[np.float64]
HOUR = 3600.0
PHYSICAL = nuclide("Lu-177").decay_constant.value
SCANS_H = {3: (4, 48, 144), 4: (4, 24, 72, 168), 5: (2, 8, 24, 96, 168), 6: (0.5, 2, 6, 24, 72, 192)}


def realistic(model: str, n: int, random: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """Draw amplitudes (Bq) and rates (1/s) as tissues have them: biological half-lives log-uniform."""

    def between(low: float, high: float) -> float:
        return PHYSICAL + math.log(2) / (math.exp(random.uniform(math.log(low), math.log(high))) * HOUR)

    for _ in range(n):
        slow, share = between(40, 300), random.uniform(0.2, 0.7)
        parts = random.dirichlet([3, 3, 3])
        amplitudes, rates = {
            "physical": ([1], [PHYSICAL]),
            "mono": ([1], [slow]),
            "bi": ([share, 1 - share], [between(3, 15), slow]),
            "bi-physical": ([share, 1 - share], [between(10, 60), PHYSICAL]),
            "uptake": ([-1, 1], [between(0.5, 4), slow]),
            "uptake-physical": ([-1, 1], [between(0.5, 4), PHYSICAL]),
            "uptake-free": ([-share, 1], [between(3, 12), slow]),
            "tri": (parts, [between(0.8, 2), between(8, 20), between(100, 400)]),
            "tri-physical": (parts, [between(1, 3), between(15, 50), PHYSICAL]),
            "tri-uptake": ([-1, share, 1 - share], [between(0.3, 1.5), between(8, 30), between(80, 400)]),
        }[model]
        yield 1e8 * np.array(amplitudes, float), np.array(rates)


def noise_free(sets: int = 1000) -> None:
    """Print errors of every model, asked for and chosen by each criterion, on points without noise."""
    print(f"noise-free, {sets} parameter sets a model and number of scans; errors of time-integrated activity; u 1%")
    print(
        "                         asked   auto by AIC: median, max   auto by AICc: median, max       >5%   peer >1% off"
    )
    print(
        "model            scans     max    u known      not known   u known       not known    unwarned      or no fit"
    )
    for name, model in MODELS.items():
        for scans in range(max(3, model.parameters), 7):
            times = np.array(SCANS_H[scans]) * HOUR
            exact = [_exact(*drawn, times) for drawn in realistic(name, sets, np.random.default_rng(1))]
            asked = [fit_curve(_curve(v), PHYSICAL, name).tia.value / truth - 1 for v, truth in exact]
            peer = [_peer(times, v[1], len(model.mix[0])) / truth - 1 for v, truth in exact]
            judged = [_judge(exact, c, known) for c in ("aic", "aicc") for known in (True, False)]
            columns = "  ".join(f"{median:5.1%}, {worst:5.1%}" for median, worst, _ in judged)
            unwarned = " ".join(str(n) for *_, n in judged)
            wrong = np.mean(~(np.abs(peer) < 0.01))
            print(
                f"{name:16s} {scans:5d}   {np.abs(asked).max():7.1e}  {columns}  {unwarned:>9s}  {wrong:12.0%}",
                flush=True,
            )


Points = tuple[Array, Array]


def _exact(amplitudes: Array, rates: Array, times: Array) -> tuple[Points, float]:
    return (times, np.exp(-np.outer(times, rates)) @ amplitudes), float(np.sum(amplitudes / rates))


def _curve(points: Points, u: float = 0.01, known: bool = True) -> Curve:
    times, values = points
    return Curve(times, times, values, u * values, "", known)


def _judge(exact: list[tuple[Points, float]], criterion: str, known: bool) -> tuple[float, float, int]:
    """Return median and greatest error of the model chosen, and how many errors beyond 5% no warning goes with."""
    errors, unwarned = [], 0
    for points, truth in exact:
        chosen = fit_curve(_curve(points, known=known), PHYSICAL, "auto", criterion)
        errors.append(abs(chosen.tia.value / truth - 1))
        unwarned += errors[-1] > 0.05 and not chosen.warnings
    return float(np.median(errors)), max(errors), unwarned


def _peer(times: Array, values: Array, k: int) -> float:
    """Fit k exponentials with scipy from one start; NaN where it gives none."""
    import warnings

    from scipy.optimize import curve_fit

    t = times / HOUR

    def curve(x: Array, *p: float) -> Any:
        return sum(p[2 * i] * np.exp(-np.abs(p[2 * i + 1]) * x) for i in range(k))

    start = [v for i in range(k) for v in (values.max() / k, 0.3 / 10**i)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            p, _ = curve_fit(curve, t, values, start, maxfev=5000)
    except (RuntimeError, TypeError):
        return math.nan
    return HOUR * float(sum(p[2 * i] / abs(p[2 * i + 1]) for i in range(k)))


def noisy(realisations: int = 2000) -> None:
    """Print bias, coverage and time of bi-exponential fits to five scans with 5% noise."""
    print(f"\n5 scans, 5% noise, bi-exponential, {realisations} realisations")
    fast, slow = (PHYSICAL + math.log(2) / (h * HOUR) for h in (3.0, 70.0))
    early, late = (PHYSICAL + math.log(2) / (h * HOUR) for h in (8.0, 150.0))
    cases = {
        "uptake": ((-1.0, 1.0), (fast, slow), (2, 8, 24, 96, 168)),
        "bi": ((0.5, 0.5), (early, late), (1, 6, 24, 96, 168)),
    }
    for name, (amplitudes, rates, hours) in cases.items():
        times = np.array(hours) * HOUR
        exact = 1e8 * np.exp(-np.outer(times, rates)) @ np.array(amplitudes)
        truth = 1e8 * float(np.sum(np.array(amplitudes) / np.array(rates)))
        for asked in (name, "auto"):
            random, errors, inside = np.random.default_rng(2), [], 0
            began = time.process_time()
            for _ in range(realisations):
                seen = exact * (1 + 0.05 * random.standard_normal(times.size))
                fit = fit_curve(Curve.at_instants(times, seen, 0.05 * exact), PHYSICAL, asked)
                errors.append(fit.tia.value / truth - 1)
                inside += fit.interval95[0] <= truth <= fit.interval95[1]
            each = (time.process_time() - began) / realisations * 1e3
            print(
                f"{name:8s} {asked:8s} bias {np.mean(errors):+.2%}, spread {np.std(errors):.1%},"
                f" 95% interval covers {inside / realisations:.1%}, {each:.2f} ms of processor time a fit",
                flush=True,
            )


def criteria(patients: int = 250) -> None:
    """Print error and coverage of models chosen by each criterion, from noisy scans of patients who all differ."""
    print(f"\n5% noise, {patients} patients each: root mean square error, share of 95% intervals that hold the truth")
    print("model        scans     AIC             AICc            average by AIC  AICc, u not known")
    asked = (("auto", "aic", True), ("auto", "aicc", True), ("average", "aic", True), ("auto", "aicc", False))
    for name in ("mono", "uptake", "bi", "uptake-free", "tri-uptake", "tri"):
        for scans in (4, 5, 6):
            random, found = np.random.default_rng(7), []
            for amplitudes, rates in realistic(name, patients, np.random.default_rng(1)):
                (times, values), truth = _exact(amplitudes, rates, np.array(SCANS_H[scans]) * HOUR)
                seen = (times, values * (1 + 0.05 * random.standard_normal(scans)))
                found.append([_noisy_fit(seen, truth, *one) for one in asked])
            table = np.array(found)
            rms, held = np.sqrt(np.nanmean(table[..., 0] ** 2, axis=0)), np.nanmean(table[..., 1], axis=0)
            row = "  ".join(f"{e:6.1%} {h:6.0%} " for e, h in zip(rms, held, strict=True))
            print(f"{name:12s} {scans:5d}  {row}", flush=True)


def _noisy_fit(points: Points, truth: float, model: str, criterion: str, known: bool) -> tuple[float, float]:
    try:
        fit = fit_curve(_curve(points, 0.05, known), PHYSICAL, model, criterion)
    except NoWashout:
        return math.nan, math.nan
    return fit.tia.value / truth - 1, float(fit.interval95[0] <= truth <= fit.interval95[1])


def one_scan(patients: int = 4000) -> None:
    """Print errors of kidneys from one scan, beside the published shares beyond 10%."""
    print(f"\none scan, kidney of T_eff 51 h (CV 18%), {patients} patients")
    print("published shares beyond 10% (Hardiansyah 2023 quoting Devasia 2021, 500 patients):")
    print("Hänscheid 20%, Madsen 17%, nonlinear mixed effects (NLME) 6%")
    print("noise  scan  method          bias   RMSE  beyond 10%")
    gsd = math.exp(math.sqrt(math.log(1 + 0.18**2)))
    kidney = PublishedHalfLife("Lu-177 DOTATATE", "kidney", 51.0, gsd, 0.5, 1.2, 1.3, "no", "stated")
    people = simulate(kidney, PHYSICAL, patients, 3)
    for noise in (0.0, 0.05):
        for hours in (24, 72, 96):
            for method in ("hanscheid2018", "madsen2018", "bayes"):
                s = score(people, (hours,), method, PHYSICAL, (noise, 4))
                rms = math.hypot(s.bias, s.spread)
                print(f"{noise:5.0%} {hours:3d} h  {method:13s} {s.bias:+6.1%} {rms:6.1%} {s.beyond:11.1%}", flush=True)


def voxels(size: int = 128) -> None:
    """Print the time for a series of four scans, every voxel fitted, and the memory."""
    print(f"\nvoxel by voxel, {size}³ × 4, 5% noise, a third of the voxels with uptake")
    random = np.random.default_rng(0)
    count, times = size**3, np.array(SCANS_H[4]) * HOUR
    frames = np.stack([times, times + 1800], axis=1)
    slow = PHYSICAL + math.log(2) / (random.uniform(20, 300, count) * HOUR)
    fast = PHYSICAL + math.log(2) / (random.uniform(0.5, 4, count) * HOUR)
    rising = random.random(count) < 1 / 3
    values = np.exp(-np.outer(times + 900, slow)) - rising * np.exp(-np.outer(times + 900, fast))
    values = (1e4 * values * (1 + 0.05 * random.standard_normal(values.shape))).astype(np.float32)
    truth = 1e4 * (1 / slow - rising / fast)
    grid = Grid.regular((size, size, size), (4.8, 4.8, 4.8))
    small = Grid.regular((4, 4, 4), (4.8, 4.8, 4.8))

    def images(of: Grid) -> list[Image]:
        n = of.shape[0]
        return [Image(v[: n**3].reshape(of.shape), of, Quantity.ACTIVITY_CONCENTRATION) for v in values]

    named = [VoxelFit(0.05, name) for name in LABELS.values() if name != "nothing"]
    for asked in (*named, VoxelFit(0.05, "auto"), VoxelFit(0.05, "auto", "aicc"), VoxelFit(None, "auto", "aic")):
        tia_image(images(small), frames, PHYSICAL, asked)
        began, used = time.perf_counter(), time.process_time()
        result = tia_image(images(grid), frames, PHYSICAL, asked)
        took, used = time.perf_counter() - began, time.process_time() - used
        error = np.median(np.abs(result.tia.values.ravel() / truth - 1))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        what = f"{asked.model} {result.criterion} u {result.relative_u:.3f}"
        print(f"{what}: {took:.2f} s ({used:.2f} s of processor time), median error {error:.1%}", flush=True)
        print(f"  peak memory {peak:.2f} GB, voxels by method {result.voxels}", flush=True)


def main() -> None:
    """Run all; `--quick` runs a tenth."""
    share = 10 if "--quick" in sys.argv else 1
    parts: list[tuple[Callable[[int], None], int]] = [
        (noise_free, 1000),
        (noisy, 2000),
        (criteria, 250),
        (one_scan, 4000),
    ]
    for part, n in parts:
        part(n // share)
    voxels()


if __name__ == "__main__":
    main()
