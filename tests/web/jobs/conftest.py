import json
import time

import pytest

from hevesy.errors import BadInput
from hevesy.web.site.jobs import registry
from hevesy.web.site.jobs.registry import Effort, job


@job("test.echo")
def echo(task):
    """Publish a folder with what was given."""
    folder = task.scratch / "result"
    folder.mkdir()
    (folder / "given.json").write_text(json.dumps(task.arguments), encoding="ascii")
    task.progress(0.5, "writing")
    task.publish(folder)
    return {"given": task.arguments}


@job("test.moment", effort=Effort.LIGHT)
def moment(task):
    return {}


@job("test.refuse")
def refuse(task):
    raise BadInput("The leaf is not green.", "Give a green leaf.")


@job("test.fault")
def fault(task):
    raise ZeroDivisionError("a secret of the software")


@job("test.endless")
def endless(task):
    while True:
        task.progress(None, "turning")
        time.sleep(0.01)


@pytest.fixture
def person(db, django_user_model):
    return django_user_model.objects.create_user("somebody", role="physicist")


@pytest.fixture
def kind():
    """Register kinds for one test alone."""
    before = dict(registry._KINDS)
    yield job
    registry._KINDS.clear()
    registry._KINDS.update(before)
