"""A patient who lay elsewhere at the second scan: the viewer points at the same tissue, and draws on it."""

import json
import zlib

import numpy as np
import pytest

from factories.dicom import write
from factories.therapy_case import LESION, ORIGIN_MM, VOXEL_MM, concentration, scan, voxels, write_case
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.workbench.placing import Placing

SHIFT_MM, TURN_DEG = (14.0, -9.0, 6.0), 5.0
#: half a voxel: what a registration of scans with voxels of 6 mm is to reach, and well under the 17 mm that were there
NEAR_MM = VOXEL_MM / 2


@pytest.fixture(scope="module")
def case_folder(tmp_path_factory):
    """Two scans, the second of a patient who has moved; nothing is drawn."""
    cosine, sine = np.cos(np.radians(TURN_DEG)), np.sin(np.radians(TURN_DEG))
    turn = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    folder = tmp_path_factory.mktemp("moved")
    write_case(folder, hours=(4.0,), config="registration: rigid\n", drawn="none")
    there = {"orientation": (*turn[:, 0], *turn[:, 1]), "origin_mm": turn @ ORIGIN_MM + SHIFT_MM}
    write(folder / "scan2", scan(24.0, 2, **there))
    return folder


@pytest.fixture
def address(administration):
    return f"/api/workbench/administrations/{administration.pk}"


@pytest.fixture
def view(desk, address, open_page):
    """The viewer's manifest, before and after the curves were asked for."""
    desk.get(f"{address}/view")
    carry_out_waiting()
    before = desk.get(f"{address}/view").json()
    open_page("curves")
    return before, desk.get(f"{address}/view").json()


@pytest.fixture
def edit(desk, address):
    def send(**asked):
        answer = desk.post(f"{address}/regions", json.dumps(asked), content_type="application/json")
        assert answer.status_code == 200, answer.content
        return answer.json()

    return send


def lesion_in(volume):
    """Where the lesion's middle is shown, mm: its place in the array is the same in both scans."""
    return (np.array(volume["affine"]) @ [*((a + b - 1) / 2 for a, b in LESION), 1.0])[:3]


def test_a_ct_is_shown_moved_as_the_scan_that_it_was_taken_with_and_not_where_that_is_the_reference():
    there = np.eye(4)
    there[:3, 3] = SHIFT_MM
    motions = {"1.1": {"how": "reference"}, "1.2": {"how": "rigid", "matrix": there.tolist()}}
    ct = {"id": "ct", "shape": [4, 4, 4], "affine": np.eye(4).tolist()}
    for series, moved_mm in ((["1.2"], SHIFT_MM), (["1.1"], (0, 0, 0)), (["1.2", "1.1"], (0, 0, 0)), ([], (0, 0, 0))):
        shown = np.array(Placing("a job", motions).shown({**ct, "movesWith": series})["affine"])
        assert shown[:3, 3] == pytest.approx(-np.array(moved_mm))


def test_the_linked_cursor_is_in_the_lesion_at_both_times_and_a_sphere_there_measures_it(desk, view, edit, address):
    before, after = view
    first, second = (lesion_in(one) for one in before["volumes"])
    assert np.linalg.norm(second - first) > 3 * NEAR_MM
    assert before["registration"] is None
    assert [one["motion"] for one in before["timePoints"]] == [None, None]

    first, second = (lesion_in(one) for one in after["volumes"])
    assert np.linalg.norm(second - first) < NEAR_MM
    reference, moved = (one["motion"] for one in after["timePoints"])
    assert (reference["how"], moved["how"]) == ("reference", "rigid")
    assert moved["rotation_deg"] == pytest.approx(TURN_DEG, abs=0.5)  # degrees; half a voxel at 170 mm is 1
    assert moved["agreement_after"] > max(0.9, moved["agreement_before"])

    asked = {"volumeId": "scan1", "timePoint": 1, "registration": after["registration"]}
    drawn = edit(tool="sphere", regionId=None, centreMm=first.tolist(), radiusMm=30, method="41%", **asked)
    # drawn where the cursor stood in the reference, it lies on the scan's own voxels, and is shown where that scan is
    assert drawn["region"]["grid"]["affine"] == pytest.approx(np.array(after["volumes"][1]["affine"]))
    box = drawn["mask"]["box"]
    assert box == {"offset": [a for a, _ in LESION], "shape": [b - a for a, b in LESION]}
    mask = np.frombuffer(zlib.decompress(desk.get(drawn["mask"]["url"]).content), np.uint8)
    assert mask.sum() == voxels(LESION)
    volume = after["volumes"][1]
    values = np.frombuffer(zlib.decompress(desk.get(volume["url"]).content), "<i2").reshape(volume["shape"])
    inside = values[tuple(slice(a, b) for a, b in LESION)][mask.reshape(box["shape"]) > 0] * volume["slope"]
    # the mean over 20 min of what washes out with 80 h, stored to 1/32767 of the greatest
    assert inside.mean() == pytest.approx(concentration("lesion", 24 * 3600 + 600), rel=1e-3)
    shown = desk.get(f"{address}/view").json()["regions"][0]
    assert shown["grid"]["affine"] == pytest.approx(np.array(volume["affine"]))
