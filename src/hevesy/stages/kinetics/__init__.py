"""Kinetics: time-activity curves and what they integrate to."""

from hevesy.stages.kinetics.bayes import KineticPrior, Posterior, bayes_tia, best_next, expected_shrinkage, posterior
from hevesy.stages.kinetics.bounded import BoundedCurve, best_next_scan, bounded_tia, trapezoid_tia
from hevesy.stages.kinetics.cohort import fit_population, prior_of_cohort
from hevesy.stages.kinetics.comparison import Candidate, compare_models
from hevesy.stages.kinetics.criterion import CRITERIA, Criterion, criterion_named
from hevesy.stages.kinetics.curve_files import read_cohort, read_curves
from hevesy.stages.kinetics.exponentials import fit_curve
from hevesy.stages.kinetics.fit import EXTRAPOLATION_WARNING, Exponentials, Fit, TimeActivity
from hevesy.stages.kinetics.models import CANDIDATES, MODELS, Model, model_named
from hevesy.stages.kinetics.one_scan import METHODS, half_life_ratio, hanscheid_ratio, one_scan_tia
from hevesy.stages.kinetics.patients import ESTIMATORS, Patients, Score, methods_for, score, simulate
from hevesy.stages.kinetics.physical import check_physical, still_rising
from hevesy.stages.kinetics.population import PopulationHalfLife
from hevesy.stages.kinetics.shared_tail import fit_shared_tail
from hevesy.stages.kinetics.voxels import LABELS, TiaImage, VoxelFit, tia_image

__all__ = [
    "CANDIDATES",
    "CRITERIA",
    "ESTIMATORS",
    "EXTRAPOLATION_WARNING",
    "LABELS",
    "METHODS",
    "MODELS",
    "BoundedCurve",
    "Candidate",
    "Criterion",
    "Exponentials",
    "Fit",
    "KineticPrior",
    "Model",
    "Patients",
    "PopulationHalfLife",
    "Posterior",
    "Score",
    "TiaImage",
    "TimeActivity",
    "VoxelFit",
    "bayes_tia",
    "best_next",
    "best_next_scan",
    "bounded_tia",
    "check_physical",
    "compare_models",
    "criterion_named",
    "expected_shrinkage",
    "fit_curve",
    "fit_population",
    "fit_shared_tail",
    "half_life_ratio",
    "hanscheid_ratio",
    "methods_for",
    "model_named",
    "one_scan_tia",
    "posterior",
    "prior_of_cohort",
    "read_cohort",
    "read_curves",
    "score",
    "simulate",
    "still_rising",
    "tia_image",
    "trapezoid_tia",
]
