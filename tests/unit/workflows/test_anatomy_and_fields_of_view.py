"""A CT in the folder, structures drawn on it, fields of view that do not hold them, and values in counts."""

import os
from datetime import UTC, datetime

import numpy as np
import pytest

from factories.dicom import change_all, ct, ds, write
from factories.therapy_case import (
    BODY,
    DURATION_S,
    LESION,
    LU177_HALF_LIFE_S,
    ORGAN,
    ORIGIN_MM,
    SHAPE,
    VOXEL_MM,
    scan,
    structures,
    true_tia_Bq_s,
    voxels,
    write_case,
)
from hevesy.core import Grid, Region, Role
from hevesy.errors import (
    BadConfiguration,
    ContradictoryInformation,
    IncompleteSeries,
    OutsideImage,
    OutsideValidity,
    UnreadableFile,
)
from hevesy.physics.hounsfield import density_from_hounsfield
from hevesy.stages.imaging import segmentation_writer
from hevesy.stages.imaging.folder import read_folder
from hevesy.workflows.case import load_case
from hevesy.workflows.therapy import therapy_dose
from hevesy.workflows.viewing import write_view

HOURS = (4.0, 48.0, 120.0)
AS_IT_IS = "registration: none\nuncertainty: {counts_percent: 3}\n"
BONE_HU, TISSUE_HU, AIR_HU = 400, 40, -1000
#: wider than the field of view along x, within it along y and z
TOO_WIDE = ((-4, 44), (5, 35), (2, 20))


def dose(folder):
    return therapy_dose(folder, load_case(folder)).result


def named(result, name):
    return next(r for r in result.regions if r.region.name == name)


def anatomy(half=2, first_slice=0, **tags):
    """A CT of the patient at half the SPECT's spacing: bone in the lesion, air around the body."""
    shape = tuple(n * half for n in SHAPE)
    values = np.full(shape, AIR_HU)
    for box, number in ((BODY, TISSUE_HU), (LESION, BONE_HU)):
        values[tuple(slice(a * half, b * half) for a, b in box)] = number
    spacing = VOXEL_MM / half
    edge = np.array(ORIGIN_MM) - VOXEL_MM / 2 + spacing / 2
    edge[2] += first_slice * spacing
    stored = (values + 1024).astype(np.uint16).transpose(2, 1, 0)[first_slice:]
    return ct(stored, spacing_mm=(spacing,) * 3, origin_mm=edge, **tags)


def drawn(folder, config=AS_IT_IS, hours=HOURS, **boxes):
    write_case(folder, hours=hours, drawn="none", config=config)
    write(folder, [structures(scan(hours[0], 1), 1, **boxes)], "rs")
    return folder


@pytest.fixture(scope="module")
def with_ct(tmp_path_factory):
    folder = drawn(tmp_path_factory.mktemp("ct") / "case", organ=ORGAN, lesion=LESION)
    write(folder / "ct", anatomy())
    return dose(folder)


@pytest.mark.parametrize(("name", "box", "number"), [("organ", ORGAN, TISSUE_HU), ("lesion", LESION, BONE_HU)])
def test_the_density_of_a_region_is_that_of_its_ct_number(with_ct, name, box, number):
    image = with_ct.density.with_values(np.full(with_ct.density.grid.shape, float(number)))
    hounsfield = type(with_ct.density.quantity).HOUNSFIELD
    expected = density_from_hounsfield(image.with_values(image.values, hounsfield)).values[0, 0, 0]
    litres = voxels(box) * VOXEL_MM**3 * 1e-6
    # the lesion's outermost CT samples are blended with its surroundings by linear interpolation
    assert named(with_ct, name).mass.value == pytest.approx(expected * litres * 1e-3, rel=1e-3)


def test_bone_weighs_more_and_so_gets_less_dose_than_the_same_activity_in_tissue(with_ct, tmp_path):
    without = dose(drawn(tmp_path / "case", organ=ORGAN, lesion=LESION))
    lesion, plain = named(with_ct, "lesion"), named(without, "lesion")
    assert lesion.tia.value == pytest.approx(plain.tia.value, rel=1e-6)
    ratio = plain.mass.value / lesion.mass.value
    assert ratio < 0.85  # 400 HU is above 1.2 g/mL on every published curve
    assert lesion.dose.value / plain.dose.value == pytest.approx(ratio, rel=1e-3)


def test_with_a_ct_nothing_is_said_of_tissue_assumed_and_the_ct_is_among_the_inputs(with_ct):
    assert not any("No CT" in warning for warning in with_ct.warnings)
    assert "CT" in {used["use"] for used in with_ct.inputs}


