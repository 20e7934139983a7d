"""The energy that a point of radioactivity leaves around itself in an infinite medium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput


@dataclass(frozen=True, slots=True, eq=False)
class PointKernel:
    """A dose-point kernel: energy left in shells about a point source, per decay.

    Parameters
    ----------
    nuclide : str
        What decays; of a chain, the parent, with the daughters that the maker put in.
    medium : str
        What surrounds the source.
    density_kg_m3 : float
        Its density.
    radius_mm : (n + 1,) array
        Radii that bound the shells, rising from 0.
    charged_J, photons_J : (n,) array
        Energy left in each shell, J per decay: what comes of electrons, positrons and alphas (their bremsstrahlung and
        annihilation photons included), and what comes of gamma and X rays.
    beyond_J : float
        Energy that leaves the last shell, J per decay.
    u_relative : float
        Statistical standard uncertainty of the energy within 50% of the range, relative.
    source : str
        How it was made.

    Raises
    ------
    BadInput
        If radii do not rise from 0, or lengths differ.
    """

    nuclide: str
    medium: str
    density_kg_m3: float
    radius_mm: NDArray[np.float64] = field(repr=False)
    charged_J: NDArray[np.float64] = field(repr=False)
    photons_J: NDArray[np.float64] = field(repr=False)
    beyond_J: float = 0.0
    u_relative: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        if self.radius_mm[0] != 0 or not (np.diff(self.radius_mm) > 0).all():
            raise BadInput(f"The radii of the point kernel of {self.nuclide} must rise from 0.")
        if not len(self.charged_J) == len(self.photons_J) == len(self.radius_mm) - 1:
            raise BadInput(f"The point kernel of {self.nuclide} needs one energy for each shell.")
        if not self.density_kg_m3 > 0:
            raise BadInput(f"The density of the point kernel of {self.nuclide} must be positive.")

    @property
    def energy_J(self) -> float:
        """Energy emitted per decay, J: what the shells hold and what lies beyond."""
        return float(self.charged_J.sum() + self.photons_J.sum() + self.beyond_J)

    @classmethod
    def together(cls, kernels: Sequence[tuple[PointKernel, float]]) -> PointKernel:
        """Return the kernel of several nuclides at one place: each with its decays per decay of the first.

        Raises
        ------
        BadInput
            If there are none, or their shells or media differ.
        """
        if not kernels:
            raise BadInput("There is no point kernel to add.")
        first = kernels[0][0]
        for kernel, _ in kernels:
            same = kernel.radius_mm.shape == first.radius_mm.shape and np.allclose(kernel.radius_mm, first.radius_mm)
            if not same or kernel.medium != first.medium:
                raise BadInput(f"The point kernels of {first.nuclide} and {kernel.nuclide} have other shells or media.")
        return replace(
            first,
            nuclide=" + ".join(kernel.nuclide for kernel, _ in kernels),
            charged_J=np.sum([kernel.charged_J * share for kernel, share in kernels], axis=0),
            photons_J=np.sum([kernel.photons_J * share for kernel, share in kernels], axis=0),
            beyond_J=sum(kernel.beyond_J * share for kernel, share in kernels),
            u_relative=max(kernel.u_relative for kernel, _ in kernels),
        )

    def at_density(self, density_kg_m3: float) -> PointKernel:
        """Return the kernel in the same medium at another density: lengths go with its inverse.

        Exact but for the density effect on stopping power.
        """
        scale = self.density_kg_m3 / density_kg_m3
        return PointKernel(
            self.nuclide,
            self.medium,
            density_kg_m3,
            self.radius_mm * scale,
            self.charged_J,
            self.photons_J,
            self.beyond_J,
            self.u_relative,
            self.source,
        )
