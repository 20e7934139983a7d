"""Nouns: what the rest of the package speaks about. Imports numpy and the standard library alone."""

from hevesy.core.collimator import Collimator
from hevesy.core.curve import Curve
from hevesy.core.grid import Grid
from hevesy.core.image import Image
from hevesy.core.material import Material
from hevesy.core.measured import Measured
from hevesy.core.nuclide import BetaSpectrum, Daughter, Emission, EmissionKind, Nuclide
from hevesy.core.patient import Administration, Patient
from hevesy.core.placement import Placement
from hevesy.core.planar import EnergyWindow, PlanarView
from hevesy.core.projections import Projections
from hevesy.core.provenance import Provenance, Step
from hevesy.core.quantity import Quantity
from hevesy.core.region import Outline, Region, Role
from hevesy.core.timing import Timing, seconds_between

__all__ = [
    "Administration",
    "BetaSpectrum",
    "Collimator",
    "Curve",
    "Daughter",
    "Emission",
    "EmissionKind",
    "EnergyWindow",
    "Grid",
    "Image",
    "Material",
    "Measured",
    "Nuclide",
    "Outline",
    "Patient",
    "Placement",
    "PlanarView",
    "Projections",
    "Provenance",
    "Quantity",
    "Region",
    "Role",
    "Step",
    "Timing",
    "seconds_between",
]
