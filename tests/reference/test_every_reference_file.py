"""Every file of the reference data opens as what it is, or is refused for a stated and right reason.

Sources and licences: README of the reference folder. Where an object states how many counts it accumulated, that is
what its pixels must sum to.
"""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from hevesy.core import Quantity
from hevesy.errors import (
    HevesyError,
    IncompleteSeries,
    MissingInformation,
    UnsupportedObject,
    WrongQuantity,
)
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.imaging.supplied import Supplied

REFERENCE = Path(__file__).parents[3] / "shared/reference"

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference data are not here")

#: file → kind, and the shape (volumes) or number of frames (planar) or names (structures) that it holds
OPENS = {
    "dicom/CT_small.dcm": (Kind.CT, (128, 128, 1)),
    "dicom/JPEG2000.dcm": (Kind.WHOLE_BODY, 1),
    "dicom/dcmqi_23x38x3_bitpacking_seg.dcm": (Kind.SEG, ["Liver"]),
    "dicom/ibsi_digital_phantom_seg.dcm": (Kind.SEG, ["ROI"]),
    "dicom/liver.dcm": (Kind.SEG, ["Liver"]),
    "dicom/liver_nonbyte_aligned.dcm": (Kind.SEG, ["Liver"]),
    "dicom/parametric_map_double_float.dcm": (Kind.PARAMETRIC_MAP, (128, 128, 1)),
    "dicom/parametric_map_float.dcm": (Kind.PARAMETRIC_MAP, (128, 128, 1)),
    "dicom/rtstruct.dcm": (Kind.RTSTRUCT, ["patient"]),
    "dicom/seg_image_ct_binary.dcm": (Kind.SEG, ["first segment"]),
    "dicom/seg_image_ct_binary_fractional.dcm": (Kind.SEG, ["first segment"]),
    "dicom/seg_image_ct_binary_overlap.dcm": (Kind.SEG, ["first segment", "second segment"]),
    "dicom/seg_image_ct_true_fractional.dcm": (Kind.SEG, ["first segment"]),
    "nm/FourBar.dcm": (Kind.STATIC, 1),
    "nm/Jaszack.dcm": (Kind.SPECT, (128, 128, 45)),
    "nm/MCR.dcm": (Kind.DYNAMIC, 30),
    "nm/MaxCountRate.dcm": (Kind.DYNAMIC, 24),
    "nm/QuadrantBar.dcm": (Kind.STATIC, 1),
    "nm/Spatial_Resol_X.dcm": (Kind.STATIC, 1),
    "nm/Spatial_Resol_Y.dcm": (Kind.STATIC, 1),
    "nm/TomoResolution.dcm": (Kind.SPECT, (64, 64, 64)),
    "nm/UNIFORMIDAD_1_Ok.dcm": (Kind.STATIC, 1),
    "nm/i131_sensitivity/Background.dcm": (Kind.STATIC, 2),
    "nm/i131_sensitivity/PetriDish.dcm": (Kind.STATIC, 1),
    "nm/i131_sensitivity/Syringe_1cc.dcm": (Kind.STATIC, 1),
    "nm/wg04_wholebody_bone_explicitLE.dcm": (Kind.WHOLE_BODY, 1),
    "nm/wg04_wholebody_bone_j2k.dcm": (Kind.WHOLE_BODY, 1),
    "nm/wg04_wholebody_bone_jpeglossless.dcm": (Kind.WHOLE_BODY, 1),
}

#: file → the refusal, words of its line, and why it is right
REFUSED = {
    # a colour-mapped perfusion: its real-world mapping leads to blood flow, not to HU
    "dicom/eCT_Supplemental.dcm": (UnsupportedObject, "ml/100ml/s"),
    # an enhanced object stripped of its functional groups: nothing tells where its frames are
    "dicom/emri_small.dcm": (MissingInformation, "no functional groups"),
    # pixels of one frame under the description of three
    "dicom/liver_1frame.dcm": (IncompleteSeries, "describes 3 frames and holds 1"),
    # dose relative to a reference, not in gray
    "dicom/rtdose.dcm": (WrongQuantity, "RELATIVE"),
    # a plan holds no image
    "dicom/rtplan.dcm": (UnsupportedObject, "RT Plan Storage"),
}