def test_where_the_ct_does_not_reach_no_tissue_is_invented(tmp_path):
    folder = drawn(tmp_path / "case", organ=ORGAN)
    write(folder / "ct", anatomy(first_slice=8))
    result = dose(folder)
    assert not result.density.values[:, :, :3].any()
    assert result.density.values[:, :, 5:].any()
    assert any("lies outside the body's outline; it got no dose" in warning for warning in result.warnings)


def test_a_ct_with_a_slice_missing_is_refused(tmp_path):
    folder = drawn(tmp_path / "case", organ=ORGAN)
    write(folder / "ct", anatomy())
    (folder / "ct" / "0020.dcm").unlink()
    with pytest.raises(IncompleteSeries, match="missing"):
        dose(folder)


def test_a_ct_that_no_frame_of_reference_joins_to_a_scan_is_left_out_and_that_is_said(tmp_path):
    folder = drawn(tmp_path / "case", organ=ORGAN)
    write(folder / "ct", anatomy(FrameOfReferenceUID="1.9.9"))
    warnings = dose(folder).warnings
    assert any("was not used: it is in no scan's frame of reference" in warning for warning in warnings)


def test_of_two_ct_that_of_the_reference_gives_the_density_and_is_shown(tmp_path):
    folder = tmp_path / "case"
    write_case(folder, hours=(4.0,), drawn="none", config=AS_IT_IS + "reference: 2\n")
    write(folder / "ct1", without_bone())
    later = scan(48.0, 2, FrameOfReferenceUID="1.9.9")
    write(folder / "scan2", [*later, structures(later, 2, organ=ORGAN, lesion=LESION)])
    write(folder / "ct2", anatomy(FrameOfReferenceUID="1.9.9", SeriesInstanceUID="1.2.3.77", SeriesDescription="Later"))
    litres = voxels(LESION) * VOXEL_MM**3 * 1e-6
    assert named(dose(folder), "lesion").mass.value > 1.15 * litres  # kg: bone, where the first CT shows tissue
    shown = write_view(folder, load_case(folder), tmp_path)["volumes"][-1]
    assert (shown["name"], shown["movesWith"]) == ("Later", ["1.2.3.20"])


def without_bone():
    slices = anatomy(SeriesInstanceUID="1.2.3.76")
    bone = BONE_HU + 1024
    for one in slices:
        stored = one.pixel_array.copy()
        stored[stored == bone] = TISSUE_HU + 1024
        one.PixelData = stored.tobytes()
    return slices


def external(folder, kind):
    write_case(folder, hours=HOURS, drawn="none", config=AS_IT_IS)
    made = structures(scan(HOURS[0], 1), 1, organ=ORGAN, wide=TOO_WIDE)
    made.RTROIObservationsSequence[1].RTROIInterpretedType = kind
    write(folder, [made], "rs")
    return folder


def test_the_outline_of_a_body_wider_than_the_field_of_view_is_cut_and_that_is_said(tmp_path):
    result = dose(external(tmp_path / "case", "EXTERNAL"))
    seen = SHAPE[0] * 30 * 18 * VOXEL_MM**3 * 1e-3
    assert named(result, "wide").volume.value == pytest.approx(seen, rel=1e-3)
    assert any("'wide' reaches outside the image: 16.7%" in warning for warning in result.warnings)


def test_an_organ_wider_than_the_field_of_view_is_refused(tmp_path):
    with pytest.raises(OutsideImage, match=r"'wide' reaches outside the image: 16\.7%"):
        dose(external(tmp_path / "case", "ORGAN"))


def test_a_region_that_a_later_scan_does_not_show_whole_is_refused(tmp_path):
    folder = drawn(tmp_path / "case", organ=ORGAN)
    shorter = [s for s in scan(HOURS[1], 2) if float(s.ImagePositionPatient[2]) > ORIGIN_MM[2] + 8 * VOXEL_MM]
    for file in (folder / "scan2").iterdir():
        file.unlink()
    write(folder / "scan2", change_all(shorter, NumberOfSlices=len(shorter)))
    with pytest.raises(OutsideImage, match="outside the field of view that all scans share"):
        dose(folder)


def test_a_segmentation_drawn_on_the_ct_keeps_its_volume_on_the_scan(tmp_path):
    folder = drawn(tmp_path / "case", background=((10, 12), (10, 12), (18, 20)))
    for file in folder.glob("rs*"):
        file.unlink()
    write(folder / "ct", anatomy())
    series = next(s for s in read_folder(folder / "ct").series)
    grid: Grid = series.image().grid
    mask = np.zeros(grid.shape, np.float32)
    mask[tuple(slice(2 * a + 1, 2 * b) for a, b in LESION)] = 1  # its faces cut voxels of the scan in half
    region = Region.from_mask("lesion", grid, mask, Role.LESION)
    segmentation_writer.write([region], series.headers, folder / "seg.dcm", datetime(2024, 3, 20, tzinfo=UTC))
    found = named(dose(folder), "lesion")
    assert found.region.role is Role.LESION
    assert found.volume.value == pytest.approx(float(mask.sum()) * (VOXEL_MM / 2) ** 3 * 1e-3, rel=1e-5)


