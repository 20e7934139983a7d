import subprocess
import time

from hevesy.web.site.jobs.registry import job


def count(job, result):
    from effects.models import Effect

    Effect.objects.create(job=job.pk, number=result["number"])


@job("effects.steps", commit=count)
def steps(task):
    """Write a file a step, beside a process of its own, and publish the folder."""
    folder = task.scratch / "result"
    folder.mkdir()
    helper = subprocess.Popen(["sleep", "600"])
    for n in range(task.arguments["steps"]):
        task.progress(n / task.arguments["steps"], f"step {n}")
        (folder / f"{n}.txt").write_text("x" * 1000, encoding="ascii")
        time.sleep(task.arguments["pause"])
    helper.kill()
    helper.wait()
    task.publish(folder)
    return {"number": task.arguments["number"]}
