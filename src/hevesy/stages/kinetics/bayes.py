"""A patient's time-integrated activity from few scans and a population: hierarchical Bayes by quadrature.

The effective half-life, the uptake half-life and the initial activity of a tissue are log-normal over patients. Their
joint prior is laid out on nodes; the scans weight the nodes by their likelihood; what follows is a sum over nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput, UnphysicalCurve
from hevesy.stages.kinetics.fit import Fit
from hevesy.stages.kinetics.physical import decay_rate
from hevesy.stages.kinetics.population import PopulationHalfLife

Array = NDArray[np.float64]
_LN2 = math.log(2)


@dataclass(frozen=True, slots=True)
class KineticPrior:
    """What a population says of a tissue.

    Parameters
    ----------
    washout : PopulationHalfLife
        Effective half-life.
    uptake : PopulationHalfLife or None
        Half-life of the uptake from zero; None where it is over at once.
    activity_Bq, activity_gsd : float
        Median and geometric standard deviation of the activity that the washout extrapolates to at time 0; an
        infinite spread says nothing of it.
    """

    washout: PopulationHalfLife
    uptake: PopulationHalfLife | None = None
    activity_Bq: float = 1.0
    activity_gsd: float = math.inf

    def __post_init__(self) -> None:
        if not (self.activity_Bq > 0 and self.activity_gsd > 1):
            raise BadInput("A prior's activity must be positive and its geometric standard deviation above 1.")


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Nodes of the kinetics with their weights after the scans.

    Parameters
    ----------
    activity_Bq, washout, uptake : (n,) arrays
        A(t) = activity·(exp(-washout·t) - exp(-uptake·t)); uptake is infinite where it is over at once.
    weights : (n,) array
        Sum 1.
    """

    activity_Bq: Array
    washout: Array
    uptake: Array
    weights: Array = field(repr=False)

    @property
    def tia(self) -> Array:
        """Time-integrated activity of each node, Bq·s."""
        return self.activity_Bq * (1.0 / self.washout - 1.0 / self.uptake)

    def quantile(self, shares: ArrayLike) -> Array:
        """Return quantiles of the time-integrated activity, Bq·s."""
        return weighted_quantiles(self.tia, self.weights, shares)

    def activity(self, t_s: ArrayLike) -> Array:
        """Return the posterior mean of the activity at times t_s, Bq."""
        return np.asarray(self._curves(t_s) @ self.weights)

    def band(self, t_s: ArrayLike) -> tuple[Array, Array]:
        """Return the 2.5% and 97.5% quantiles of the activity at times t_s, Bq."""
        curves = self._curves(t_s)
        flat = curves.reshape(-1, self.weights.size)
        ends = np.array([weighted_quantiles(row, self.weights, (0.025, 0.975)) for row in flat])
        return ends[:, 0].reshape(curves.shape[:-1]), ends[:, 1].reshape(curves.shape[:-1])

    def _curves(self, t_s: ArrayLike) -> Array:
        return np.asarray(self.activity_Bq * _shape(np.asarray(t_s, np.float64), self.washout, self.uptake))


def weighted_quantiles(values: Array, weights: Array, shares: ArrayLike) -> Array:
    """Return quantiles of values with weights."""
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.asarray(np.interp(np.asarray(shares, np.float64), cumulative / weights.sum(), values[order]))


def _shape(t: Array, washout: Array, uptake: Array) -> Array:
    t = t[..., None]
    with np.errstate(invalid="ignore"):
        rising = np.where(np.isinf(uptake), 0.0, np.exp(-np.where(np.isinf(uptake), 0.0, uptake) * t))
    return np.asarray(np.exp(-washout * t) - rising)


def _rate_nodes(prior: KineticPrior, decay: float, n: int, span: tuple[float, float]) -> tuple[Array, Array, Array]:
    rates, weights = prior.washout.rates(decay, n, span)
    if prior.uptake is None:
        return rates, np.full(rates.size, np.inf), weights
    z = np.array([-1.7320508, 0.0, 1.7320508])
    share = np.array([1.0, 4.0, 1.0]) / 6.0  # Gauss-Hermite, three nodes
    uptake = np.array([_LN2 / prior.uptake.quantile(float(v)) for v in z]) + decay
    grid = np.meshgrid(rates, uptake, indexing="ij")
    both = np.outer(weights, share)
    usable = grid[1] > 1.05 * grid[0]
    return grid[0][usable], grid[1][usable], both[usable]