def test_a_region_without_activity_is_refused_by_name(tmp_path):
    with pytest.raises(OutsideValidity, match="'air' holds no activity in Scan 1"):
        dose(drawn(tmp_path / "case", organ=ORGAN, air=((0, 3), (0, 3), (0, 3))))


def test_two_regions_of_one_name_are_refused(tmp_path):
    config = AS_IT_IS + "regions: {lesion: {name: organ}}\n"
    with pytest.raises(ContradictoryInformation, match="Two regions are called 'organ'"):
        dose(drawn(tmp_path / "case", config, organ=ORGAN, lesion=LESION))


def test_two_reconstructions_of_one_acquisition_are_refused(tmp_path):
    folder = drawn(tmp_path / "case", organ=ORGAN)
    write(folder / "again", scan(HOURS[1], 7, SeriesDescription="Scan 2 without attenuation"))
    with pytest.raises(ContradictoryInformation, match="were acquired at the same time"):
        dose(folder)


def test_injections_with_and_without_a_time_zone_are_refused(tmp_path):
    folder = drawn(tmp_path / "case", organ=ORGAN)
    for file in (folder / "scan2").iterdir():
        file.unlink()
    write(folder / "scan2", scan(HOURS[1], 2, TimezoneOffsetFromUTC="+0100"))
    with pytest.raises(ContradictoryInformation, match="time zone"):
        dose(folder)


def test_scans_in_one_time_zone_give_the_same_dose_as_without_any(tmp_path):
    plain = drawn(tmp_path / "plain", organ=ORGAN)
    zoned = drawn(tmp_path / "zoned", organ=ORGAN)
    for number, hours in enumerate(HOURS, start=1):
        write(zoned / f"scan{number}", scan(hours, number, TimezoneOffsetFromUTC="-0330"))
    assert named(dose(zoned), "organ").dose.value == pytest.approx(named(dose(plain), "organ").dose.value, rel=1e-9)


def test_a_scan_whose_length_is_not_stated_is_taken_as_an_instant_and_that_is_said(tmp_path):
    folder = drawn(tmp_path / "case", organ=ORGAN)
    write(folder / "scan2", scan(HOURS[1], 2, ActualFrameDuration=None))
    warnings = dose(folder).warnings
    assert [w for w in warnings if "No Actual Frame Duration" in w and w.startswith("Scan 2")]
    assert not [w for w in warnings if "No Actual Frame Duration" in w and w.startswith("Scan 1")]


SENSITIVITY = 9.5  # counts/s/MBq


def in_counts(folder, config, of_last=1.0):
    """The case as counts that were present: decay correction taken off, a known sensitivity put on."""
    rate = np.log(2) / LU177_HALF_LIFE_S
    present = -np.expm1(-rate * DURATION_S) / (rate * DURATION_S)
    per_unit = present * SENSITIVITY * 1e-6 * DURATION_S * VOXEL_MM**3 * 1e-3
    for number, hours in enumerate(HOURS, start=1):
        images = scan(hours, number, Units="CNTS", DecayCorrection="NONE", CorrectedImage=["ATTN", "SCAT"])
        slope = float(images[0].RescaleSlope) * per_unit * (of_last if hours == HOURS[-1] else 1.0)
        write(folder / f"scan{number}", change_all(images, RescaleSlope=ds(slope)))
    write(folder, [structures(scan(HOURS[0], 1), 1, organ=ORGAN)], "rs")
    (folder / "case.yaml").write_text(config)
    return folder


def test_counts_and_a_calibration_factor_give_the_true_time_integrated_activity(tmp_path):
    config = AS_IT_IS + f"calibration: {{counts_per_s_per_MBq: {SENSITIVITY}, u_percent: 7}}\n"
    found = named(dose(in_counts(tmp_path / "case", config)), "organ")
    # 16-bit storage as in the case in Bq/mL: 2e-3 of the faintest frame
    assert found.tia.value == pytest.approx(true_tia_Bq_s("organ"), rel=2e-3)
    assert found.tia.components["calibration"] == pytest.approx(0.07 * found.tia.value, rel=1e-6)


def scans_with(last):
    entries = [f"  - {{series: Scan {number}}}\n" for number in range(1, len(HOURS))]
    return "".join(["scans:\n", *entries, f"  - {{series: Scan {len(HOURS)}, calibration: {last}}}\n"])