#: objects whose Counts Accumulated (0018,0070) states what the pixels sum to; the others went through lossy
#: compression (wg04_…explicitLE, …j2k, JPEG2000), state the counts of one second (MaxCountRate), or state none
COUNTS = {
    "nm/FourBar.dcm": 533338,
    "nm/MCR.dcm": 9188551,
    "nm/QuadrantBar.dcm": 5994805,
    "nm/Spatial_Resol_X.dcm": 1497463,
    "nm/Spatial_Resol_Y.dcm": 1497641,
    "nm/UNIFORMIDAD_1_Ok.dcm": 16000045,
    "nm/wg04_wholebody_bone_jpeglossless.dcm": 3596452,
}

ARCHIVES = (
    "pet_ct/ge_discoveryiq_propcnts_tomouniformity.tar.xz",
    "pet_ct/nema_iq_pet_recon_1.tar.xz",
    "pet_ct/sts001_raw_pet_bqml_rtstruct.tar.xz",
    "pet_ct/sts002_petct_crop_rtstruct.tar.xz",
)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folders = {}
    for name in ARCHIVES:
        folder = tmp_path_factory.mktemp(Path(name).name.split(".")[0])
        with tarfile.open(REFERENCE / name) as archive:
            archive.extractall(folder, filter="data")
        folders[name] = read_folder(folder)
    return folders


def only(folder, kind):
    (series,) = folder.of_kind(kind)
    return series


def what_it_holds(series):
    found = series.load()
    if series.kind in (Kind.RTSTRUCT, Kind.SEG):
        return [r.name for r in (*found.outlines, *found.regions)]
    return len(found) if series.kind not in (Kind.CT, Kind.SPECT, Kind.PARAMETRIC_MAP) else found[0].grid.shape


def test_no_reference_file_is_left_out():
    told = {*OPENS, *REFUSED, *ARCHIVES}
    there = {
        str(f.relative_to(REFERENCE)) for name in ("dicom", "nm", "pet_ct") for f in (REFERENCE / name).rglob("*.*")
    }
    headers_alone = {n for n in there if n.startswith("pet_ct/calculate-suv")}  # see pet_ct/test_suv_of_every_vendor
    assert there - headers_alone - {"pet_ct/LICENSE_TCIA_STS_CC-BY-3.0.txt"} == told


@pytest.mark.parametrize("name", OPENS)
def test_a_reference_file_opens_as_what_it_is(name):
    (series,) = read_folder(REFERENCE / name).series
    assert (series.kind, what_it_holds(series)) == OPENS[name]


@pytest.mark.parametrize("name", REFUSED)
def test_a_reference_file_is_refused_for_the_right_reason(name):
    refusal, words = REFUSED[name]
    (series,) = read_folder(REFERENCE / name).series
    with pytest.raises(refusal, match=words) as caught:
        series.load()
    assert type(caught.value) is refusal


@pytest.mark.parametrize("name", COUNTS)
def test_pixels_sum_to_the_counts_that_the_object_states(name):
    views = read_folder(REFERENCE / name).series[0].load()
    assert sum(float(view.counts.sum(dtype=float)) for view in views) == COUNTS[name]


def test_lossy_compression_is_told_and_the_lossless_copy_differs():
    lossy = read_folder(REFERENCE / "nm/wg04_wholebody_bone_j2k.dcm").series[0].load()[0]
    assert "lossy compression (2097:1)" in lossy.provenance.notes[0]
    unpacked = read_folder(REFERENCE / "nm/wg04_wholebody_bone_explicitLE.dcm").series[0].load()[0]
    np.testing.assert_array_equal(lossy.counts, unpacked.counts)


