"""``hevesy worker``: computes what the workbench has been asked for."""

from __future__ import annotations

import argparse
import os
import signal

from hevesy.cli.serve import prepare_site


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy worker``."""
    command.add_argument(
        "--threads", metavar="N", type=int, help="threads that a job computes with (default: all processors)"
    )


def run(options: argparse.Namespace) -> None:
    """Do one job after another until stopped."""
    prepare_site()
    from hevesy.web.site.jobs.guard import die_with_parent
    from hevesy.web.site.jobs.supervisor import LIFELINE, threads_for
    from hevesy.web.site.jobs.worker import Worker

    lifeline = os.environ.pop(LIFELINE, None)
    if lifeline is not None:
        die_with_parent(os.getppid(), int(lifeline))
    worker = Worker(options.threads or threads_for(1))
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.run()
