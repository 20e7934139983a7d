"""What a job's function is given: words that are not lost and do not flood, and numbers that a person can read."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hevesy.web.site.jobs import task as module
from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.jobs.supervisor import threads_for
from hevesy.web.site.jobs.task import Order, Task
from hevesy.web.site.jobs.templatetags.job_tags import in_words


class Heard(list):
    def report(self, progress, step, log):
        self.append((progress, step, log))


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def task(heard, tmp_path):
    return Task(Order("kind", {}, "0" * 64), tmp_path, tmp_path, heard)


def test_ten_thousand_calls_in_a_second_are_few_writes(task, heard, clock):
    for n in range(10_000):
        clock.now += 1e-4
        task.progress(n / 10_000, "one step")
    assert 2 <= len(heard) <= 4


def test_a_new_step_is_told_at_once_since_it_may_be_the_last_word_for_an_hour(task, heard, clock):
    task.progress(0.0, "reading")
    task.progress(0.1, "computing")
    assert [step for _, step, _ in heard] == ["reading", "computing"]


def test_steps_that_change_all_the_time_do_not_flood_either(task, heard, clock):
    for n in range(10_000):
        clock.now += 1e-3
        task.progress(n / 10_000, f"slice {n}")
    assert len(heard) <= 20 + 10 * 2 + 1


def test_the_log_grows_and_keeps_its_order(task, heard, clock):
    task.log("first")
    task.log("second")
    task.flush()
    assert [line.split(" ", 1)[1] for line in heard[-1][2].splitlines()] == ["first", "second"]


@pytest.mark.parametrize(("given", "told"), [(-0.1, 0.0), (1.7, 1.0), (None, None), (0.25, 0.25)])
def test_a_fraction_is_between_nothing_and_all(task, heard, given, told):
    task.progress(given, "step")
    assert heard[-1][0] == told


def test_the_time_left_follows_the_pace_so_far_and_runs_down():
    now = timezone.now()
    job = Job(state=State.RUNNING, progress=0.25, started_at=now - timedelta(seconds=40))
    job.progress_at = now - timedelta(seconds=10)
    assert job.remaining.total_seconds() == pytest.approx(
        3 * 30 - 10, abs=1.0
    )  # s; a slow machine reads the clock late


@pytest.mark.parametrize("progress", [None, 0.0])
def test_no_time_is_named_where_nobody_knows(progress):
    now = timezone.now()
    job = Job(state=State.RUNNING, progress=progress, started_at=now - timedelta(seconds=60), progress_at=now)
    assert job.remaining is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 second"), (89, "89 seconds"), (600, "10 minutes"), (7500, "2 h 5 min")]
)
def test_a_duration_is_said_as_people_say_it(seconds, words):
    assert in_words(timedelta(seconds=seconds)) == words


def test_workers_share_the_processors():
    alone = threads_for(1)
    assert alone >= 1
    assert threads_for(2) == max(1, alone // 2)
    assert threads_for(1000) == 1
