"""Segmentations of every type that another library writes, read here."""

import highdicom
import numpy as np
import pytest
from pydicom.sr.coding import Code

from hevesy.core import Role
from hevesy.stages.imaging.segmentation_object import read_segments

LESION = (Code("49755003", "SCT", "Morphologically Abnormal Structure"), Code("52988006", "SCT", "Lesion"))


@pytest.fixture
def made_by_highdicom(headers):
    for header in headers:  # what it copies from its source
        header.StudyDescription, header.PatientAge = "Test", ""

    def make(kind, pixels):
        segments = pixels.shape[3] if pixels.ndim == 4 else int(pixels.max())
        described = [
            highdicom.seg.SegmentDescription(n + 1, f"part {n + 1}", *LESION, "MANUAL") for n in range(segments)
        ]
        return highdicom.seg.Segmentation(
            headers, pixels, kind, described, "1.2.7", 1, "1.2.8", 1, "Maker", "Model", "1", "1", "OCCUPANCY"
        )

    return make


def expect(found, masks, grid):
    assert len(found.regions) == len(masks)
    for region, mask in zip(found.regions, masks, strict=True):
        assert region.role is Role.LESION
        for index in np.argwhere(mask):
            here = np.rint(region.grid.to_index(grid.to_mm(index))).astype(int)
            assert region.mask()[tuple(here)] == pytest.approx(float(mask[tuple(index)]), abs=0.5 / 255)
        assert region.coverage.sum() == pytest.approx(mask.sum(), rel=5e-3)


@pytest.fixture
def masks(oblique):
    """Return two masks that overlap, with an empty slice between parts of the first, as (columns, rows, slices)."""
    first, second = np.zeros(oblique.shape, bool), np.zeros(oblique.shape, bool)
    first[2:6, 3:5, 1:3], first[1:3, 7:9, 4:7] = True, True
    second[4:9, 4:9, 2:5] = True
    return first, second


def frames(*masks):
    return np.stack([m.transpose(2, 1, 0) for m in masks], axis=-1)


def test_a_binary_one_with_overlap(made_by_highdicom, masks, oblique):
    expect(read_segments(made_by_highdicom("BINARY", frames(*masks).astype(np.uint8))), masks, oblique)


def test_a_fractional_one(made_by_highdicom, masks, oblique):
    occupied = [m * f for m, f in zip(masks, (0.25, 0.8), strict=True)]
    expect(read_segments(made_by_highdicom("FRACTIONAL", frames(*occupied))), occupied, oblique)


def test_a_label_map(made_by_highdicom, masks, oblique):
    first, second = masks
    second &= ~first
    labels = (first + 2 * second).astype(np.uint8).transpose(2, 1, 0)
    expect(read_segments(made_by_highdicom("LABELMAP", labels)), (first, second), oblique)
