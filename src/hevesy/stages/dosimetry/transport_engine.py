"""The Monte Carlo engine behind the registry's signature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hevesy.core import Quantity
from hevesy.stages.dosimetry.engines import HISTORIES, DoseMap, Sampling, Source
from hevesy.stages.dosimetry.monte_carlo import Decays, Phantom, per_mass, plan
from hevesy.stages.dosimetry.simulation import Plan, Stop, Tally, run

BATCHES = 32
#: our transport agrees with EGSnrc and PENELOPE within this in region means, relative
METHOD_UNCERTAINTY = 0.01


def monte_carlo(source: Source, sampling: Sampling | None = None) -> DoseMap:
    """Return the absorbed dose by transport of every photon, electron and positron, with media by density.

    Raises
    ------
    GridMismatch
        If activity and density lie on different grids.
    WrongQuantity
        If they are not Bq·s/mL and kg/m³.
    BadInput
        If there is no activity in the body, or the grid's axes are not at right angles.
    """
    phantom = Phantom.from_density(source.density)
    source.tia.grid.require_match(source.density.grid, "Time-integrated activity and density")
    inside = np.where(source.density.values > 0, source.tia.values, 0)
    decays = [Decays(source.tia.with_values(inside), source.nuclides)]
    sampling = sampling or Sampling()
    most = sampling.histories or HISTORIES
    made = plan(phantom, decays, max(1, most // BATCHES), sampling.seed, regions=list(sampling.regions))
    stop = Stop(most, sampling.relative_uncertainty if sampling.regions else None)
    tally = run(made, stop, progress=lambda so_far: sampling.progress(so_far.batches / BATCHES))
    answer = dose_map(phantom, made, tally)
    outside = 1.0 - float(inside.sum(dtype=np.float64) / source.tia.values.sum(dtype=np.float64))
    if outside > 0:
        left = f"Activity outside the body ({outside:.1%} of all) is left out."
        answer = replace(answer, limits=(*answer.limits, left))
    return answer


def dose_map(phantom: Phantom, made: Plan, tally: Tally) -> DoseMap:
    """Return what a simulation found as an engine's answer."""
    dose = per_mass(tally.energy_J.reshape(phantom.grid.shape), phantom)
    image = phantom.density.with_values(dose, Quantity.ABSORBED_DOSE)
    histories = tally.batches * made.histories_per_batch
    limits = [
        "Voxels carry statistical noise; means of regions hardly do.",
        "Alphas fly straight and slow down evenly; the nuclei that recoil from them stop where they are born.",
        "Vacuum surrounds the image: nothing scatters back from outside it.",
    ]
    if made.world.options.kerma:
        limits.append(
            "Electrons that photons set free stop where they are: the photon part of the dose to the voxel of its own"
            " decays is up to 10% high, which is 0.1% of the dose there."
        )
    media = ", ".join(phantom.media[i].name for i in np.unique(phantom.labels))
    method = (
        f"Monte Carlo transport of photons, electrons and positrons (to 10 keV) and alphas through {media}:"
        f" {histories:,} histories."
    )
    chance = tally.relative_uncertainty().astype(np.float32).reshape(phantom.grid.shape)
    noise = phantom.density.with_values(chance, Quantity.RELATIVE)
    statistics = tuple(map(float, tally.region_uncertainty())) if made.regions else ()
    return DoseMap(image, method, tuple(limits), METHOD_UNCERTAINTY, noise, statistics)
