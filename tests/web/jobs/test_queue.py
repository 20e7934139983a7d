"""The queue: what is handed in once is done once, whoever dies meanwhile."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hevesy.errors import NoRoom, UnknownName
from hevesy.web.site.audit.models import Event
from hevesy.web.site.jobs import claims, queue
from hevesy.web.site.jobs.claims import MAX_ATTEMPTS, MAX_CRASHES, Lost, claim, take_up
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.jobs.models import Job, State

pytestmark = pytest.mark.django_db


def test_the_same_work_is_one_job_while_it_waits_runs_and_after_it_is_done(person):
    first = queue.submit("test.echo", {"a": 1, "b": 2}, person)
    assert queue.submit("test.echo", {"b": 2, "a": 1}, person) == first
    claim("worker")
    assert queue.submit("test.echo", {"a": 1, "b": 2}, None) == first
    take_up(lambda name: True)
    carry_out_waiting()
    done = queue.submit("test.echo", {"a": 1, "b": 2}, person)
    assert (done.pk, done.state, done.result) == (first.pk, State.DONE, {"given": {"a": 1, "b": 2}})


def test_other_arguments_another_kind_and_other_code_are_other_work(person, monkeypatch):
    first = queue.submit("test.echo", {"a": 1}, person)
    assert queue.submit("test.echo", {"a": 2}, person) != first
    assert queue.submit("test.refuse", {"a": 1}, person) != first
    monkeypatch.setattr(queue, "code_version", lambda: "another")
    assert queue.submit("test.echo", {"a": 1}, person) != first


def test_the_second_who_asks_for_the_same_may_see_and_cancel_it_too(person, django_user_model):
    other = django_user_model.objects.create_user("other", role="physicist")
    stranger = django_user_model.objects.create_user("stranger", role="physicist")
    job = queue.submit("test.echo", {}, person)
    queue.submit("test.echo", {}, other)
    for who, sees in ((person, True), (other, True), (stranger, False)):
        assert queue.visible_to(who).filter(pk=job.pk).exists() is sees
        assert queue.may_cancel(job, who) is sees


def test_what_failed_or_was_cancelled_may_be_handed_in_again(person):
    failed = queue.submit("test.refuse", {}, person)
    carry_out_waiting()
    cancelled = queue.cancel(queue.submit("test.echo", {}, person), person)
    assert queue.submit("test.refuse", {}, person) != failed
    assert queue.submit("test.echo", {}, person) != cancelled


def test_a_result_that_is_there_no_more_is_made_anew(person):
    job = queue.submit("test.echo", {"new": True}, person)
    carry_out_waiting()
    folder = queue.result_folder(job.fingerprint)
    folder.rename(folder.with_name("elsewhere"))
    again = queue.submit("test.echo", {"new": True}, person)
    job.refresh_from_db()
    assert (again.state, job.state) == (State.WAITING, State.REMOVED)


def test_an_unknown_kind_is_refused_with_those_there_are(person):
    with pytest.raises(UnknownName, match=r"no kind of job 'test\.nothing'.*test\.echo"):
        queue.submit("test.nothing", {}, person)


def test_nothing_new_is_taken_when_the_budget_is_spent(person, settings):
    settings.DISK_GB = 1e-9
    with pytest.raises(NoRoom, match="raise HEVESY_DISK_GB"):
        queue.submit("test.echo", {}, person)


def test_nothing_new_is_taken_when_the_disk_is_nearly_full(person, monkeypatch):
    monkeypatch.setattr(queue.disk, "LEAST_FREE", 10**18)
    with pytest.raises(NoRoom, match="Make room"):
        queue.submit("test.echo", {}, person)


def test_first_come_first_served_and_each_to_one_worker(person):
    jobs = [queue.submit("test.echo", {"n": n}, person) for n in range(3)]
    assert [claim(f"worker {n}").job for n in range(3)] == [job.pk for job in jobs]
    assert claim("a fourth") is None


def test_what_was_ended_twice_for_being_no_light_job_is_done_as_any_other(person):
    job = queue.submit("test.moment", {}, person)
    for _ in range(2):
        assert claim("of others", light=False) is None
        assert claim("of light ones", light=True).job == job.pk
        take_up(lambda name: True)
    assert claim("of light ones", light=True) is None
    assert claim("of others", light=False).job == job.pk


def test_a_job_whose_lease_ran_out_is_taken_up_and_its_first_worker_may_write_no_more(person):
    job = queue.submit("test.echo", {}, person)
    first = claim("slow")
    assert take_up(lambda name: False) == 0
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert take_up(lambda name: False) == 1
    second = claim("quick")
    assert (second.job, second.attempt) == (job.pk, 2)
    for write in (first.renew, first.cancel_asked, first.end_cancelled, first.release):
        with pytest.raises(Lost):
            write()
    with pytest.raises(Lost):
        first.finish({}, published=False)
    second.finish({"by": "quick"}, published=False)
    job.refresh_from_db()
    assert job.result == {"by": "quick"}


def test_a_renewed_lease_is_not_taken_up(person):
    queue.submit("test.echo", {}, person)
    held = claim("worker")
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    held.renew()
    assert take_up(lambda name: False) == 0


def test_the_job_of_a_worker_known_to_be_dead_is_taken_up_at_once(person):
    queue.submit("test.echo", {}, person)
    claim("dead")
    assert take_up(lambda name: name == "dead") == 1


def test_a_job_that_was_begun_too_often_fails_with_a_line(person):
    job = queue.submit("test.echo", {}, person)
    for _ in range(MAX_ATTEMPTS):
        claim("mortal")
        take_up(lambda name: True)
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert f"interrupted {MAX_ATTEMPTS} times" in job.error


def test_a_job_whose_process_dies_of_itself_again_and_again_fails_and_keeps_its_last_words(person):
    job = queue.submit("test.echo", {}, person)
    for _ in range(MAX_CRASHES):
        claim("worker").crashed("Fatal Python error: Segmentation fault")
    job.refresh_from_db()
    assert (job.state, job.fault) == (State.FAILED, "Fatal Python error: Segmentation fault")
    assert "Segmentation" not in job.error


def test_a_waiting_job_is_cancelled_at_once_and_never_begun(person):
    job = queue.cancel(queue.submit("test.echo", {}, person), person)
    assert job.state == State.CANCELLED
    assert claim("worker") is None


def test_a_running_job_sees_the_wish_to_cancel_and_a_dead_workers_one_is_not_begun_again(person):
    job = queue.submit("test.echo", {}, person)
    held = claim("worker")
    assert queue.cancel(job, person).state == State.RUNNING
    assert held.cancel_asked()
    take_up(lambda name: True)
    job.refresh_from_db()
    assert (job.state, job.error) == (State.CANCELLED, "Cancelled by somebody.")


def test_a_job_that_has_ended_stays_as_it_is(person):
    job = queue.submit("test.echo", {}, person)
    carry_out_waiting()
    assert queue.cancel(job, person).state == State.DONE


def test_what_a_kind_writes_of_its_result_is_written_with_it_or_not_at_all(person, kind, django_user_model):
    def commit(job, result):
        django_user_model.objects.create_user(result["name"])
        if result["name"] == "bad":
            raise RuntimeError("no")

    kind("test.named", commit=commit)(lambda task: {"name": task.arguments["name"]})
    good, bad = (queue.submit("test.named", {"name": name}, person) for name in ("good", "bad"))
    carry_out_waiting()
    good.refresh_from_db(), bad.refresh_from_db()
    assert (good.state, bad.state) == (State.DONE, State.FAILED)
    assert list(django_user_model.objects.filter(username__in=("good", "bad")).values_list("username")) == [("good",)]


def test_a_refusal_is_shown_as_it_is_and_a_fault_as_one_plain_line(person):
    refused, broken = queue.submit("test.refuse", {}, person), queue.submit("test.fault", {}, person)
    carry_out_waiting()
    refused.refresh_from_db(), broken.refresh_from_db()
    assert refused.error == "The leaf is not green. Give a green leaf."
    assert "secret" not in broken.error
    assert "ZeroDivisionError: a secret of the software" in broken.fault


def test_a_claim_is_for_the_lease_that_is_promised(person):
    queue.submit("test.echo", {}, person)
    claim("worker")
    left = Job.objects.get().lease_until - timezone.now()
    assert timedelta(0) < left <= claims.LEASE


def test_who_submitted_and_who_cancelled_is_on_record(person):
    job = queue.cancel(queue.submit("test.echo", {}, person), person)
    queue.cancel(job, person)
    told = Event.objects.filter(action__startswith="job.").values_list("action", "actor_name", "subject")
    subject = f"test.echo {job.pk}"
    assert list(told) == [("job.submitted", "somebody", subject), ("job.cancelled", "somebody", subject)]
