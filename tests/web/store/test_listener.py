"""What other systems send by DICOM, with DCMTK's storescu as the sender."""

import shutil
import subprocess
import sys
import time

import pytest

from factories.databases import database_of
from factories.listening_site import Site

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not shutil.which("storescu"), reason="DCMTK is not installed (Debian: dcmtk)"),
]

OBJECTS = 1000


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A site's database that has its tables, to be copied."""
    program = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'hevesy.web.site.settings'; django.setup();"
        "from django.core.management import call_command; call_command('migrate', verbosity=0)"
    )
    with database_of(tmp_path_factory.mktemp("site") / "home") as database:
        subprocess.run([sys.executable, "-c", program], env=Site(database).environment, check=True)
        yield database


@pytest.fixture
def site(empty, tmp_path):
    with database_of(tmp_path / "home", like=empty) as database:
        yield Site(database)


def batches(tmp_path, make_object, count, folders):
    for number in range(1, count + 1):
        make_object(tmp_path / f"batch{number % folders}/{number}.dcm", f"1.2.3.1.{number}", InstanceNumber=number)
    return [tmp_path / f"batch{n}" for n in range(folders)]


def test_a_thousand_objects_arrive_over_several_associations(site, tmp_path, make_object):
    folders = batches(tmp_path, make_object, OBJECTS, 4)
    with site.listening():
        started = time.monotonic()
        senders = [subprocess.Popen(site.sender(folder), stdout=subprocess.DEVNULL) for folder in folders]
        assert [sender.wait() for sender in senders] == [0] * 4
        took_s = time.monotonic() - started
    assert len(site.stored()) == OBJECTS
    assert site.stored() == site.files()
    assert site.rows("SELECT instance_count FROM store_study") == [(OBJECTS,)]
    assert site.rows("SELECT origin, sum(new), sum(refused) FROM store_import GROUP BY origin") == [
        ("association", OBJECTS, 0)
    ]
    assert site.rows("SELECT count(*) FROM store_import WHERE ended_at IS NULL") == [(0,)]
    assert {a for (a,) in site.rows("SELECT action FROM audit_event")} == {"association.accepted", "import.ended"}
    assert took_s < 60


def test_a_listener_that_is_killed_has_lost_nothing_that_it_thanked_for_and_a_retry_completes(
    site, tmp_path, make_object
):
    (folder,) = batches(tmp_path, make_object, 150, 1)
    with site.listening() as listener:
        sender = subprocess.Popen(
            [*site.sender(folder), "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        while len(site.files()) < 40:
            time.sleep(0.01)
        listener.kill()
        said, _ = sender.communicate()
    thanked = said.count("Received Store Response (Success)")
    assert 0 < thanked <= len(site.stored()) < 150
    assert sender.returncode != 0
    with site.listening():
        assert site.send(folder).returncode == 0
    assert len(site.stored()) == 150
    assert site.stored() == site.files()
    assert site.rows("SELECT instance_count FROM store_study") == [(150,)]


def test_strangers_are_turned_away_and_noted(site, tmp_path, make_object):
    (folder,) = batches(tmp_path, make_object, 1, 1)
    with site.listening():
        assert site.send(folder, caller="STRANGER").returncode != 0
        assert site.send(folder, called="OTHER").returncode != 0
        assert site.send(folder, caller="ARCHIVE").returncode == 0
        echo = ["echoscu", "-aet", "CAMERA", "-aec", "HEVESY", "127.0.0.1", str(site.port)]
        assert subprocess.run(echo, check=False).returncode == 0
    assert len(site.stored()) == 1
    rejected = site.rows("SELECT subject FROM audit_event WHERE action = 'association.rejected'")
    assert len(rejected) == 2
    assert rejected[0][0].startswith("STRANGER at 127.0.0.1")


def test_an_object_that_contradicts_what_is_stored_is_not_thanked_for(site, tmp_path, make_object):
    first, second = tmp_path / "first", tmp_path / "second"
    make_object(first / "1.dcm", InstanceNumber=1)
    make_object(second / "1.dcm", InstanceNumber=2)
    with site.listening():
        assert site.send(first).returncode == 0
        assert site.send(first).returncode == 0  # once more is no harm
        assert site.send(second).returncode != 0
    assert len(site.stored()) == 1
    assert site.rows("SELECT new, duplicate, refused FROM store_import ORDER BY started_at") == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
    ]
