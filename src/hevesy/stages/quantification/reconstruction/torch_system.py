"""The system model in PyTorch: on any device, and differentiable, with the contract of `SystemModel`.

It needs the extra: ``pip install hevesy[torch]``. Nothing else of the package imports this module.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadConfiguration, BadInput, GridMismatch
from hevesy.kernels.view_lattice import FOCUSED
from hevesy.stages.quantification.reconstruction.septal import TailedResponse
from hevesy.stages.quantification.reconstruction.system import SystemModel


@dataclass(frozen=True, slots=True, eq=False)
class TorchSystem:
    """The same linear operator as a `SystemModel`, of tensors.

    Every step is a native operation of PyTorch, so that gradients pass through `forward` (it is linear: a gradient is
    the transpose), and `backward` is the transpose that PyTorch derives from it.

    Parameters
    ----------
    system : SystemModel
        Geometry, response and μ-map; the plan of the blur is taken from it.
    device : str
        Such as ``"cpu"`` or ``"cuda"``.
    dtype : torch.dtype or None
        Of volumes and projections; None means single precision.

    Raises
    ------
    BadInput
        If the response has tails.
    BadConfiguration
        If PyTorch is not installed.
    """

    system: SystemModel
    device: str = "cpu"
    dtype: Any = None
    _torch: Any = field(init=False, repr=False)
    _mu: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        system = self.system
        if isinstance(system.response, TailedResponse):
            raise BadInput("The PyTorch backend has no tails through septa.", "Use SystemModel, or the core alone.")
        object.__setattr__(self, "_torch", _pytorch())
        if self.dtype is None:
            object.__setattr__(self, "dtype", self._torch.float32)
        mu = system.mu_per_mm
        steps = None if mu is None else self._tensor(np.asarray(mu) * system.lattice.pixel_mm)
        object.__setattr__(self, "_mu", steps)

    def forward(self, volume: Any, views: NDArray[np.int64] | None = None) -> Any:
        """Project a volume (side, side, slices) onto some views (all by default): (m, side, slices).

        Raises
        ------
        GridMismatch
            If the volume does not fit the lattice.
        """
        if tuple(volume.shape) != self.system.lattice.shape:
            raise GridMismatch(f"A volume of {tuple(volume.shape)} does not fit {self.system.lattice.shape}.")
        if self.system.support is not None:
            volume = volume * self._tensor(self.system.support)
        chosen = range(self.system.views) if views is None else views
        return self._torch.stack([self._project(volume, int(view)) for view in chosen])

    def backward(self, projections: Any, views: NDArray[np.int64] | None = None) -> Any:
        """Apply the transpose of `forward` to projections (m, side, slices): (side, side, slices)."""
        nothing = self._torch.zeros(self.system.lattice.shape, dtype=self.dtype, device=self.device)
        _, transpose = self._torch.func.vjp(lambda volume: self.forward(volume, views), nothing)
        return transpose(projections)[0]

    def _tensor(self, values: Any) -> Any:
        return self._torch.as_tensor(np.asarray(values), dtype=self.dtype, device=self.device)

    def _project(self, volume: Any, view: int) -> Any:
        where, weights, secant = self._places(view)
        planes = _sampled(volume, where, weights)
        if self._mu is not None:
            path = _sampled(self._mu, where, weights) * secant[:, None]
            beyond = self._torch.flip(self._torch.cumsum(self._torch.flip(path, (0,)), 0), (0,))
            planes = planes * self._torch.exp(path / 2 - beyond)
        return self._walked(planes, view) / secant[:, None] ** 3

    def _walked(self, planes: Any, view: int) -> Any:
        """Gather planes (n, bins, nz) from the farthest to the nearest, as `hevesy.kernels.projection` does."""
        walk = self.system.walk
        share = self._tensor(walk.shares[view])[:, None, None]
        gathered = self._torch.zeros_like(planes[0])
        for group, passes in enumerate(walk.passes[view]):
            own = slice(int(walk.starts[view, group]), int(walk.starts[view, group + 1]))
            gathered = gathered + (share[own] * planes[own]).sum(0)
            taps = [float(tap) for tap in walk.taps[view, group]]
            for _ in range(int(passes)):
                gathered = _blurred(_blurred(gathered, taps[3:]).T, taps[:3]).T
            gathered = gathered + ((1 - share[own]) * planes[own]).sum(0)
        return gathered

    def _places(self, view: int) -> tuple[Any, Any, Any]:
        """Return for each sample (plane, bin) its four columns and their weights, (4, n, bins), and 1/cos γ of bins."""
        n = self.system.lattice.side
        normal_x, normal_y, bin_x, bin_y, shift, at_axis, growth = (float(x) for x in self.system.frames[view])
        along, middle = (np.arange(n) - (n - 1) / 2)[:, None], (n - 1) / 2
        spacing = at_axis + growth * along
        off = np.arange(n) - middle - shift
        i = middle + along * normal_x + off * spacing * bin_x
        j = middle + along * normal_y + off * spacing * bin_y
        a, b = np.floor(i).astype(np.int64), np.floor(j).astype(np.int64)
        columns, weights = [], []
        for di in (0, 1):
            for dj in (0, 1):
                row, column = a + di, b + dj
                seen = (row >= 0) & (row < n) & (column >= 0) & (column < n) & (spacing > FOCUSED)
                weight = (1 - np.abs(i - row)) * (1 - np.abs(j - column))
                columns.append(np.where(seen, row * n + column, 0))
                weights.append(np.where(seen, weight, 0.0))
        where = self._torch.as_tensor(np.stack(columns), device=self.device)
        return where, self._tensor(np.stack(weights)), self._tensor(np.sqrt(1 + (growth * off) ** 2))


def _sampled(volume: Any, where: Any, weights: Any) -> Any:
    columns = volume.reshape(-1, volume.shape[2])
    return sum(weight[..., None] * columns[place] for place, weight in zip(where, weights, strict=True))


def _blurred(plane: Any, taps: list[float]) -> Any:
    """Blur along the last axis; beyond the edge is nothing."""
    size = plane.shape[1]
    x = _pytorch().nn.functional.pad(plane, (2, 2))
    near, far = x[:, 1 : 1 + size] + x[:, 3 : 3 + size], x[:, :size] + x[:, 4 : 4 + size]
    return taps[0] * plane + taps[1] * near + taps[2] * far


def _pytorch() -> Any:
    try:
        return importlib.import_module("torch")
    except ModuleNotFoundError as fault:
        raise BadConfiguration(
            "PyTorch is not installed.", "Install the extra: pip install 'hevesy[torch]'."
        ) from fault
