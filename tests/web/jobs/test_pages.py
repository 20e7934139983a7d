"""Pages and API of jobs: each sees their own, and what a person reads is meant for them."""

import asyncio
import json

import pytest
from django.db import connection
from django.urls import reverse

from hevesy.web.site.access import CLINICAL
from hevesy.web.site.jobs import claims, live, queue
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.jobs.models import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(django_user_model):
    roles = {"owner": "physicist", "colleague": "physician", "learner": "learner", "boss": "administrator"}
    return {name: django_user_model.objects.create_user(name, role=role) for name, role in roles.items()}


@pytest.fixture
def failed(people):
    job = queue.submit("test.fault", {}, people["owner"])
    carry_out_waiting()
    return job


@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("colleague", 404), ("learner", 404), ("boss", 200)])
@pytest.mark.parametrize("name", ["jobs:detail", "jobs:state", "jobs:events"])
def test_a_job_is_there_for_its_owner_and_administrators_alone(client, people, failed, name, who, status):
    client.force_login(people[who])
    assert client.get(reverse(name, args=[failed.pk])).status_code == status


@pytest.mark.parametrize(("who", "count"), [("owner", 1), ("colleague", 0), ("boss", 1)])
def test_the_list_holds_the_jobs_that_one_may_see(client, people, failed, who, count):
    client.force_login(people[who])
    assert client.get("/jobs/").content.decode().count(str(failed.pk)) == count
    assert len(client.get("/api/jobs").json()) == count


def test_a_kind_may_be_shown_to_everybody_of_a_role(client, people, kind):
    kind("test.shared", shown_to=CLINICAL)(lambda task: {})
    job = queue.submit("test.shared", {}, people["owner"])
    for who, sees in (("colleague", 200), ("learner", 404)):
        client.force_login(people[who])
        assert client.get(f"/jobs/{job.pk}/").status_code == sees
    assert not queue.may_cancel(job, people["colleague"])


def test_the_traceback_is_for_the_administrator(client, people, failed):
    for who, sees in (("owner", False), ("boss", True)):
        client.force_login(people[who])
        page = client.get(f"/jobs/{failed.pk}/").content.decode()
        assert ("a secret of the software" in page) is sees
        assert "by a fault of the software" in page


def test_the_administrator_reads_what_room_there_is(client, people, settings):
    settings.DISK_GB = 500.0
    client.force_login(people["boss"])
    assert "It may take 465.7" in client.get("/jobs/").content.decode()  # 500 GB are 465.7 GiB, as Django counts
    client.force_login(people["owner"])
    assert "It may take" not in client.get("/jobs/").content.decode()


def test_cancelling_by_page_and_by_api_is_for_those_who_may(client, people):
    for address in ("/jobs/{}/cancel", "/api/jobs/{}/cancel"):
        job = queue.submit("test.echo", {"to": address}, people["owner"])
        for who, state in (("colleague", State.WAITING), ("owner", State.CANCELLED)):
            client.force_login(people[who])
            client.post(address.format(job.pk))
            job.refresh_from_db()
            assert job.state == state


def test_the_api_tells_of_a_job_what_its_owner_may_know(client, people):
    job = queue.submit("test.echo", {"a": 1}, people["owner"])
    carry_out_waiting()
    client.force_login(people["owner"])
    told = client.get(f"/api/jobs/{job.pk}").json()
    assert (told["state"], told["result"], told["progress"]) == ("done", {"given": {"a": 1}}, 1.0)
    assert "fault" not in told


def test_what_a_job_says_is_shown_as_text(people):
    job = queue.submit("test.echo", {}, people["owner"])
    claims.claim("worker").report(0.5, "<script>step</script>", "<b>log</b>")
    job.refresh_from_db()
    html = live.message(job)["html"]
    assert "&lt;script&gt;" in html
    assert "<b>" not in html


@pytest.mark.django_db(transaction=True)
def test_progress_is_streamed_within_two_seconds_until_the_job_ends(people):
    job = queue.submit("test.echo", {}, people["owner"])

    async def elsewhere(write, *arguments):
        def write_and_close():
            try:
                return write(*arguments)
            finally:
                connection.close()  # of the thread's own

        return await asyncio.to_thread(write_and_close)

    async def follow():
        told = []
        held = await elsewhere(claims.claim, "worker")
        stream = live.events(job.pk, "en")
        assert (await anext(stream)).startswith(b"retry:")
        for step in ("first", "second"):
            await elsewhere(held.report, 0.5, step, "")
            told.append(await asyncio.wait_for(anext(stream), 2.0))
        await elsewhere(held.finish, {}, False)
        told += [event async for event in stream]
        return [json.loads(event.removeprefix(b"data: ")) for event in told]

    first, second, last = asyncio.run(follow())
    assert [m["said"] for m in (first, second, last)] == ["Running: first 50%", "Running: second 50%", "Done."]
    assert [m["ended"] for m in (first, second, last)] == [False, False, True]
