"""Organs that a job finds: a new version of the regions, marked until a person confirms them, and taken back.

TotalSegmentator is a double with its documented command line: it takes what the CT holds above 200 HU for the liver.
"""

import json
import os
import stat
import sys

import numpy as np
import pytest

from factories.dicom import ct, write
from factories.therapy_case import ORGAN, ORIGIN_MM, SHAPE, VOXEL_MM, write_case
from hevesy.stages.imaging.segmentation_object import read_segments
from hevesy.web.site.audit.models import Event
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.workbench.case_folder import lay_out_case, settings_of
from hevesy.web.workbench.models import RegionSet

DOUBLE = f"""#!{sys.executable}
import pathlib, sys
import nibabel, numpy as np
source = nibabel.load(sys.argv[sys.argv.index("-i") + 1])
out = pathlib.Path(sys.argv[sys.argv.index("-o") + 1]); out.mkdir()
dense = (np.asarray(source.dataobj) > 200).astype(np.uint8)
for name in ("liver", "spleen", "kidney_left", "kidney_right"):
    nibabel.save(nibabel.Nifti1Image(dense if name == "liver" else 0 * dense, source.affine), out / f"{{name}}.nii.gz")
"""


@pytest.fixture(scope="session")
def case_folder(tmp_path_factory):
    """The patient of the other tests, with a CT in which the organ is dense."""
    folder = write_case(tmp_path_factory.mktemp("organs"), hours=(4.0, 48.0))
    values = np.full(SHAPE, 1064)
    values[tuple(slice(a, b) for a, b in ORGAN)] = 1424
    slices = ct(values.astype(np.uint16).transpose(2, 1, 0), spacing_mm=(VOXEL_MM,) * 3, origin_mm=ORIGIN_MM)
    write(folder / "ct", slices)
    return folder


@pytest.fixture
def double(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "weights" / "Dataset297_model").mkdir(parents=True)
    program = tmp_path / "bin" / "TotalSegmentator"
    program.write_text(DOUBLE)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path / "weights"))


@pytest.fixture
def api(desk, administration):
    def send(path, **given):
        address = f"/api/workbench/administrations/{administration.pk}/{path}"
        return desk.post(address, json.dumps(given), content_type="application/json")

    return send


def test_organs_become_a_version_that_waits_for_a_person_and_can_be_taken_back(
    desk, administration, open_page, double, api, tmp_path
):
    page = open_page("regions").content.decode()
    assert "Find organs by TotalSegmentator" in page
    before = {
        one["name"] for one in desk.get(f"/api/workbench/administrations/{administration.pk}/view").json()["regions"]
    }
    desk.post(f"/administrations/{administration.pk}/regions", {"find": "totalsegmentator"})
    carry_out_waiting()
    found = RegionSet.objects.get()
    assert (found.version, found.change) == (1, "found automatically: liver")
    liver = next(one for one in found.regions if one["name"] == "liver")
    assert (liver["foundBy"], liver["timePoint"], liver["box"]["shape"]) == (
        "TotalSegmentator",
        0,
        [b - a for a, b in ORGAN],
    )
    assert {one["name"] for one in found.regions} == before | {"liver"}
    page = open_page("regions").content.decode()
    assert "automatic, to be confirmed" in page
    assert "Spleen was not found by TotalSegmentator." in page
    lay_out_case(administration, settings_of(administration), tmp_path / "case")
    laid = [r for f in sorted((tmp_path / "case").glob("regions-*.dcm")) for r in read_segments(f).regions]
    assert {r.name for r in laid if r.found_by} == {"liver"}  # so that a dose says so too
    desk.post(f"/administrations/{administration.pk}/regions", {"region": "liver", "regions.NAME.confirmed": "true"})
    administration.refresh_from_db()
    assert administration.settings["regions"]["liver"] == {"confirmed": True}
    assert "automatic, to be confirmed" not in open_page("regions").content.decode()
    desk.post(f"/administrations/{administration.pk}/regions", {"take_back": "1"})
    newest = RegionSet.objects.first()
    assert {one["name"] for one in newest.regions} == before
    assert api("regions/1/restoration").json() == {"version": 3, "change": "back to version 1"}
    assert {one["name"] for one in RegionSet.objects.first().regions} == before | {"liver"}
    assert Event.objects.filter(action="organs.asked").count() == 1


def test_what_a_person_drew_stays(desk, administration, open_page, double, api):
    open_page("regions")
    name = f"/api/workbench/administrations/{administration.pk}/view"
    organ = next(o for o in desk.get(name).json()["regions"] if o["name"] == "organ" and o["timePoint"] == 0)
    api("regions", tool="rename", regionId=organ["id"], name="liver")
    api("organs", find=["liver"], by="totalsegmentator")
    carry_out_waiting()
    assert RegionSet.objects.count() == 1
    assert not any(one.get("foundBy") for one in RegionSet.objects.get().regions)


def test_why_none_is_found_is_told(open_page, api):
    open_page("regions")
    assert api("organs", by="uptake").json()["state"] == "waiting"
    carry_out_waiting()
    assert "cm of spine" in open_page("regions").content.decode()


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [("organs", {"find": ["brain"]}, 404), ("organs", {"by": "magic"}, 404), ("regions/7/restoration", {}, 404)],
)
def test_what_there_is_not_is_refused(api, open_page, path, given, status):
    open_page("regions")
    assert api(path, **given).status_code == status
