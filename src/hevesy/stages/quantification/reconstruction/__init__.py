"""Projections to images: the system model, and the algorithms that invert it."""

from hevesy.stages.quantification.reconstruction.likelihood import (
    Measurement,
    Relaxation,
    bsrem,
    mlem,
    osem,
    osl_map,
)
from hevesy.stages.quantification.reconstruction.orbit import Orbit
from hevesy.stages.quantification.reconstruction.priors import Quadratic, RelativeDifference
from hevesy.stages.quantification.reconstruction.response import LinearResponse, MeasuredResponse, QuadratureResponse
from hevesy.stages.quantification.reconstruction.schedule import Schedule
from hevesy.stages.quantification.reconstruction.septal import TailedResponse
from hevesy.stages.quantification.reconstruction.system import Lattice, SystemModel

__all__ = [
    "Lattice",
    "LinearResponse",
    "MeasuredResponse",
    "Measurement",
    "Orbit",
    "Quadratic",
    "QuadratureResponse",
    "RelativeDifference",
    "Relaxation",
    "Schedule",
    "SystemModel",
    "TailedResponse",
    "bsrem",
    "mlem",
    "osem",
    "osl_map",
]
