"""Daughters with a time-integrated activity of their own: what decays with which image."""

from __future__ import annotations

from collections.abc import Sequence

from hevesy.core import Nuclide
from hevesy.data.nuclides import nuclide
from hevesy.errors import UnknownNuclide
from hevesy.workflows.chain import chain

Shares = tuple[tuple[Nuclide, float], ...]


def parted(parent: Nuclide, apart: Sequence[str]) -> list[Shares]:
    """Return what decays in place with the parent, and what with each daughter that has an image of its own.

    A daughter without an image decays with the nearest ancestor that has one and that it does not outlive.

    Parameters
    ----------
    parent : Nuclide
        Head of the chain.
    apart : sequence of str
        Daughters with an image of their own decays.

    Returns
    -------
    list of ((Nuclide, float), …)
        For the parent, then for each of `apart`: itself and its daughters, with their decays per decay of it.

    Raises
    ------
    UnknownNuclide
        If one is no daughter that decays in place, or is named twice.
    """
    members = [member.name for member, _ in chain(parent)]
    for name in apart:
        if name not in members[1:] or list(apart).count(name) > 1:
            raise UnknownNuclide(
                f"{name} is no daughter of {parent.name} that can have one image of its own.",
                f"There are: {', '.join(members[1:]) or 'none'}.",
            )
    # from the head of the chain down, so that what one image takes over is not taken twice
    ordered = [name for name in members if name in apart]
    return [_with(head, [name for name in ordered if name != head.name]) for head in (parent, *map(nuclide, apart))]


def _with(head: Nuclide, others: list[str]) -> Shares:
    """Return what decays with a nuclide, less what others with an image take along."""
    left = {member.name: share for member, share in chain(head)}
    for name in others:
        taken = left.pop(name, 0.0)
        for member, share in chain(nuclide(name))[1:]:
            if member.name in left:
                left[member.name] -= taken * share
    return tuple((member, left[member.name]) for member, _ in chain(head) if left.get(member.name, 0.0) > 1e-9)
