import hashlib
import shutil
from importlib.resources import files

import pytest

from hevesy.data import icrp107
from hevesy.errors import UnknownNuclide, UnreadableFile

FOLDER = files("hevesy.data.icrp107")


def test_all_nuclides_of_the_publication_are_there():
    assert len(icrp107.names()) == 1252  # ICRP Publication 107, abstract


def test_the_data_file_is_compact_and_matches_the_checksum_that_its_readme_states():
    content = (FOLDER / "nuclides.zip").read_bytes()
    assert len(content) < 3_000_000
    assert hashlib.sha256(content).hexdigest() in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_notice_stands_beside_the_data():
    assert "A. Endo and K.F. Eckerman" in (FOLDER / "LICENSE.ICRP-07").read_text(encoding="utf-8")


def test_a_damaged_data_file_is_refused(tmp_path, monkeypatch):
    for name in ("nuclides.zip", "nuclides.zip.sha256"):
        shutil.copy(str(FOLDER / name), tmp_path / name)
    damaged = bytearray((tmp_path / "nuclides.zip").read_bytes())
    damaged[1000] ^= 1
    (tmp_path / "nuclides.zip").write_bytes(damaged)
    monkeypatch.setattr(icrp107, "_FILE", tmp_path / "nuclides.zip")
    icrp107._verified.cache_clear()
    with pytest.raises(UnreadableFile, match="does not match its checksum"):
        icrp107._verified()


def test_only_exact_names_are_loaded():
    with pytest.raises(UnknownNuclide):
        icrp107.load("lu177")


def test_every_nuclide_can_be_loaded():
    for name in icrp107.names():
        assert icrp107.load(name).half_life.value > 0
