"""Regions that are drawn on the site: every edit a version, and the dose is that of what was drawn."""

import io
import json
import shutil
import zipfile
import zlib

import numpy as np
import pytest

from factories.therapy_case import LESION, ORIGIN_MM, SHAPE, VOXEL_MM, voxels
from hevesy.cli import main
from hevesy.web.site.audit.models import Event
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.store.models import Result
from hevesy.web.workbench.models import RegionSet


@pytest.fixture
def view(desk, administration):
    """Return a function that gives the viewer's manifest."""
    address = f"/api/workbench/administrations/{administration.pk}/view"
    assert desk.get(address).json()["refused"] == "The images are not ready."
    carry_out_waiting()
    return lambda: desk.get(address).json()


@pytest.fixture
def edit(desk, administration, view):
    """Return a function that sends an edit of the viewer."""

    def send(**asked):
        address = f"/api/workbench/administrations/{administration.pk}/regions"
        return desk.post(address, json.dumps(asked), content_type="application/json")

    return send


def numbers(desk, entry, kind):
    answer = desk.get(entry["url"])
    assert answer["Content-Encoding"] == "deflate"
    return np.frombuffer(zlib.decompress(answer.content), kind)


def region(manifest, name, time):
    return next(one for one in manifest["regions"] if (one["name"], one["timePoint"]) == (name, time))


def middle(box):
    return [o + VOXEL_MM * (a + b - 1) / 2 for (a, b), o in zip(box, ORIGIN_MM, strict=True)]


def test_the_manifest_gives_every_scan_and_region_in_plain_numbers(desk, view):
    found = view()
    assert [one["label"] for one in found["timePoints"]] == ["Scan 1", "Scan 2", "Scan 3", "Scan 4"]
    scan = found["volumes"][0]
    values = numbers(desk, scan, "<i2").reshape(scan["shape"]) * scan["slope"]
    assert list(values.shape) == list(SHAPE)
    (a, _), (b, _), (c, _) = LESION
    # 9e5 Bq/mL with 80 h half-life at 4.17 h; stored to 1/32767 of the greatest
    assert values[a, b, c] == pytest.approx(9e5 * 2 ** (-4.1667 / 80), rel=1e-4)
    lesion = region(found, "lesion", 0)
    assert numbers(desk, lesion, np.uint8).sum() == voxels(LESION)
    assert lesion["role"] == "lesion"  # as case.yaml says


