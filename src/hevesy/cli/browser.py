"""A page opens by itself where somebody sits at a screen."""

from __future__ import annotations

import os
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser

_LONGEST_S = 60.0


def has_screen() -> bool:
    """Return whether a browser could show itself here."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show_when_ready(address: str, health: str) -> threading.Thread:
    """Open a page in the person's browser once the server answers; does not wait for it.

    Parameters
    ----------
    address : str
        The page.
    health : str
        Address that answers as soon as the server does.
    """
    thread = threading.Thread(target=_show, args=(address, health), daemon=True)
    thread.start()
    return thread


def _show(address: str, health: str) -> None:
    until = time.monotonic() + _LONGEST_S
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(health, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
        else:
            webbrowser.open(address)
            return
