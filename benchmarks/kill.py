"""Server, workers and children of a real site killed at 48 random moments: nothing lost, doubled or half made."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/web/jobs"))
from killing import killed_at_random  # the same harness as in the tests, for longer

TESTS = Path(__file__).parents[1] / "tests"
#: of each
KILLS = 24
#: what is killed at work, and where it is submitted and checked
TRIED = {"jobs that count": ("effects.sure", 1911), "imports and doses of patients": ("patients", 1923)}


def main() -> None:
    """Kill, and print what was killed; an assertion fails where anything is not as it should be."""
    for what, (module, seed) in TRIED.items():
        outcome = killed_at_random(f"{module}:submit_many", f"{module}:check", kills=KILLS, seed=seed, paths=(TESTS,))
        victims = ", ".join(f"{count} {victim}" for victim, count in sorted(outcome.killed.items()))
        print(
            f"{what}: {KILLS} kills ({victims}), {outcome.at_work} while a job ran, in {outcome.seconds:.0f} s: "
            f"{len(outcome.attempts)} jobs done once each, after {sum(outcome.attempts)} attempts (at most "
            f"{max(outcome.attempts)} of one); no orphan, no half result, database sound"
        )
