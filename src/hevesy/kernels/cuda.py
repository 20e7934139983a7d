"""The transport on a CUDA device: a thread a history, by the same device functions as on processors.

A history's random numbers are those that it has on a processor, so that doses differ only by the order in which they
are added up and by the rounding of the device's elementary functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import config, cuda
from numpy.typing import NDArray

from hevesy.kernels.flight import add
from hevesy.kernels.tables import DIMENSIONS, ITEMS, Scratch, Source, World
from hevesy.kernels.transport import begin_batch, run_history

try:
    from numba.cuda.extending import overload
except ImportError:
    # numba without numba-cuda: its simulator knows no overloads and needs none
    from numba.extending import overload

Array = NDArray[np.float64]

#: particles that wait on one thread's stack; one too many is lost, which the balance of energy shows
STACK = 64
THREADS_PER_BLOCK = 128
#: so many threads keep the largest devices busy; each has 5 KB of local memory while it runs
MOST_THREADS = 262_144


@overload(add, target="cuda")
def _add_atomically(tally, place, energy):  # type: ignore[no-untyped-def]
    def atomic(tally, place, energy):  # type: ignore[no-untyped-def]
        cuda.atomic.add(tally, place, energy)

    return atomic


def run_histories(world, source, stream, draw, written):  # type: ignore[no-untyped-def]
    """Run the share of a batch that falls to this thread; the body of the kernel.

    Parameters
    ----------
    world, source, stream, draw
        As of `hevesy.kernels.transport.run_batch`.
    written : ((n,) array, (threads, 5) array)
        The tally, to which all threads add, and the balance of each thread.
    """
    tally, balances = written
    thread = cuda.grid(1)
    if thread >= balances.shape[0]:
        return
    own = Scratch(
        tally,
        balances[thread],
        cuda.local.array((STACK, ITEMS), np.float64),
        cuda.local.array(1, np.int64),
        cuda.local.array(3, np.int64),
        cuda.local.array(ITEMS, np.float64),
        cuda.local.array(DIMENSIONS, np.float64),
        cuda.local.array(DIMENSIONS, np.float64),
        cuda.local.array(1, np.uint64),
    )
    begin_batch(stream, own)
    for history in range(thread, draw[0], balances.shape[0]):
        run_history(world, source, stream, draw, history, own)


_run_histories = cuda.jit(run_histories)


def is_available() -> bool:
    """Say whether there is a device that numba can compile for."""
    return bool(cuda.is_available())


def run_batches(
    world: World, sources: list[tuple[Source, tuple[int, float, bool]]], seed: int, first: int, stride: int
) -> Iterator[tuple[Array, Array]]:
    """Give the energy in each place and the balance (m_e c²) of one batch after the other.

    Parameters
    ----------
    world : World
        What the particles meet; copied to the device once.
    sources : list of (Source, (int, float, bool))
        Where particles start, and the `draw` of `hevesy.kernels.transport.run_batch` for a batch of them.
    seed : int
        Seed of the random numbers.
    first, stride : int
        Number of the first batch, and by how much a batch's streams are apart.
    """
    world_there = _on_device(world)
    sources_there = [(_on_device(source), draw) for source, draw in sources]
    size = world.lattice.shells.size or world.lattice.density.size
    while True:
        tally, total = _on_device(np.zeros(size)), np.zeros(5)
        for index, (source, draw) in enumerate(sources_there):
            blocks = -(-min(draw[0], MOST_THREADS) // THREADS_PER_BLOCK)
            balances = _on_device(np.zeros((blocks * THREADS_PER_BLOCK, 5)))
            stream = (seed, first * stride + index)
            _run_histories[blocks, THREADS_PER_BLOCK](world_there, source, stream, draw, (tally, balances))
            total += _on_host(balances).sum(axis=0)
        yield _on_host(tally), total
        first += 1


def _on_device(value: Any) -> Any:
    if isinstance(value, tuple):
        return type(value)(*(_on_device(part) for part in value))
    # the simulator's threads run compiled device functions on the arrays themselves
    return cuda.to_device(value) if isinstance(value, np.ndarray) and not config.ENABLE_CUDASIM else value


def _on_host(value: Any) -> Array:
    return np.asarray(value if config.ENABLE_CUDASIM else value.copy_to_host())