def posterior(curve: Curve, decay_constant: Measured | float, prior: KineticPrior, nodes: int = 61) -> Posterior:
    """Return the kinetics that one or more scans and a population leave possible.

    Raises
    ------
    UnphysicalCurve
        If no kinetics of the population comes near the scans.
    MissingInformation
        If the points' uncertainties are not known.
    """
    decay = decay_rate(decay_constant)
    curve.require_u()
    coarse = _weigh(curve, prior, _rate_nodes(prior, decay, nodes, (-4.0, 4.0)), nodes)
    if prior.washout.geometric_sd == 1:
        return coarse
    # good scans leave a few of the population's nodes: lay them out again where the weight is
    z = np.log(_LN2 / coarse.washout / prior.washout.median_s) / math.log(prior.washout.geometric_sd)
    heavy, step = z[coarse.weights > 1e-5 * coarse.weights.max()], 8.0 / (nodes - 1)
    if np.ptp(heavy) > 4.0:
        return coarse
    span = (float(heavy.min()) - step, float(heavy.max()) + step)
    return _weigh(curve, prior, _rate_nodes(prior, decay, nodes, span), nodes)


def _weigh(curve: Curve, prior: KineticPrior, laid: tuple[Array, Array, Array], nodes: int) -> Posterior:
    """Weight nodes of the rates, and of the activity for each, by likelihood and prior."""
    washout, uptake, weights = laid
    shapes = _shape(curve.mid_s, washout, uptake)
    # for given rates the activity's likelihood is Gaussian: centre the nodes of the activity on it
    precision = np.sum((shapes / curve.u_Bq[:, None]) ** 2, axis=0)
    best = np.sum(shapes * (curve.activity_Bq / curve.u_Bq**2)[:, None], axis=0) / precision
    z = np.linspace(-4.5, 4.5, max(nodes // 2, 9) | 1)
    activity = best[:, None] + z / np.sqrt(precision)[:, None]
    misfit = np.sum(((curve.activity_Bq[:, None] - best * shapes) / curve.u_Bq[:, None]) ** 2, axis=0)
    likelihood = -0.5 * (misfit - misfit.min())[:, None] - 0.5 * z**2 - 0.5 * np.log(precision)[:, None]
    safe = np.maximum(activity, 1e-300)
    prior_density = -np.log(safe)
    if math.isfinite(prior.activity_gsd):
        prior_density = prior_density - 0.5 * (np.log(safe / prior.activity_Bq) / math.log(prior.activity_gsd)) ** 2
    density = likelihood + prior_density + np.log(np.maximum(weights, 1e-300))[:, None]
    density = np.where((activity > 0) & (weights[:, None] > 0), density, -np.inf)
    if not np.isfinite(density).any():
        raise UnphysicalCurve(
            f"No kinetics of the population meets curve '{curve.name}'.",
            "Check its unit and times, and the population.",
        )
    joint = np.exp(density - density.max())
    shape = joint.shape
    spread = (np.broadcast_to(v[:, None], shape).ravel() for v in (washout, uptake))
    slow, fast = spread
    total = joint.ravel() / joint.sum()
    kept = total > 1e-10
    return Posterior(activity.ravel()[kept], slow[kept], fast[kept], total[kept] / total[kept].sum())


def bayes_tia(
    curve: Curve, decay_constant: Measured | float, prior: KineticPrior, relative_u: float | None = None
) -> Fit:
    """Estimate the time-integrated activity of a patient from scans and a population.

    The value is the posterior median, the interval its central 95%, and the advised next scan is the one that narrows
    it most.

    Parameters
    ----------
    curve : Curve
        One or more points.
    decay_constant : Measured or float
        Physical, 1/s.
    prior : KineticPrior
        Of the tissue.
    relative_u : float or None
        Relative standard uncertainty of a further scan; None takes that of the last.
    """
    found = posterior(curve, decay_constant, prior)
    low, middle, high = found.quantile((0.025, 0.5, 0.975))
    u = math.sqrt(float(found.weights @ (found.tia - middle) ** 2))
    half_life = _LN2 / found.washout
    centre = float(weighted_quantiles(half_life, found.weights, 0.5))
    spread = math.sqrt(float(found.weights @ (half_life - centre) ** 2))
    end = float(curve.ends_s[-1])
    tail = found.activity_Bq * (
        np.exp(-found.washout * end) / found.washout
        - np.where(np.isinf(found.uptake), 0.0, np.exp(-np.minimum(found.uptake, 1e9) * end) / found.uptake)
    )
    relative = relative_u or float(curve.u_Bq[-1] / curve.activity_Bq[-1])
    best, shrunk = best_next(curve, decay_constant, prior, relative)
    scans = "one scan" if len(curve) == 1 else f"{len(curve)} scans"
    return Fit(
        name=curve.name,
        model="bayes",
        parameters={},
        covariance=np.zeros((0, 0)),
        tia=Measured(float(middle), u, "Bq·s", "fit"),
        interval95=(float(low), float(high)),
        effective_half_life=Measured(centre, spread, "s", "fit"),
        tail_fraction=float(found.weights @ tail) / float(found.weights @ found.tia),
        chi2=math.nan,
        method=(
            f"Hierarchical Bayes: {scans} and a population (effective half-life {prior.washout.median_s / 3600:.3g} h,"
            f" geometric standard deviation {prior.washout.geometric_sd:.3g}; {prior.washout.source})."
        ),
        warnings=(f"A further scan at {best / 3600:.0f} h would shrink the standard uncertainty by {1 - shrunk:.0%}.",),
        shape=found,
        best_next_scan_s=best,
    )


def expected_shrinkage(
    curve: Curve, decay_constant: Measured | float, prior: KineticPrior, scan: tuple[float, float]
) -> float:
    """Return the expected standard deviation of the integral after a further scan, over that before it.

    Parameters
    ----------
    scan : tuple of float
        Its time, s after administration, and its relative standard uncertainty were its activity that of the last
        scan; with fewer counts it grows as 1/√activity.
    """
    now = posterior(curve, decay_constant, prior, 25)
    return _shrinkage(now, scan[0], scan[1], float(curve.activity_Bq[-1]))


def _shrinkage(now: Posterior, t: float, relative: float, last: float) -> float:
    """Average the posterior variance over what the scan may show: every node, with three nodes of noise."""
    predicted = np.maximum(now._curves(t), 1e-12 * last)
    tia, weights = now.tia, now.weights
    mean = float(weights @ tia)
    before = float(weights @ (tia - mean) ** 2)
    noise = relative * predicted * np.sqrt(np.maximum(last / predicted, 1.0))
    after = 0.0
    # many nodes carry next to no weight: the outcomes of the others are enough
    top = np.argsort(weights)[::-1]
    top = top[: int(np.searchsorted(np.cumsum(weights[top]), 0.995)) + 1]
    top = top[:: max(1, top.size // 150)]
    for z, share in ((-1.7320508, 1 / 6), (0.0, 2 / 3), (1.7320508, 1 / 6)):
        outcome = predicted[top] + z * noise[top]
        joint = weights / noise * np.exp(-0.5 * ((outcome[:, None] - predicted) / noise) ** 2)
        joint /= np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
        variance = joint @ tia**2 - (joint @ tia) ** 2
        after += share * float(weights[top] @ np.maximum(variance, 0.0)) / float(weights[top].sum())
    return math.sqrt(after / before) if before > 0 else 1.0


def best_next(
    curve: Curve, decay_constant: Measured | float, prior: KineticPrior, relative_u: float
) -> tuple[float, float]:
    """Return the time of the further scan (s) that narrows the integral most, and the expected shrinkage there.

    Times from an hour to four physical half-lives are tried.
    """
    decay = decay_rate(decay_constant)
    now = posterior(curve, decay_constant, prior, 25)
    times = np.geomspace(3600.0, 4.0 * _LN2 / decay, 48)
    times = times[np.abs(times - curve.mid_s[-1]) > 3600.0]
    found = np.array([_shrinkage(now, float(t), relative_u, float(curve.activity_Bq[-1])) for t in times])
    # the optimum is flat: an earlier scan with a twentieth more is as good, and easier to have
    best = int(np.argmax(found <= 1.05 * found.min()))
    return float(times[best]), float(found[best])
