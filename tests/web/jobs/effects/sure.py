"""What is submitted before the killing, and what must be true after it."""

from collections import Counter
from uuid import UUID

STEPS = 12


def submit(count):
    from hevesy.web.site.jobs.queue import submit

    jobs = [submit("effects.steps", {"number": n, "steps": STEPS, "pause": 0.1}, None) for n in range(count)]
    return [str(job.pk) for job in jobs]


def submit_some():
    return submit(8)


def submit_many():
    return submit(30)


def check(jobs):
    from effects.models import Effect
    from hevesy.web.site.jobs.models import Job
    from hevesy.web.site.jobs.queue import result_folder

    took_effect = Counter(Effect.objects.values_list("job", flat=True))
    assert took_effect == Counter(map(UUID, jobs)), took_effect
    for job in Job.objects.all():
        files = sorted(result_folder(job.fingerprint).iterdir())
        assert len(files) == STEPS, (job.pk, files)
        assert {file.stat().st_size for file in files} == {1000}


def submit_far(steps):
    from hevesy.web.site.jobs.queue import submit

    return submit("effects.far", {"number": 0, "steps": steps}, None).pk.hex


def cancel(job):
    from hevesy.web.site.jobs.models import Job
    from hevesy.web.site.jobs.queue import cancel

    cancel(Job.objects.get(pk=job), None)


def submit_one(kind):
    from hevesy.web.site.jobs.queue import submit

    return submit(kind, {}, None).pk.hex


def submit_moment(number):
    from hevesy.web.site.jobs.queue import submit

    return submit("effects.moment", {"number": number}, None).pk.hex


def states():
    from hevesy.web.site.jobs.models import Job

    return list(Job.objects.values_list("state", flat=True))


def attempts():
    from hevesy.web.site.jobs.models import Job

    return list(Job.objects.values_list("attempts", flat=True))