def test_the_scan_in_units_proportional_to_counts_opens_and_is_refused_for_a_dose(unpacked):
    series = only(unpacked[ARCHIVES[0]], Kind.PET)
    assert series.image().quantity is Quantity.PROPORTIONAL_TO_COUNTS
    kinds = {type(p): str(p) for p in series.problems}
    assert "Bq_mL_per_unit" in kinds[WrongQuantity]
    assert "date and time of acquisition" in kinds[MissingInformation]


def test_the_phantom_without_units_is_refused_until_they_are_supplied(unpacked):
    series = only(unpacked[ARCHIVES[1]], Kind.PET)
    with pytest.raises(MissingInformation, match=r"Units \(0054,1001\)"):
        series.image()
    assert any("Radiopharmaceutical Information Sequence" in str(p) for p in series.problems)
    assert series.image(Supplied(units="PROPCNTS")).grid.shape == (192, 192, 89)


def test_the_whole_body_pet_opens_in_bq_per_ml_at_the_start_of_its_scan(unpacked):
    folder = unpacked[ARCHIVES[2]]
    series = only(folder, Kind.PET)
    image = series.image()
    assert image.quantity is Quantity.ACTIVITY_CONCENTRATION
    assert image.timing.decay_corrected_to == image.timing.start
    assert series.problems == ()
    # Activity seen cannot exceed what was given, decayed by the 45 min 11 s between 10:35 and 11:20:11.
    given = 388777472 * 2 ** (-2711 / 6588)
    seen = float(image.values.sum(dtype=float)) * image.grid.voxel_volume_mL
    assert 0.5 * given < seen < given
    assert [o.name for o in only(folder, Kind.RTSTRUCT).load().outlines] == ["GTV_Mass", "GTV_Edema"]


def test_the_cropped_pet_tells_of_its_shifted_injection_date_and_its_decay_factor(unpacked):
    folder = unpacked[ARCHIVES[3]]
    image = only(folder, Kind.PET).image()
    assert image.quantity is Quantity.STANDARDISED_UPTAKE
    assert any("shifted differently" in n for n in image.provenance.notes)
    assert any("the number is believed" in n for n in image.provenance.notes)
    ct = only(folder, Kind.CT).image()
    assert ct.quantity is Quantity.HOUNSFIELD
    assert ct.grid.frame_of_reference == image.grid.frame_of_reference


@pytest.mark.parametrize(("archive", "kind"), [(2, Kind.PET), (3, Kind.CT), (3, Kind.PET)])
def test_values_and_places_are_those_of_simpleitk(unpacked, archive, kind):
    """An independent reader (ITK with GDCM) of the same slices: its order, its rescale, its geometry."""
    import SimpleITK as sitk  # noqa: N813 - its own name for itself

    series = only(unpacked[ARCHIVES[archive]], kind)
    image = series.image()
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(series.files[0].parent), series.uid))
    peer = reader.Execute()
    assert peer.GetSize() == image.grid.shape
    last = [n - 1 for n in image.grid.shape]
    # 0.5 mm: ITK lays the slices out with the first step, the package with the mean of all (bed positions, 0.08 mm).
    place = peer.TransformIndexToPhysicalPoint(last)
    np.testing.assert_allclose(image.grid.to_mm(last), place, atol=0.5)
    np.testing.assert_allclose(image.grid.to_mm((0, 0, 0)), peer.GetOrigin(), atol=1e-3)
    # one part in a million: both go through single precision
    theirs = sitk.GetArrayFromImage(sitk.Cast(peer, sitk.sitkFloat32)).T
    np.testing.assert_allclose(image.values, theirs, rtol=1e-6, atol=1e-6 * float(np.abs(theirs).max()))


def test_the_vendor_headers_are_json_and_no_images():
    folder = REFERENCE / "pet_ct/calculate-suv_vendor_metadata"
    assert all(json.loads(f.read_text()) for f in folder.iterdir())
    with pytest.raises(HevesyError, match="holds no image"):
        read_folder(folder)
