"""Where the DICOM listener listens, as the environment says."""

from __future__ import annotations

import os
from dataclasses import dataclass

from hevesy.errors import BadConfiguration


@dataclass(frozen=True, slots=True)
class Door:
    """Where the listener listens, and to whom.

    Parameters
    ----------
    address : str
        This machine's address that it listens at.
    port : int
        Its port; 0 for any that is free.
    title : str
        Its own AE title.
    callers : tuple of str
        AE titles that may send; ``*`` for everybody.
    """

    address: str
    port: int
    title: str
    callers: tuple[str, ...]

    @classmethod
    def from_environment(cls) -> Door | None:
        """Return what the environment asks for; None where it names no port.

        Raises
        ------
        BadConfiguration
            If the port is none, or nobody may call.
        """
        port = os.environ.get("HEVESY_DICOM_PORT", "")
        if not port:
            return None
        if not port.isdecimal() or not int(port) < 65536:
            raise BadConfiguration(f"HEVESY_DICOM_PORT is '{port}'.", "Give a port, such as 11112.")
        callers = tuple(c.strip() for c in os.environ.get("HEVESY_DICOM_CALLERS", "").split(",") if c.strip())
        if not callers:
            raise BadConfiguration(
                "HEVESY_DICOM_CALLERS names nobody.", "Give the AE titles that may send, joined by commas, or *."
            )
        title = os.environ.get("HEVESY_DICOM_TITLE", "HEVESY")
        return cls(os.environ.get("HEVESY_DICOM_ADDRESS", "127.0.0.1"), int(port), title, callers)
