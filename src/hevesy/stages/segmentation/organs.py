"""Kidneys, liver and spleen from uptake and CT, without learning; each is checked before it is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name by which everyone knows it
from scipy import ndimage

from hevesy import __version__
from hevesy.core import Image, Measured, Region
from hevesy.core.provenance import Provenance
from hevesy.core.region import FOUND
from hevesy.errors import UnknownName
from hevesy.stages.segmentation.landmarks import SOFT_HU, Mask, Scene, Values, survey
from hevesy.stages.segmentation.organ_checks import Candidate, doubt, doubt_together
from hevesy.stages.segmentation.organ_cores import BACKGROUND, LABELS, Cores, largest, mark_cores

ORGANS = ("left kidney", "right kidney", "liver", "spleen")
METHOD = f"Hevesy {__version__}: uptake and CT"

#: a voxel belongs to an organ from this share of the uptake of its core on; at half of it a plane edge lies in a
#: blurred image, and a curved one a little lower. The others show how far the volume hangs on it
SHARE, LOWER, UPPER = 0.40, 0.30, 0.50
#: standard deviations that uptake is smoothed by; what noise made differs between the two
BLURS_MM = (3.0, 5.0)
#: focal uptake this many times that of the organ's core is no organ: a lesion or an artefact
_FOCAL = 2.5
#: a step of 10 in uptake costs as much as one of this many HU
_HU_LIKE_TENFOLD = 230.0
_FACES = ndimage.generate_binary_structure(3, 1)


@dataclass(frozen=True, slots=True, eq=False)
class FoundOrgan:
    """An organ and its volume, mL, with the standard uncertainty that the choice of threshold brings."""

    region: Region
    volume: Measured


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """Organs that were found, and why each of the others was not."""

    found: tuple[FoundOrgan, ...]
    refused: Mapping[str, str]


def find_organs(activity: Image, anatomy: Image, organs: Sequence[str] = ORGANS) -> Finding:
    """Find organs by their uptake and their density.

    Otsu's threshold of the logarithm of uptake gives what takes it up; position against the spine and uptake give each
    organ a core; from the cores, and from all that is no hot soft tissue, a watershed floods the steepness of the
    logarithm of uptake and of the CT together. What is flooded from a core and holds 40% of its uptake is the organ.
    All is done twice, with uptake smoothed by 3 and by 5 mm. An organ is returned only if the two agree and its
    volume, side, length, edge, contrast and surroundings hold, see `hevesy.stages.segmentation.organ_checks`.

    Parameters
    ----------
    activity : Image
        Activity concentration, Bq/mL: of a tracer that kidneys, and liver and spleen if they are wanted, take up.
    anatomy : Image
        CT of the same grid, HU; `hevesy.stages.segmentation.landmarks.working_grid` gives one that suits.
    organs : sequence of str
        Which, of `ORGANS`.

    Returns
    -------
    Finding
        Regions on the grid of the images, marked as found automatically.

    Raises
    ------
    UnknownName
        If there is no such organ.
    WrongQuantity, GridMismatch
        If the images are no activity and CT on one grid.
    OutsideValidity
        If the CT shows no spine, or nothing takes up activity.

    References
    ----------
    Otsu, IEEE Trans Syst Man Cybern 1979;9:62-66. Beucher and Meyer, in: Mathematical Morphology in Image Processing
    (1993), 433-481.
    """
    for name in organs:
        if name not in ORGANS:
            raise UnknownName(f"There is no organ '{name}' that can be found.", f"There are: {', '.join(ORGANS)}.")
    scenes = [survey(activity, anatomy, blur) for blur in BLURS_MM]
    (cores, candidates), (_, again) = (_candidates(scene) for scene in scenes)
    refused = dict(cores.refused)
    everything = np.any([one.mask for one in candidates.values()] or [np.zeros(activity.grid.shape, bool)], axis=0)
    joint = {name: one.beside(again.get(name)) for name, one in candidates.items()}
    for name, one in joint.items():
        if reason := doubt(name, one, scenes[0], everything):
            refused[name] = reason
    refused |= doubt_together(joint, refused, scenes[0])
    found = tuple(_as_region(name, joint[name], activity) for name in organs if name not in refused)
    return Finding(found, {name: refused[name] for name in organs if name in refused})


def _candidates(scene: Scene) -> tuple[Cores, dict[str, Candidate]]:
    """Grow every core to an organ, with the least and the most that another threshold would make of it."""
    cores = mark_cores(scene)
    flooded = _flood(scene, cores)
    made = {}
    for name, label in LABELS.items():
        if name in cores.refused:
            continue
        level = float(np.median(scene.uptake[cores.marks == label]))
        of_core = (flooded == label) & (scene.hounsfield > SOFT_HU[0]) & (scene.hounsfield < SOFT_HU[1])
        most, mask, least = (_organ(scene, of_core, share * level, level) for share in (LOWER, SHARE, UPPER))
        made[name] = Candidate(mask, (scene.volume_mL(least), scene.volume_mL(most)))
    return cores, made


def _organ(scene: Scene, of_core: Mask, lowest: float, level: float) -> Mask:
    """Return the largest part of what was flooded that takes up enough, its holes filled, without focal uptake."""
    focal = scene.uptake > _FOCAL * level
    taken = of_core & (scene.uptake > lowest) & ~focal
    opened = largest(ndimage.binary_opening(taken, _FACES))
    return np.asarray(_without_holes(opened) & ~focal)


def _without_holes(mask: Mask) -> Mask:
    """Fill what is surrounded; by one labelling of the box around, which is far quicker than filling step by step."""
    if not mask.any():
        return mask
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    parts, _ = ndimage.label(np.pad(~mask[box], 1, constant_values=True), _FACES)
    filled = mask.copy()
    filled[box] = parts[1:-1, 1:-1, 1:-1] != parts[0, 0, 0]
    return filled


def _flood(scene: Scene, cores: Cores) -> Values:
    """Flood from the cores and from what surrounds them; floods meet where uptake and CT change most steeply."""
    marks = cores.marks.copy()
    outside = ~ndimage.binary_dilation(scene.hot, _FACES) | (scene.hounsfield < SOFT_HU[0] - 10)
    marks[outside & (marks == 0)] = BACKGROUND
    logarithm = np.log10(np.maximum(scene.uptake, scene.threshold / 3))
    cost = _steepness(logarithm, scene) + _steepness(np.clip(scene.hounsfield, -100, 200), scene) / _HU_LIKE_TENFOLD
    flooded = sitk.MorphologicalWatershedFromMarkers(
        sitk.GetImageFromArray(cost.astype(np.float32)), sitk.GetImageFromArray(marks), markWatershedLine=False
    )
    return np.asarray(sitk.GetArrayFromImage(flooded))


def _steepness(values: Values, scene: Scene) -> Values:
    slopes = np.gradient(values, *scene.grid.spacing_mm)
    return np.asarray(np.sqrt(sum(slope**2 for slope in slopes)))


def _as_region(name: str, one: Candidate, activity: Image) -> FoundOrgan:
    """Return an organ on the grid of the images; the volumes of the outer thresholds are limits of equal chance."""
    region = Region.from_mask(name, activity.grid, one.mask)
    low, high = one.bounds_mL
    volume = Measured(region.volume_mL, (high - low) / (2 * 3**0.5), "mL", "threshold")
    note = f"Its volume is {low:.0f} to {high:.0f} mL with thresholds of {UPPER:.0%} to {LOWER:.0%} and more blur."
    provenance = Provenance().then(FOUND, by=METHOD).noting(note)
    return FoundOrgan(replace(region, provenance=provenance), volume)
