"""One recovery coefficient for several scans: an error common to all points, as long as the scans lose alike."""

import numpy as np
import pytest

from factories import therapy_case
from factories.dicom import write
from hevesy.stages.quantification.delineation import activity_exponent
from hevesy.workflows.case import load_case
from hevesy.workflows.observation import observe
from hevesy.workflows.therapy import therapy_dose

HOURS = (4.0, 24.0, 96.0)


def dose_of(tmp_path, recovery):
    config = f"registration: none\nregions: {{lesion: {{role: lesion, {recovery}}}}}\n"
    folder = therapy_case.write_case(tmp_path / recovery.replace(" ", ""), HOURS, config)
    result = therapy_dose(folder, load_case(folder)).result
    return next(one for one in result.regions if one.name == "lesion")


def test_a_recovery_coefficient_of_all_scans_scales_dose_with_its_whole_error_and_leaves_the_half_life(tmp_path):
    known, guessed, lower = (
        dose_of(tmp_path, f"recovery: {value}, recovery_u_percent: {u}")
        for value, u in ((1.25, 0), (1.25, 20), (1.0, 0))
    )
    for number in ("tia", "dose"):
        exact, vague, scaled = (getattr(one, number) for one in (known, guessed, lower))
        # a coefficient that is wrong by a fifth is so at every scan, and is not averaged away; fits end within 1e-7
        assert scaled.value / exact.value == pytest.approx(1.25, rel=1e-6)
        assert vague.components["recovery"] / vague.value == pytest.approx(0.2, rel=1e-6)
        assert vague.u_relative**2 - exact.u_relative**2 == pytest.approx(0.04, rel=1e-6)
    half_lives = [one.model.effective_half_life for one in (known, guessed, lower)]
    assert [h.value for h in half_lives] == pytest.approx([half_lives[0].value] * 3, rel=1e-6)
    assert [h.u for h in half_lives] == pytest.approx([half_lives[0].u] * 3, rel=1e-6)


def notes_on(tmp_path, tags=None, lesions=(therapy_case.LESION,) * 2, said="recovery: 0.8"):
    """What is noted of a lesion that is drawn on each of two scans, the second with other tags."""
    for number, (hours, box) in enumerate(zip(HOURS, lesions, strict=False), start=1):
        images = therapy_case.scan(
            hours, number, **{"ManufacturerModelName": "One"} | (tags or {} if number == 2 else {})
        )
        write(tmp_path / f"scan{number}", images)
        drawn = therapy_case.structures(images, number, organ=therapy_case.ORGAN, lesion=box)
        write(tmp_path / f"scan{number}", [drawn], "rs")
    config = f"registration: none\nregions: {{lesion: {{role: lesion, {said}}}}}\n"
    (tmp_path / "case.yaml").write_text(config, encoding="utf-8")
    site = observe(tmp_path, load_case(tmp_path), lambda step: None)
    measured = {one.region.name: one for one in site.measured}
    return measured["lesion"], [note for note in measured["lesion"].notes if "blur" in note]


def test_scans_that_were_made_alike_share_a_recovery_coefficient_without_a_word(tmp_path):
    same = {"ReconstructionMethod": "OSEM 4i8s"}
    assert not notes_on(tmp_path, same)[1]  # the first scan says nothing of it: nothing contradicts


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"ManufacturerModelName": "Other"}, "model: One / Other"),
        ({"CorrectedImage": ["DECY", "ATTN"]}, "corrections: ATTN SCAT / ATTN"),
        ({"CollimatorType": "PINH"}, "collimator: PARA / PINH"),
        ({"spacing_mm": (therapy_case.VOXEL_MM,) * 2 + (5.0,)}, "voxel: 6×6×6 mm / 6×6×5 mm"),
    ],
)
def test_scans_that_were_not_made_alike_are_warned_of_where_one_coefficient_serves_them(tmp_path, tags, said):
    (note,) = notes_on(tmp_path, tags)[1]
    assert said in note
    assert "Give a recovery coefficient for each scan" in note


def test_a_coefficient_for_each_scan_settles_it(tmp_path):
    assert not notes_on(tmp_path, {"CollimatorType": "PINH"}, said="recovery: [0.8, 0.7]")[1]


def test_an_outline_drawn_anew_in_another_size_says_how_far_points_may_be_apart(tmp_path):
    (x, y, z) = therapy_case.LESION
    larger = ((x[0] - 1, x[1] + 1), y, z)
    measured, notes = notes_on(tmp_path, lesions=(therapy_case.LESION, larger))
    # d ln A / d ln V at the outline, Gear et al. 2018; the larger box has 7/5 of the voxels
    apart = (7 / 5) ** activity_exponent(measured.region.volume_mL, 12.0) - 1
    assert np.round(100 * apart) > 5
    assert any(f"may be off by {apart:.0%}" in note for note in notes)


def test_one_outline_on_every_scan_is_not_drawn_anew(tmp_path):
    (x, y, z) = therapy_case.LESION
    larger = ((x[0] - 1, x[1] + 1), y, z)
    assert not notes_on(tmp_path, lesions=(therapy_case.LESION, larger), said="recovery: 0.8, propagate: true")[1]
