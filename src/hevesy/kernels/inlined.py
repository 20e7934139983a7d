"""How the functions of the transport are compiled."""

from __future__ import annotations

from numba import njit

#: Compile a function into whatever calls it: a call would hand over every array of the world, some 250 words on the
#: stack, which is worth a third of the time. Divisions are unchecked, as in numpy.
inlined = njit(cache=True, _nrt=False, forceinline=True, error_model="numpy")
