import numpy as np
import pytest

from factories.dicom import CT, base
from hevesy.web.site.home import Home


@pytest.fixture
def home(settings, tmp_path):
    """A site's folder of this test's own."""
    settings.HOME = Home(tmp_path / "home")
    settings.HOME.prepare()
    return settings.HOME


@pytest.fixture
def make_object():
    """Write a small CT slice: one patient, study 1.2.3, series 1.2.3.1 unless told otherwise."""

    def write(path, uid="1.2.3.1.1", **tags):
        made = base(CT, "CT", np.zeros((4, 4), np.int16), SOPInstanceUID=uid, StudyInstanceUID="1.2.3")
        made.SeriesInstanceUID = "1.2.3.1"
        made.file_meta.MediaStorageSOPInstanceUID = uid
        made.StudyDate, made.StudyTime = "20240305", "101112"
        for keyword, value in tags.items():
            setattr(made, keyword, value)
        path.parent.mkdir(parents=True, exist_ok=True)
        made.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def physicist(django_user_model):
    return django_user_model.objects.create_user("physicist", role="physicist")
