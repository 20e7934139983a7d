"""Server, workers and children of a real site killed at 24 random moments: nothing lost, doubled or half made."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/web/jobs"))
from killing import killed_at_random  # the same harness as in the tests, for longer

KILLS = 24


def main() -> None:
    """Kill, and print what was killed; an assertion fails where anything is not as it should be."""
    outcome = killed_at_random("effects.sure:submit_many", "effects.sure:check", kills=KILLS, seed=1911)
    victims = ", ".join(f"{count} {victim}" for victim, count in sorted(outcome.killed.items()))
    print(
        f"{KILLS} kills ({victims}), {outcome.at_work} of them while a job ran, in {outcome.seconds:.0f} s: "
        f"{len(outcome.attempts)} jobs done once each, after {sum(outcome.attempts)} attempts (at most "
        f"{max(outcome.attempts)} of one); no orphan, no half result, database sound"
    )
