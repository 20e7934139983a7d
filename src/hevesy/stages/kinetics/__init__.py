"""Kinetics: time-activity curves and what they integrate to."""

from hevesy.stages.kinetics.bounded import BoundedCurve, best_next_scan, bounded_tia
from hevesy.stages.kinetics.exponentials import fit_curve
from hevesy.stages.kinetics.fit import EXTRAPOLATION_WARNING, Exponentials, Fit, TimeActivity
from hevesy.stages.kinetics.models import CANDIDATES, MODELS, Model, model_named
from hevesy.stages.kinetics.physical import check_physical, still_rising
from hevesy.stages.kinetics.population import PopulationHalfLife
from hevesy.stages.kinetics.voxels import LABELS, TiaImage, tia_image

__all__ = [
    "CANDIDATES",
    "EXTRAPOLATION_WARNING",
    "LABELS",
    "MODELS",
    "BoundedCurve",
    "Exponentials",
    "Fit",
    "Model",
    "PopulationHalfLife",
    "TiaImage",
    "TimeActivity",
    "best_next_scan",
    "bounded_tia",
    "check_physical",
    "fit_curve",
    "model_named",
    "still_rising",
    "tia_image",
]
