import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.uid import NuclearMedicineImageStorage

from hevesy.core import Grid, Region, Role
from hevesy.errors import BadInput, EmptyInput, GridMismatch, MissingInformation
from hevesy.stages.imaging import segmentation_writer
from hevesy.stages.imaging.segmentation_object import read_segments


@pytest.fixture
def regions(oblique):
    rng = np.random.default_rng(7)
    lesion, organ, body = (np.zeros(oblique.shape, np.float32) for _ in range(3))
    lesion[3:6, 2:7, 2:5] = rng.random((3, 5, 3))
    lesion[4, 4, 7] = 1  # an island beyond an empty slice
    organ[5:12, 0:6, 3:9] = rng.random((7, 6, 6))
    body[:] = 1
    roles = {"lesion 1": (lesion, Role.LESION), "liver": (organ, Role.ORGAN), "body": (body, Role.BODY)}
    return [Region.from_mask(name, oblique, mask, role) for name, (mask, role) in roles.items()]


def test_each_region_comes_back_with_the_voxels_covered_by_half(regions, headers, made_at, tmp_path):
    segmentation_writer.write(regions, headers, tmp_path / "s.dcm", made_at)
    found = read_segments(tmp_path / "s.dcm")
    assert [(r.name, r.role) for r in found.regions] == [(r.name, r.role) for r in regions]
    for written, back in zip(regions, found.regions, strict=True):
        assert back.grid.matches(written.grid)  # the body reaches every slice, so that the grid is the whole
        np.testing.assert_array_equal(back.mask(), written.mask() >= 0.5)


def test_an_occupancy_comes_back_within_half_a_step(regions, headers, made_at, tmp_path):
    segmentation_writer.write(regions, headers, tmp_path / "s.dcm", made_at, "FRACTIONAL")
    for written, back in zip(regions, read_segments(tmp_path / "s.dcm").regions, strict=True):
        np.testing.assert_allclose(back.mask(), written.mask(), atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_the_validator_finds_no_error(regions, headers, made_at, tmp_path, faults, kind):
    segmentation_writer.write(regions, headers, tmp_path / "s.dcm", made_at, kind)
    assert faults(tmp_path / "s.dcm") == []


def test_another_reader_finds_the_same_voxels_at_the_same_places(regions, headers, made_at, tmp_path):
    segmentation_writer.write(regions, headers, tmp_path / "s.dcm", made_at)
    theirs = highdicom.seg.segread(tmp_path / "s.dcm")
    assert [theirs.get_segment_description(n).segment_label for n in (1, 2, 3)] == [r.name for r in regions]
    volume = theirs.get_volume(combine_segments=False)
    for number, region in enumerate(regions):
        index = np.argwhere(volume.array[..., number])
        theirs_mm = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
        ours_mm = region.grid.to_mm(np.argwhere(region.mask() >= 0.5))
        order = [np.lexsort(np.round(p, 1).T) for p in (theirs_mm, ours_mm)]
        np.testing.assert_allclose(theirs_mm[order[0]], ours_mm[order[1]], atol=1e-3)


def test_it_is_filed_with_the_source_and_each_frame_names_its_slice(regions, headers, made_at, tmp_path):
    segmentation_writer.write(regions[:1], headers, tmp_path / "s.dcm", made_at)
    d = pydicom.dcmread(tmp_path / "s.dcm")
    for name in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert d[name].value == headers[0][name].value
    assert d.ReferencedSeriesSequence[0].SeriesInstanceUID == headers[0].SeriesInstanceUID
    named = [
        g.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        for g in d.PerFrameFunctionalGroupsSequence
    ]
    assert named == [headers[k].SOPInstanceUID for k in (2, 3, 4, 7)]


def test_slices_that_run_backwards_keep_every_voxel_in_its_place(headers, made_at, tmp_path):
    grid = Grid((4, 3, 5), np.diag((2.0, 2.0, -3.0, 1.0)), str(headers[0].FrameOfReferenceUID))
    mask = np.random.default_rng(3).random(grid.shape) > 0.5
    segmentation_writer.write([Region.from_mask("part", grid, mask)], headers, tmp_path / "s.dcm", made_at)
    back = read_segments(tmp_path / "s.dcm").regions[0]
    places = np.rint(back.grid.to_index(grid.to_mm(np.argwhere(mask)))).astype(int)
    assert back.coverage.sum() == mask.sum()
    assert back.mask()[tuple(places.T)].all()


def test_the_same_regions_made_at_the_same_time_give_the_same_bytes(regions, headers, made_at, tmp_path):
    for name in "ab":
        segmentation_writer.write(regions, headers, tmp_path / name, made_at)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_gamma_cameras_multi_frame_volume_can_be_the_source(regions, headers, made_at, tmp_path, faults):
    volume = headers[0]
    volume.SOPClassUID, volume.NumberOfFrames, volume.Modality = NuclearMedicineImageStorage, 9, "NM"
    birth = DataElement("PatientBirthDate", "DA", "00000000", validation_mode=IGNORE)  # as real cameras write it
    volume["PatientBirthDate"] = birth
    segmentation_writer.write(regions, [volume], tmp_path / "s.dcm", made_at)
    assert faults(tmp_path / "s.dcm") == []
    d = pydicom.dcmread(tmp_path / "s.dcm")
    assert d.PatientBirthDate == ""
    assert read_segments(d).regions[0].coverage.sum() == (regions[0].coverage >= 0.5).sum()


def test_a_region_that_no_voxel_holds_by_half_is_refused(oblique, headers, made_at, tmp_path):
    faint = Region("faint", oblique, np.full((1, 1, 1), 0.4))
    with pytest.raises(BadInput, match="'faint' covers no voxel by half"):
        segmentation_writer.write([faint], headers, tmp_path / "s.dcm", made_at)
    segmentation_writer.write([faint], headers, tmp_path / "s.dcm", made_at, "FRACTIONAL")
    assert read_segments(tmp_path / "s.dcm").regions[0].coverage.max() == pytest.approx(0.4)


def test_what_cannot_be_placed_or_filed_is_refused(regions, headers, made_at, tmp_path):
    with pytest.raises(EmptyInput, match="at least one region"):
        segmentation_writer.write([], headers, tmp_path / "s.dcm", made_at)
    other = Region("other", Grid.regular((3, 3, 3), (1, 1, 1)), np.ones((1, 1, 1)))
    with pytest.raises(GridMismatch, match="'lesion 1' and 'other'"):
        segmentation_writer.write([regions[0], other], headers, tmp_path / "s.dcm", made_at)
    del headers[0].FrameOfReferenceUID
    with pytest.raises(MissingInformation, match="no frame of reference"):
        segmentation_writer.write([other], headers, tmp_path / "s.dcm", made_at)
    assert list(tmp_path.iterdir()) == []
