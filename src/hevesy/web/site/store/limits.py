"""How much one import may bring."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Limits:
    """What an import refuses to go beyond; sizes in bytes.

    Parameters
    ----------
    files : int
        Files of one import, those inside archives counted.
    total : int
        Their size together, unpacked.
    file : int
        Size of one file, unpacked.
    ratio : float
        An archive that grows more than this, and beyond `harmless`, is a bomb.
    harmless : int
        An archive may unpack to this whatever its ratio, for empty images shrink a thousandfold; a deflated object
        may not unpack to more, for it is unpacked in memory.
    remarks : int
        Lines that the report keeps; further ones are counted alone.
    """

    files: int = 200_000
    total: int = 200 * GIB
    file: int = 8 * GIB
    ratio: float = 100.0
    harmless: int = GIB
    remarks: int = 1000
