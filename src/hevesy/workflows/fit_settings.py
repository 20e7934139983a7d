"""Which settings change a measurement, which its fit, and which what follows; light, for pages that only ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: settings that change a fit and no measurement
FIT_KEYS = (
    "model",
    "criterion",
    "leave_out",
    "immediate_uptake",
    "population_effective_half_life_h",
    "population_geometric_sd",
)

#: settings that change what comes after the curves alone
DOSE_KEYS = ("engine", "compare", "monte_carlo", "created")


def without_fit_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with all taken out that changes a fit and no measurement: what a measurement depends on."""
    kept = {key: value for key, value in settings.items() if key not in (*DOSE_KEYS, "regions")}
    regions = {
        name: {key: value for key, value in said.items() if key not in FIT_KEYS}
        for name, said in settings.get("regions", {}).items()
    }
    regions = {name: said for name, said in regions.items() if said}
    return {**kept, "regions": regions} if regions else kept
