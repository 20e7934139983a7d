"""Run every benchmark, or those named: `python -m benchmarks kinetics`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main() -> None:
    """Call `main` of each module in the package."""
    known = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))
    for name in sys.argv[1:] or known:
        print(f"== {name} ==", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


main()