def test_a_scan_by_another_camera_has_its_own_calibration_factor(tmp_path):
    shared = AS_IT_IS + f"calibration: {{counts_per_s_per_MBq: {SENSITIVITY}, u_percent: 7}}\n"
    own = scans_with(f"{{counts_per_s_per_MBq: {0.6 * SENSITIVITY}, u_percent: 40}}")
    found = named(dose(in_counts(tmp_path / "case", shared + own, of_last=0.6)), "organ")
    assert found.tia.value == pytest.approx(true_tia_Bq_s("organ"), rel=2e-3)
    assert found.tia.components["calibration"] == pytest.approx(0.07 * found.tia.value, rel=1e-6)
    assert "calibration of the scan" not in found.activity[0].components
    assert found.activity[-1].components["calibration of the scan"] / found.activity[-1].value == pytest.approx(0.4)
    # a point that is known so badly is weighed less, and the fit says less
    alike = dose(in_counts(tmp_path / "alike", shared))
    assert found.tia.components["fit"] > 1.05 * named(alike, "organ").tia.components["fit"]


def test_a_calibration_factor_for_a_scan_in_becquerel_is_refused(tmp_path):
    folder = drawn(tmp_path / "case", AS_IT_IS + scans_with("{counts_per_s_per_MBq: 9}"), organ=ORGAN)
    with pytest.raises(ContradictoryInformation, match="is in Bq/mL already"):
        dose(folder)


def test_a_half_life_from_a_file_moves_what_decay_correction_is_undone_with(tmp_path):
    config = AS_IT_IS + "half_lives: half-lives.yaml\n"
    folder = drawn(tmp_path / "case", config, organ=ORGAN)
    (folder / "half-lives.yaml").write_text("Lu-177: {half_life: 6.0 d, u: 0.1 d, source: a test}\n")
    result = dose(folder)
    assert result.nuclide.half_life.value == pytest.approx(6.0 * 86400)
    assert result.nuclide.half_life.u == pytest.approx(0.1 * 86400)


def test_every_input_of_the_uncertainty_can_be_given(tmp_path):
    config = (
        "registration: none\ncalibration: {u_percent: 0}\n"
        "uncertainty: {counts_percent: 0.01, density_percent: 11, resolution_mm: 0.001}\n"
        "regions: {organ: {recovery: 0.8, recovery_u_percent: 9}}\n"
    )
    found = named(dose(drawn(tmp_path / "case", config, organ=ORGAN)), "organ")
    assert found.tia.value == pytest.approx(true_tia_Bq_s("organ") / 0.8, rel=2e-3)
    percent = {label: 100 * u / found.dose.value for label, u in found.dose.components.items()}
    assert percent["recovery"] == pytest.approx(9)
    assert percent["density"] == pytest.approx(11)
    assert percent.get("calibration", 0.0) == 0
    # without blur only the voxel's side a blurs the edge: u(V)/V = 3 (a/√6)/d, of which half stays in the dose, as an
    # edge at half height gains or loses activity half as fast as volume (Gear et al. 2018); at this size not quite
    diameter_mm = (6 * voxels(ORGAN) * VOXEL_MM**3 / np.pi) ** (1 / 3)
    assert percent["volume"] == pytest.approx(100 * 1.5 * VOXEL_MM / 6**0.5 / diameter_mm, rel=5e-3)
    assert not any("Assumed" in w and "calibration" in w for w in dose(tmp_path / "case").warnings)


def test_linked_folders_are_entered_once_and_pipes_are_not_waited_for(tmp_path):
    real = drawn(tmp_path / "real", organ=ORGAN)
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "one").symlink_to(real)
    (folder / "two").symlink_to(real)
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.dcm")
    assert len(read_folder(folder).series) == len(read_folder(real).series)
    (folder / "lost.dcm").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UnreadableFile, match=r"lost\.dcm"):
        read_folder(folder)


def test_each_scan_can_have_its_own_recovery_coefficient(tmp_path):
    start = "registration: none\nregions: {organ: {recovery: "
    folder = drawn(tmp_path / "case", start + "0.8}}\n", organ=ORGAN)
    one = named(dose(folder), "organ")
    scans = len(one.activity)
    given = [0.8 + 0.02 * number for number in range(scans)]
    (folder / "case.yaml").write_text(f"{start}{given}}}}}\n")
    each = named(dose(folder), "organ")
    for before, after, share in zip(one.activity, each.activity, given, strict=True):
        assert after.value == pytest.approx(before.value * 0.8 / share)
    (folder / "case.yaml").write_text(f"{start}{[*given, 0.9]}}}}}\n")
    with pytest.raises(BadConfiguration, match=f"{scans + 1} coefficients for {scans} scans"):
        dose(folder)