def test_an_image_that_has_been_read_is_not_sent_again(desk, view):
    entry = view()["volumes"][0]
    first = desk.get(entry["url"])
    assert desk.get(entry["url"], headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_a_sphere_with_a_threshold_draws_the_lesion(desk, edit, view):
    answer = edit(
        tool="sphere", regionId=None, volumeId="scan0", centreMm=middle(LESION), radiusMm=40, method="41%", timePoint=0
    ).json()
    assert answer["region"]["name"] == "lesion 1"
    assert numbers(desk, answer["mask"], np.uint8).sum() == voxels(LESION)
    assert RegionSet.objects.get().version == 1
    assert Event.objects.filter(action="regions.changed").count() == 1


def test_a_new_region_has_its_card_at_once_and_no_check_is_asked_for_while_more_is_drawn(
    desk, edit, administration, open_page
):
    open_page("regions")
    edit(tool="create", regionId=None, volumeId="scan0", name="node", role="lesion", timePoint=0)
    page = desk.get(f"/administrations/{administration.pk}/regions", {"later": ""})
    card = next(one for one in page.context["listed"] if one["name"] == "node")
    assert card["empty"] and page.context["job"] is None and page.context["manifest"]
    assert not carry_out_waiting()
    assert desk.get(f"/administrations/{administration.pk}/regions").context["job"].is_open


def test_an_edit_of_an_old_version_is_refused_and_changes_nothing(edit, view):
    lesion = region(view(), "lesion", 0)
    grid = np.ravel_multi_index([a for a, _ in LESION], SHAPE)
    assert edit(tool="erase", regionId=lesion["id"], baseVersion=0, set=[], clear=[[int(grid), 2]]).json() == {
        "version": 1
    }
    late = edit(tool="brush", regionId=lesion["id"], baseVersion=3, set=[[0, 1]], clear=[])
    assert "changed meanwhile" in late.json()["refused"]
    assert RegionSet.objects.count() == 1


def test_the_voxels_that_were_erased_are_gone_and_the_others_stay(desk, edit, view):
    lesion = region(view(), "lesion", 0)
    first = int(np.ravel_multi_index([a for a, _ in LESION], SHAPE))
    edit(tool="erase", regionId=lesion["id"], baseVersion=0, set=[], clear=[[first, 2]])
    now = region(view(), "lesion", 0)
    assert numbers(desk, now, np.uint8).sum() == voxels(LESION) - 2
    assert numbers(desk, region(view(), "organ", 0), np.uint8).sum() == np.prod([8, 10, 10])


def test_what_is_drawn_here_is_measured_in_place_of_what_came(desk, edit, view, open_page):
    for time in range(4):
        lesion = region(view(), "lesion", time)
        first = int(np.ravel_multi_index([a for a, _ in LESION], SHAPE))
        edit(tool="erase", regionId=lesion["id"], baseVersion=0, set=[], clear=[[first, 5]])
    found = open_page("curves").context["found"]
    measured = next(one for one in found["regions"] if one["name"] == "lesion")
    assert measured["volume_mL"] == pytest.approx((voxels(LESION) - 5) * VOXEL_MM**3 * 1e-3, rel=1e-6)


def test_a_new_name_takes_what_was_said_of_the_region_along(edit, view, administration, open_page):
    for time in range(4):
        lesion = region(view(), "lesion", time)
        assert edit(tool="rename", regionId=lesion["id"], name="liver metastasis").status_code == 200
    administration.refresh_from_db()
    assert administration.settings["regions"] == {"liver metastasis": {"role": "lesion"}}
    assert open_page("data").context["found"]["ready"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"tool": "laser"}, "There is no tool 'laser'."),
        ({"tool": "grow", "regionId": "nobody"}, "no such region"),
        ({"tool": "rename", "regionId": "0-0", "name": " "}, "needs a name"),
        ({"tool": "brush", "regionId": "0-0", "set": [[10**9, 5]]}, "outside the image"),
        ({"tool": "brush", "regionId": "0-0", "set": [[1]]}, "Field required"),
        ({"tool": "sphere", "regionId": "0-0", "volumeId": "scan0"}, "does not say where"),
        ({"tool": "grow", "regionId": "0-0", "registration": "0" * 32}, "registration that was shown is there no more"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused(edit, asked, words):
    assert words in edit(**asked).json()["refused"]
    assert not RegionSet.objects.exists()


def test_a_dose_of_regions_drawn_here_is_remade_with_its_files(desk, edit, view, administration, case_folder, tmp_path):
    for time in range(4):
        first = int(np.ravel_multi_index([a for a, _ in LESION], SHAPE))
        lesion = region(view(), "lesion", time)
        edit(tool="erase", regionId=lesion["id"], baseVersion=0, set=[], clear=[[first, 5]])
    desk.post(f"/administrations/{administration.pk}/engine", {"engine": "local"})
    assert carry_out_waiting()
    result = Result.objects.get()
    archive = zipfile.ZipFile(io.BytesIO(desk.get(f"/results/{result.pk}/all.zip").content))
    case = shutil.copytree(case_folder, tmp_path / "case", ignore=shutil.ignore_patterns("rs*"))
    for name in archive.namelist():
        if name == "case.yaml" or name.startswith("regions-"):
            (case / name).write_bytes(archive.read(name))
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) == 0
    remade = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert [name for name, data in remade.items() if archive.read(name) != data] == []
