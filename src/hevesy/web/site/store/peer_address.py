"""Where a classic archive is found: ``dicom://TITLE@host:port``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from hevesy.errors import BadConfiguration

SCHEME = "dicom://"
_FORM = re.compile(r"dicom://([^\s\\@/:]{1,16})@([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):(\d{1,5})/?")


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """An application entity.

    Parameters
    ----------
    title, host : str
        Its AE title, and the machine.
    port : int
        Its port.
    """

    title: str
    host: str
    port: int

    @classmethod
    def read(cls, address: str) -> Self:
        """Read an address.

        Raises
        ------
        BadConfiguration
            If it is none.
        """
        found = _FORM.fullmatch(address)
        if found is None or not 0 < int(found[3]) < 65536:
            raise BadConfiguration(f"'{address[:80]}' is no address of an archive.", "Write dicom://TITLE@host:104.")
        return cls(found[1], found[2].strip("[]"), int(found[3]))
