"""How often somebody may ask."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable
from threading import Lock


class Meter:
    """Counts what each caller asks for in a minute, in this process.

    Parameters
    ----------
    most : int
        That one may ask for in a minute.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._minute = 0
        self._asked: Counter[Hashable] = Counter()

    def passes(self, caller: Hashable) -> bool:
        """Count one, and say whether it is still within what is allowed."""
        minute = int(time.monotonic() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._asked = minute, Counter()
            self._asked[caller] += 1
            return self._asked[caller] <= self._most
