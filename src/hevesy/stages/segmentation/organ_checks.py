"""What an organ that was found must be like to be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import ndimage

from hevesy.stages.segmentation.landmarks import Mask, Scene

#: mass of reference adults, g: the woman's, the man's. ICRP Publication 89 (2002), table 2.8; those of the voxel
#: phantoms of ICRP Publication 110 (2009). Kidneys: half of both
REFERENCE_G = {
    "left kidney": (137.5, 155.0),
    "right kidney": (137.5, 155.0),
    "liver": (1400.0, 1800.0),
    "spleen": (130.0, 150.0),
}
_DENSITY_G_ML = 1.05
#: an organ smaller than this much of the woman's is not believed, nor one larger than this many of the man's: livers
#: and spleens of patients grow more than kidneys
SMALLEST = 0.4
LARGEST = {"left kidney": 1.8, "right kidney": 1.8, "liver": 2.5, "spleen": 2.5}
#: which side of the spine an organ's middle lies on: 1 for the left
_SIDE = {"left kidney": 1, "right kidney": -1, "liver": -1, "spleen": 1}
#: least mean uptake over that of the soft tissue around
CONTRAST = 2.0
#: the tissue around: from this many voxels outside the organ, so many thick; nearer, blur carries uptake
_AWAY, _THICK = 2, 2
#: limits of the volume under other thresholds, over the volume
_UNSTEADY = 0.35
#: least agreement (Dice) of what is found with less and with more blur
_SAME = 0.8
#: least share of fat in what surrounds a kidney: it lies in a capsule of fat, a piece of liver or bowel does not
_CAPSULE = 0.2
#: a kidney from end to end, mm
_KIDNEY_LENGTH_MM = 170.0
#: kidneys of one person differ less than this in volume
_PAIR = 1.4
#: where the middle of a kidney lies to the side of the spine, mm
_KIDNEY_MIDDLE_MM = (25.0, 90.0)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An organ before it is believed; its least and greatest volume by other thresholds, mL; agreement with a twin."""

    mask: Mask = field(repr=False)
    bounds_mL: tuple[float, float]
    agreement: float = 1.0

    def beside(self, twin: Candidate | None) -> Candidate:
        """Return the organ with how far (Dice) its twin, found in another way, is the same."""
        if twin is None:
            return replace(self, agreement=0.0)
        both = 2 * float((self.mask & twin.mask).sum()) / max(float(self.mask.sum() + twin.mask.sum()), 1.0)
        bounds = (min(self.bounds_mL[0], twin.bounds_mL[0]), max(self.bounds_mL[1], twin.bounds_mL[1]))
        return Candidate(self.mask, bounds, both)


def limits_mL(name: str) -> tuple[float, float]:
    """Return the least and the greatest volume of an organ that is believed, mL."""
    woman, man = REFERENCE_G[name]
    return SMALLEST * woman / _DENSITY_G_ML, LARGEST[name] * man / _DENSITY_G_ML


def doubt(name: str, one: Candidate, scene: Scene, organs: Mask) -> str:
    """Return why an organ is not believed; empty if it is.

    Parameters
    ----------
    name : str
        A key of `REFERENCE_G`.
    one : Candidate
        The organ.
    scene : Scene
        Where it was found.
    organs : (n0, n1, n2) array of bool
        All that was found, which is not its surroundings.
    """
    volume = scene.volume_mL(one.mask)
    least, most = limits_mL(name)
    if not least <= volume <= most:
        return f"what was found has {volume:.0f} mL; {least:.0f} to {most:.0f} mL are believed"
    middle = float(scene.left_mm[one.mask].mean()) * _SIDE[name]
    if middle <= 0:
        return "what was found lies on the wrong side of the spine"
    if "kidney" in name and not _KIDNEY_MIDDLE_MM[0] <= middle <= _KIDNEY_MIDDLE_MM[1]:
        return f"the middle of what was found lies {middle:.0f} mm beside the spine, where no kidney does"
    if "kidney" in name and (length := _length_mm(one.mask, scene)) > _KIDNEY_LENGTH_MM:
        return f"what was found is {length:.0f} mm long, longer than a kidney"
    if _is_cut(one.mask):
        return "it reaches the edge of the image"
    low, high = one.bounds_mL
    if max(high / volume - 1, 1 - low / volume) > _UNSTEADY:
        return f"its volume hangs on the threshold: {low:.0f} to {high:.0f} mL"
    if one.agreement < _SAME:
        return f"with more blur something else is found (Dice {one.agreement:.2f})"
    if "kidney" in name and (fat := _fat_around(one.mask, scene)) < _CAPSULE:
        return f"only {fat:.0%} of what surrounds it is fat, as around no kidney"
    contrast = _contrast(one.mask, scene, organs)
    if contrast < CONTRAST:
        return f"it takes up only {contrast:.1f} times as much as the tissue around"
    return ""


def doubt_together(found: Mapping[str, Candidate], refused: Mapping[str, str], scene: Scene) -> dict[str, str]:
    """Return why organs are not believed beside the others: one kidney alone, two too unlike, a liver with a kidney."""
    both = {"liver", "right kidney"}.isdisjoint(refused)
    if both and _height_mm(found["liver"].mask, scene) < _height_mm(found["right kidney"].mask, scene):
        upside = "the liver that was found lies below the right kidney; is the image upside down?"
        return dict.fromkeys(found, upside)
    doubts = _doubt_of_pair(found, refused, scene)
    if "right kidney" in {**refused, **doubts} and "liver" not in refused:
        return {**doubts, "liver": "the right kidney was not told apart from it"}
    return doubts


def _height_mm(mask: Mask, scene: Scene) -> float:
    return float(scene.grid.to_mm(np.argwhere(mask).mean(axis=0))[2])


def _doubt_of_pair(found: Mapping[str, Candidate], refused: Mapping[str, str], scene: Scene) -> dict[str, str]:
    names = ("left kidney", "right kidney")
    missing = [name for name in names if name in refused]
    if len(missing) == 1:
        other = next(name for name in names if name not in refused)
        return {other: f"the {missing[0]} was not found, and one kidney alone is not believed"}
    if missing:
        return {}
    left, right = (scene.volume_mL(found[name].mask) for name in names)
    if max(left, right) > _PAIR * min(left, right):
        return dict.fromkeys(names, f"the kidneys that were found have {left:.0f} (left) and {right:.0f} mL (right)")
    return {}


def _length_mm(mask: Mask, scene: Scene) -> float:
    places = scene.grid.to_mm(np.argwhere(mask))
    offset = places - places.mean(axis=0)
    along = offset @ np.linalg.eigh(np.cov(offset.T))[1][:, -1]
    return float(np.ptp(along))


def _fat_around(mask: Mask, scene: Scene) -> float:
    shell = ndimage.binary_dilation(mask, iterations=_AWAY) & ~mask
    return float(scene.fat[shell].mean())


def _is_cut(mask: Mask) -> bool:
    return any(bool(np.take(mask, [0, -1], axis=axis).any()) for axis in range(3))


def _contrast(mask: Mask, scene: Scene, organs: Mask) -> float:
    near = ndimage.binary_dilation(mask, iterations=_AWAY)
    around = ndimage.binary_dilation(near, iterations=_THICK) & ~near & scene.soft & ~organs
    if not around.any():
        return np.inf
    return float(scene.uptake[mask].mean() / max(float(np.median(scene.uptake[around])), 1e-9))
