import hashlib
import os
import time

import pytest

from hevesy.errors import UnknownName, UnreadableFile
from hevesy.web.site.store.files import FileStore


@pytest.fixture
def store(home):
    return FileStore.of_site()


def written(path, content):
    path.write_bytes(content)
    return path


def test_a_file_is_found_under_the_digest_of_its_bytes(store, tmp_path):
    name = store.put(written(tmp_path / "a", b"some bytes"))
    assert name == hashlib.sha256(b"some bytes").hexdigest()
    assert store.path_of(name).read_bytes() == b"some bytes"
    assert store.path_of(name).parent.name == name[:2]


def test_the_original_may_change_afterwards(store, tmp_path):
    name = store.put(written(tmp_path / "a", b"some bytes"))
    written(tmp_path / "a", b"other")
    assert store.path_of(name).read_bytes() == b"some bytes"
    assert store.verify([name]).changed == ()


def test_the_scratch_folder_is_left_empty(store, home, tmp_path):
    store.put(written(tmp_path / "a", b"1"))
    store.put(written(tmp_path / "a", b"1"))
    with store.hold(tmp_path / "a"):
        pass
    assert list(home.scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64])
def test_what_is_no_name_of_a_file_is_refused(store, name):
    with pytest.raises(UnknownName):
        store.path_of(name)


def test_a_missing_original_is_refused(store, tmp_path):
    with pytest.raises(UnreadableFile, match="No such file"):
        store.put(tmp_path / "absent")


def test_verify_names_what_is_missing_and_what_was_changed(store, tmp_path):
    names = [store.put(written(tmp_path / "a", content)) for content in (b"1", b"2", b"3")]
    store.path_of(names[0]).unlink()
    store.path_of(names[1]).chmod(0o600)
    store.path_of(names[1]).write_bytes(b"x")
    found = store.verify(names)
    assert found.missing == (names[0],)
    assert found.changed == (names[1],)


def test_only_what_is_old_and_unnamed_is_removed(store, tmp_path):
    named, young, old = (store.put(written(tmp_path / "a", content)) for content in (b"1", b"2", b"3"))
    long_ago = time.time() - 2 * 24 * 3600
    for name in (named, old):
        os.utime(store.path_of(name), (long_ago, long_ago))
    assert store.remove_unnamed({named}) == 1
    assert store.verify([named, young, old]).missing == (old,)


def test_what_is_put_again_is_young_again(store, tmp_path):
    name = store.put(written(tmp_path / "a", b"1"))
    os.utime(store.path_of(name), (0, 0))
    store.put(tmp_path / "a")
    assert store.remove_unnamed(set()) == 0
