"""DICOM segmentation objects (SEG), out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage

from hevesy import __version__
from hevesy.core import Grid, Region, Role
from hevesy.errors import BadInput, EmptyInput
from hevesy.stages.imaging.derived import (
    DISCLAIMER,
    MANUFACTURER,
    Planes,
    decimal,
    decimals,
    derived_object,
    derived_uid,
    frame_of_reference,
    plain,
    referenced,
    save,
    slices_on_planes,
)

#: a voxel covered by this much belongs to a binary segment
BELONGS = 0.5
#: longest description of a segment (VR ST)
LONGEST_DESCRIPTION = 1024
#: an occupancy of 1 as stored
FULL = 255

Code = tuple[str, str, str]
ANATOMY: Code = ("123037004", "SCT", "Anatomical Structure")
#: role → segmented property category and type (PS3.16 CID 7150, 7151)
PROPERTIES: dict[Role, tuple[Code, Code]] = {
    Role.LESION: (("49755003", "SCT", "Morphologically Abnormal Structure"), ("52988006", "SCT", "Lesion")),
    Role.ORGAN: (ANATOMY, ("113343008", "SCT", "Organ")),
    Role.BODY: (ANATOMY, ("38266002", "SCT", "Entire Body")),
    Role.BACKGROUND: (("309825002", "SCT", "Spatial and Relational Concept"), ("125040", "DCM", "Background")),
}


@dataclass(frozen=True, slots=True)
class _Frame:
    segment: int
    plane: int
    pixels: NDArray[np.uint8]  # (rows, columns)


def write(
    regions: Sequence[Region],
    sources: Sequence[Dataset],
    path: Path,
    created: datetime,
    kind: Literal["BINARY", "FRACTIONAL"] = "BINARY",
) -> Dataset:
    """Write regions as one SEG, a segment each; they may overlap. Returns the object.

    BINARY, which every viewer shows, keeps the voxels covered by half or more. FRACTIONAL keeps the coverage as
    occupancy in steps of 1/255, for software that reads it.

    Parameters
    ----------
    regions : sequence of Region
        On one grid.
    sources : sequence of Dataset
        Headers of the images that the regions belong to: the slices of one series, or one multi-frame object.
    path : Path
        File to write.
    created : datetime
        When the regions were made.
    kind : "BINARY" or "FRACTIONAL"
        How coverage is kept.

    Raises
    ------
    EmptyInput
        If there is no region or no source.
    BadInput
        If a region covers no voxel by half and `kind` is BINARY.
    GridMismatch, MissingInformation
        If regions lie on different grids, or the sources have another frame of reference, or name none or no study.
    UnsupportedObject
        If the grid is skewed.
    """
    if not regions or not sources:
        raise EmptyInput("A segmentation needs at least one region and one source image.")
    grid = regions[0].grid
    for region in regions:
        region.grid.require_match(grid, f"Regions '{regions[0].name}' and '{region.name}'")
    planes = Planes.of(grid)
    frames = [f for number, r in enumerate(regions, 1) for f in _frames(r, number, planes, kind)]
    pixels = np.stack([f.pixels for f in frames])
    stored = np.packbits(pixels.ravel(), bitorder="little") if kind == "BINARY" else pixels
    content = stored.tobytes() + grid.affine.tobytes() + repr([(r.name, r.role) for r in regions]).encode()
    made = derived_object(sources[0], SegmentationStorage, "SEG", content, created)
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SeriesDescription = "Regions"
    made.FrameOfReferenceUID = frame_of_reference(sources[0], grid.frame_of_reference)
    made.PositionReferenceIndicator = ""
    made.DeviceSerialNumber = __version__
    _describe_pixels(made, pixels.shape, kind)
    made.SegmentSequence = [_segment(region, number) for number, region in enumerate(regions, 1)]
    _refer_to(made, sources)
    _describe_frames(made, frames, grid, planes, sources)
    made.PixelData = stored.tobytes() + b"\0" * (stored.size % 2)
    made["PixelData"].VR = "OB"
    save(made, path)
    return made


def _frames(region: Region, number: int, planes: Planes, kind: str) -> list[_Frame]:
    """Return the frames of a region that hold anything, in the order of planes."""
    last = region.grid.shape[2] - 1
    rows, columns = region.box[1], region.box[0]
    frames = []
    for k in range(region.coverage.shape[2]):
        covered = region.coverage[:, :, k].T
        values = covered >= BELONGS if kind == "BINARY" else np.rint(covered * FULL)
        if values.any():
            pixels = np.zeros((region.grid.shape[1], region.grid.shape[0]), np.uint8)
            pixels[rows, columns] = values
            plane = region.offset[2] + k
            frames.append(_Frame(number, last - plane if planes.reversed else plane, pixels))
    if not frames:
        raise BadInput(
            f"Region '{region.name}' covers no voxel by half; a binary segmentation cannot hold it.",
            "Write it as FRACTIONAL.",
        )
    return frames[::-1] if planes.reversed else frames


def _describe_pixels(made: Dataset, shape: tuple[int, ...], kind: str) -> None:
    made.ImageType = ["DERIVED", "PRIMARY"]
    made.ContentLabel = "REGIONS"
    made.ContentDescription = DISCLAIMER
    made.ContentCreatorName = ""
    made.NumberOfFrames, made.Rows, made.Columns = shape
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.PixelRepresentation = 0
    bits = 1 if kind == "BINARY" else 8
    made.BitsAllocated = made.BitsStored = bits
    made.HighBit = bits - 1
    made.LossyImageCompression = "00"
    made.SegmentationType = kind
    made.SegmentsOverlap = "UNDEFINED"
    if kind == "FRACTIONAL":
        made.SegmentationFractionalType = "OCCUPANCY"
        made.MaximumFractionalValue = FULL


def _segment(region: Region, number: int) -> Dataset:
    category, kind = PROPERTIES[region.role]
    item = Dataset()
    item.SegmentNumber = number
    item.SegmentLabel = plain(region.name)
    item.SegmentAlgorithmType = "AUTOMATIC" if region.found_by else "SEMIAUTOMATIC"
    item.SegmentAlgorithmName = plain(region.found_by or f"{MANUFACTURER} {__version__}")
    if region.provenance.notes:
        item.SegmentDescription = plain(" ".join(region.provenance.notes), LONGEST_DESCRIPTION)
    item.SegmentedPropertyCategoryCodeSequence = [_code(category)]
    item.SegmentedPropertyTypeCodeSequence = [_code(kind)]
    return item


def _code(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def _refer_to(made: Dataset, sources: Sequence[Dataset]) -> None:
    series = Dataset()
    series.SeriesInstanceUID = sources[0].SeriesInstanceUID
    series.ReferencedInstanceSequence = [referenced(source) for source in sources]
    made.ReferencedSeriesSequence = [series]
    made.SourceImageSequence = [referenced(source) for source in sources]


def _describe_frames(
    made: Dataset, frames: Sequence[_Frame], grid: Grid, planes: Planes, sources: Sequence[Dataset]
) -> None:
    between_columns, between_rows, between_planes = planes.spacing_mm
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [decimal(between_rows), decimal(between_columns)]
    measures.SliceThickness = measures.SpacingBetweenSlices = decimal(between_planes)
    orientation.ImageOrientationPatient = decimals(np.concatenate([planes.rows, planes.columns]))
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    made.SharedFunctionalGroupsSequence = [shared]
    drawn_on = slices_on_planes(sources, planes)
    used = sorted({frame.plane for frame in frames})
    made.PerFrameFunctionalGroupsSequence = [
        _frame_groups(frame, used.index(frame.plane) + 1, planes, drawn_on.get(frame.plane)) for frame in frames
    ]
    organisation = Dataset()
    organisation.DimensionOrganizationUID = derived_uid("dimensions", made.SOPInstanceUID)
    made.DimensionOrganizationSequence = [organisation]
    made.DimensionIndexSequence = [
        _dimension(organisation, "ReferencedSegmentNumber", "SegmentIdentificationSequence"),
        _dimension(organisation, "ImagePositionPatient", "PlanePositionSequence"),
    ]


def _dimension(organisation: Dataset, pointer: str, group: str) -> Dataset:
    item = Dataset()
    item.DimensionOrganizationUID = organisation.DimensionOrganizationUID
    item.DimensionIndexPointer = Tag(pointer)
    item.FunctionalGroupPointer = Tag(group)
    item.DimensionDescriptionLabel = pointer
    return item


def _frame_groups(frame: _Frame, place: int, planes: Planes, source: Dataset | None) -> Dataset:
    content, position, segment, groups = Dataset(), Dataset(), Dataset(), Dataset()
    content.DimensionIndexValues = [frame.segment, place]
    position.ImagePositionPatient = decimals(planes.position_mm + frame.plane * planes.spacing_mm[2] * planes.normal)
    segment.ReferencedSegmentNumber = frame.segment
    groups.FrameContentSequence = [content]
    groups.PlanePositionSequence = [position]
    groups.SegmentIdentificationSequence = [segment]
    groups.DerivationImageSequence = []
    if source is not None:
        image, derivation = referenced(source), Dataset()
        image.PurposeOfReferenceCodeSequence = [_code(("121322", "DCM", "Source image for image processing operation"))]
        derivation.SourceImageSequence = [image]
        derivation.DerivationCodeSequence = [_code(("113076", "DCM", "Segmentation"))]
        groups.DerivationImageSequence = [derivation]
    return groups
