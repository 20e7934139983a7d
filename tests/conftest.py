"""How near is near in tests of energy, and how those that run side by side share processors and compiled kernels."""

import fcntl
import os
from pathlib import Path

import pytest

#: what takes longest by itself begins first, so that no processor waits for it at the end
LONGEST_FIRST = (
    "tests/web/test_postgresql.py",
    "tests/web/workbench/test_browser_walk.py",
    "tests/wheel/test_wheel.py",
    "tests/web/jobs/test_killed.py",
)


@pytest.fixture(autouse=True)
def no_tolerance_but_the_stated(monkeypatch):
    """Take from pytest.approx its own absolute tolerance, 1e-12: in J, Gy and m² any value would be within it."""
    monkeypatch.setattr(type(pytest.approx(1.0)), "DEFAULT_ABSOLUTE_TOLERANCE", 0.0)


def pytest_configure():
    if "PYTEST_XDIST_WORKER" in os.environ:
        compile_once_for_all()


def pytest_collection_modifyitems(items):
    order = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.nodeid.partition("::")[0], len(order)))  # others stay as they are


def compile_once_for_all():
    """Let one process compile a kernel and those that ask meanwhile wait, and read it from the cache."""
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.dispatcher import Dispatcher

    compile_alone, held = Dispatcher.compile, set()

    def compile_in_turn(self, signature):
        source = Path(self.py_func.__code__.co_filename)
        if not self.py_func.__module__.startswith("hevesy.") or source in held:
            return compile_alone(self, signature)
        # the lock of this process first: a thread that holds a file's never waits for a thread that waits for it
        with global_compiler_lock, source.open("rb") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            held.add(source)
            try:
                return compile_alone(self, signature)
            finally:
                held.remove(source)

    Dispatcher.compile = compile_in_turn
