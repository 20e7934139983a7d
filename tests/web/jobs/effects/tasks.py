import os
import signal
import subprocess
import time

from hevesy.web.site.jobs.registry import Effort, job


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


@job("effects.far", effort=Effort.HEAVY, commit=count)
def far(task):
    """Say where this is computed, for as long as asked."""
    folder = task.scratch / "result"
    folder.mkdir()
    for n in range(task.arguments["steps"]):
        task.progress(n / task.arguments["steps"], f"step {n}")
        time.sleep(0.1)
    (folder / "where").write_text(os.environ.get("COMPUTES_FOR_OTHERS", ""), encoding="ascii")
    task.publish(folder)
    return {"number": task.arguments["number"], "where": os.environ.get("COMPUTES_FOR_OTHERS", "")}


@job("effects.moment", effort=Effort.LIGHT)
def moment(task):
    """Take a moment, and say in which process."""
    return {"process": os.getpid(), "number": task.arguments.get("number")}


@job("effects.crash")
def crash(task):
    """Die as a fault in compiled code does."""
    os.kill(os.getpid(), signal.SIGSEGV)


@job("effects.deaf")
def deaf(task):
    """Never look whether somebody asked to cancel."""
    task.progress(None, "deaf")
    while True:
        time.sleep(10)
