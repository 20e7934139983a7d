"""A Monte Carlo simulation: batches on all cores, statistics, when to stop, and how to go on later."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Measured
from hevesy.errors import BadInput, ContradictoryInformation, UnphysicalResult, UnreadableFile
from hevesy.kernels.tables import DEPOSITED, EMITTED, ESCAPED, SCORED, Scratch, Source, World, scratch
from hevesy.kernels.transport import run_batch
from hevesy.physics.electron_scattering import REST_ENERGY_J

Array = NDArray[np.float64]

#: batches before a statistical uncertainty is believed enough to stop at
LEAST_BATCHES = 16
#: largest share of the emitted energy that may go astray
BALANCE_TOLERANCE = 1e-6
#: a relative uncertainty below this is rounding: no two batches differ
_STILL = 1e-6
#: emissions of one batch never share random numbers
_MOST_EMISSIONS = 256


class Device(StrEnum):
    """What computes a simulation: processors, a CUDA device, or a CUDA device where there is one."""

    CPU = "cpu"
    CUDA = "cuda"
    AUTO = "auto"

    def found(self) -> Device:
        """Return what there is: `CPU` or `CUDA`.

        Raises
        ------
        BadInput
            If a CUDA device is asked for and there is none.
        """
        if self is Device.CPU or _has_cuda():
            return Device.CPU if self is Device.CPU else Device.CUDA
        if self is Device.AUTO:
            return Device.CPU
        raise BadInput(
            "There is no CUDA device that can be used here.",
            "It needs a driver and pip install 'hevesy[cuda]'; or give --device cpu.",
        )


def _has_cuda() -> bool:
    # numba's own CUDA target cannot compile the transport: it takes numba-cuda
    if find_spec("numba_cuda") is None and not os.environ.get("NUMBA_ENABLE_CUDASIM"):
        return False
    from hevesy.kernels.cuda import is_available

    return is_available()


@dataclass(frozen=True, slots=True)
class Stop:
    """When a simulation ends: at the first of these that is reached.

    Parameters
    ----------
    histories : int or None
        Histories, rounded up to whole batches.
    relative_uncertainty : float or None
        Greatest relative standard uncertainty among the means of the regions.
    seconds : float or None
        Time by the clock.

    Raises
    ------
    BadInput
        If none is given, or one is not positive.
    """

    histories: int | None = None
    relative_uncertainty: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        given = [x for x in (self.histories, self.relative_uncertainty, self.seconds) if x is not None]
        if not given or min(given) <= 0:
            raise BadInput("A simulation needs a positive number of histories, uncertainty or time to stop at.")


@dataclass(frozen=True, slots=True, eq=False)
class Emission:
    """One source of particles and how it is drawn.

    Parameters
    ----------
    source : Source
        Where its particles start.
    decays : float
        Decays of the parent that it stands for.
    histories : int
        Histories in each batch.
    """

    source: Source
    decays: float
    histories: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is simulated; the result depends on nothing else.

    Parameters
    ----------
    world : World
        What the particles meet.
    emissions : tuple of Emission
        What is emitted.
    seed : int
        Seed of the random numbers.
    stratified : bool
        Whether the starts of a batch are spread evenly.
    regions : dict of str to (m,) array
        Flat indices of the voxels of each region.
    booked : (n,) array
        Energy that is emitted and deposited in each voxel before any history, m_e c²; empty for none.
    lent : (n,) array
        The same, for electrons, of which each history takes its part back; empty for none.
    """

    world: World
    emissions: tuple[Emission, ...]
    seed: int = 1
    stratified: bool = True
    regions: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    booked: Array = field(default_factory=lambda: np.zeros(0))
    lent: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def histories_per_batch(self) -> int:
        """Histories of all emissions in one batch."""
        return sum(emission.histories for emission in self.emissions)

    def fingerprint(self) -> str:
        """Return a digest of everything that the result depends on."""
        digest = hashlib.sha256(repr((self.seed, self.stratified, self.world.options)).encode())
        sources = [part for e in self.emissions for part in (*e.source, e.decays, e.histories)]
        tables = [*self.world.lattice, *self.world.electrons, *self.world.photons, *self.world.alphas]
        for part in [*sources, *tables, self.booked, self.lent, *self.regions.values()]:
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What a simulation has found so far.

    Parameters
    ----------
    total, squares : (n,) array
        Sum over batches of the energy scored in each voxel or shell, m_e c², and of its square.
    balance : (5,) array
        Energy emitted, deposited, escaped and scored (m_e c²) over all batches, and histories.
    by_region : (batches, regions) array
        Energy scored in each region in each batch, m_e c².
    seconds : float
        Time by the clock.
    sure : (n,) array
        Energy in each voxel that no history takes back, m_e c²; empty for none.
    """

    total: Array
    squares: Array
    balance: Array
    by_region: Array
    seconds: float = 0.0
    sure: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def batches(self) -> int:
        """Batches done."""
        return len(self.by_region)

    @property
    def energy_J(self) -> Array:
        """Mean energy scored in each voxel or shell, J."""
        return np.asarray(self.total * (REST_ENERGY_J / max(1, self.batches)))

    def relative_uncertainty(self) -> Array:
        """Return the relative standard uncertainty of each voxel's or shell's energy.

        Where no history has come, it is the share of what may yet be taken back: 1 where nothing is sure.
        """
        b = self.batches
        mean = self.total / b
        ratio = self.squares / b
        ratio -= mean * mean
        np.maximum(ratio, 0.0, out=ratio)
        ratio /= max(1, b - 1)
        np.sqrt(ratio, out=ratio)
        scored = mean != 0
        np.divide(ratio, np.abs(mean), out=ratio, where=scored)
        still = ~scored | (ratio <= _STILL)
        ratio[still] = 1.0
        if self.sure.size:
            still &= scored
            ratio[still] -= self.sure[still] / mean[still]
        return ratio

    def region_uncertainty(self) -> Array:
        """Return the relative standard uncertainty of each region's energy; 1 where one batch does not tell it.

        Infinite where none was scored.
        """
        if self.batches < 2:
            return np.ones(self.by_region.shape[1])
        mean = self.by_region.mean(axis=0)
        u = self.by_region.std(axis=0, ddof=1) / np.sqrt(self.batches)
        return np.asarray(np.divide(u, mean, out=np.full_like(mean, np.inf), where=mean > 0))

    def region_energy(self, index: int) -> Measured:
        """Return the energy scored in a region, J, with its statistical uncertainty."""
        values = self.by_region[:, index] * REST_ENERGY_J
        u = float(values.std(ddof=1) / np.sqrt(self.batches)) if self.batches > 1 else 0.0
        return Measured(float(values.mean()), u, "J", "Monte Carlo statistics")

    def astray(self) -> float:
        """Return the share of the emitted energy that was neither deposited nor escaped."""
        emitted = self.balance[EMITTED]
        return float(abs(emitted - self.balance[DEPOSITED] - self.balance[ESCAPED]) / emitted) if emitted else 0.0

    def with_batch(self, energy: Array, balance: Array, by_region: Array) -> Tally:
        """Add one batch in place of the sums, and return the tally that holds them."""
        self.total.__iadd__(energy)
        self.squares.__iadd__(energy * energy)
        return replace(
            self, balance=self.balance + balance, by_region=np.concatenate([self.by_region, by_region[None]])
        )


def empty_tally(plan: Plan) -> Tally:
    """Return a tally of no batch."""
    shells = plan.world.lattice.shells.size
    size = shells or plan.world.lattice.density.size
    return Tally(np.zeros(size), np.zeros(size), np.zeros(5), np.zeros((0, len(plan.regions))), sure=plan.booked)


def run(
    plan: Plan,
    stop: Stop,
    tally: Tally | None = None,
    threads: int | None = None,
    progress: Callable[[Tally], None] | None = None,
    device: Device = Device.CPU,
) -> Tally:
    """Simulate until `stop`, from the beginning or from where a tally left off.

    The same plan gives the same tally, batch by batch, on any number of threads.

    Parameters
    ----------
    plan : Plan
        What to simulate.
    stop : Stop
        When to end. Histories and seconds of the given tally count.
    tally : Tally, optional
        What was found before; it is used up.
    threads : int, optional
        Threads; all processors if absent.
    progress : callable, optional
        Is given the tally after every batch.
    device : Device
        What computes; the random numbers are the same on each.

    Raises
    ------
    BadInput
        If a CUDA device is asked for and there is none.
    UnphysicalResult
        If more than 1e-6 of the emitted energy was lost.
    """
    tally = tally or empty_tally(plan)
    found = device.found()
    if found is Device.CPU:
        _compile(plan)
    before, began = tally.seconds, time.perf_counter()
    if _done(plan, stop, tally):
        return tally
    threads = threads or os.cpu_count() or 1
    on_device = found is Device.CUDA
    for energy, balance in _cuda_batches(plan, tally.batches) if on_device else _batches(plan, tally.batches, threads):
        by_region = np.array([energy[indices].sum() for indices in plan.regions.values()])
        tally = tally.with_batch(energy, balance, by_region)
        tally = replace(tally, seconds=before + time.perf_counter() - began)
        if progress:
            progress(tally)
        if _done(plan, stop, tally):
            break
    if tally.astray() > BALANCE_TOLERANCE:
        raise UnphysicalResult(f"{tally.astray():.1e} of the emitted energy was lost in the simulation.")
    return tally


def _compile(plan: Plan) -> None:
    """Have the machine code at hand before the clock starts."""
    for emission in plan.emissions[:1]:
        run_batch(plan.world, emission.source, (0, 0), (0, 1.0, False), scratch(1))


def _done(plan: Plan, stop: Stop, tally: Tally) -> bool:
    if stop.histories is not None and tally.batches * plan.histories_per_batch >= stop.histories:
        return True
    if stop.seconds is not None and tally.seconds >= stop.seconds:
        return True
    if stop.relative_uncertainty is None or tally.batches < LEAST_BATCHES:
        return False
    return bool((tally.region_uncertainty() <= stop.relative_uncertainty).all())


def _batches(plan: Plan, first: int, threads: int) -> Iterator[tuple[Array, Array]]:
    """Give the energy and the balance of each batch in order; some are at work ahead of the one given."""
    storage = [scratch(empty_tally(plan).total.size) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        while True:
            jobs = [pool.submit(_run_one, plan, first + i, one) for i, one in enumerate(storage)]
            for job, one in zip(jobs, storage, strict=True):
                job.result()
                yield one.tally, one.balance
            first += threads


def _cuda_batches(plan: Plan, first: int) -> Iterator[tuple[Array, Array]]:
    from hevesy.kernels.cuda import run_batches

    drawn = [(e.source, (e.histories, e.decays / e.histories, plan.stratified)) for e in plan.emissions]
    for energy, balance in run_batches(plan.world, drawn, plan.seed, first, _MOST_EMISSIONS):
        _book(plan, energy, balance)
        yield energy, balance


def _book(plan: Plan, energy: Array, balance: Array) -> None:
    """Add what is emitted and deposited before any history of a batch."""
    for part in (plan.booked, plan.lent):
        if part.size:
            energy += part
            balance[[EMITTED, DEPOSITED, SCORED]] += part.sum()


def _run_one(plan: Plan, batch: int, storage: Scratch) -> None:
    storage.tally[:] = 0.0
    storage.balance[:] = 0.0
    _book(plan, storage.tally, storage.balance)
    for index, emission in enumerate(plan.emissions):
        stream = (plan.seed, batch * _MOST_EMISSIONS + index)
        scale = emission.decays / emission.histories
        run_batch(plan.world, emission.source, stream, (emission.histories, scale, plan.stratified), storage)


def save(path: Path, plan: Plan, tally: Tally) -> None:
    """Keep a tally, to go on with later; a file that exists is replaced only by a whole one."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez(
            file,
            plan=plan.fingerprint(),
            total=tally.total,
            squares=tally.squares,
            balance=tally.balance,
            by_region=tally.by_region,
            seconds=tally.seconds,
        )
    partial.replace(path)


def load(path: Path, plan: Plan) -> Tally:
    """Return a tally that was kept.

    Raises
    ------
    UnreadableFile
        If the file is not one of these.
    ContradictoryInformation
        If it belongs to another simulation.
    """
    try:
        with np.load(path, allow_pickle=False) as kept:
            fingerprint = str(kept["plan"])
            arrays = {name: kept[name] for name in ("total", "squares", "balance", "by_region")}
            seconds = float(kept["seconds"])
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableFile(f"{path} holds no simulation to go on with ({error}).") from error
    if fingerprint != plan.fingerprint():
        raise ContradictoryInformation(
            f"{path} belongs to another simulation.", "Give the same input, options and seed, or start anew."
        )
    return Tally(**arrays, seconds=seconds, sure=plan.booked)


def balance_J(tally: Tally) -> dict[str, float]:
    """Return the energy balance by name, J, means over batches."""
    items = {"emitted": EMITTED, "deposited": DEPOSITED, "escaped": ESCAPED, "scored": SCORED}
    factor = REST_ENERGY_J / max(1, tally.batches)
    return {f"{name}_J": float(tally.balance[item]) * factor for name, item in items.items()}
