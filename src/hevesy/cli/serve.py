"""``hevesy serve``: the workbench on this machine."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from hevesy.cli.browser import has_screen, show_when_ready
from hevesy.errors import BadConfiguration

if TYPE_CHECKING:
    from hevesy.web.site.jobs.supervisor import Workers


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy serve``."""
    command.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1", help="address to listen at (default: this machine alone)"
    )
    command.add_argument("--port", metavar="N", type=int, default=8000, help="port to listen at (default: 8000)")
    command.add_argument(
        "--workers", metavar="N", type=int, default=1, help="processes that compute (default: 1; 0 leaves it to others)"
    )


def prepare_site() -> None:
    """Make the site's settings, models and kinds of jobs known to this process.

    Raises
    ------
    BadConfiguration
        If what the site needs is not installed.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hevesy.web.site.settings")
    try:
        import django
    except ModuleNotFoundError:
        raise BadConfiguration("The site needs Django.", "Install it: pip install 'hevesy[web]'.") from None
    django.setup()


def run(options: argparse.Namespace) -> None:
    """Bring the database up to date, start the workers, and serve until stopped."""
    if options.workers < 0:
        raise BadConfiguration(f"--workers {options.workers}: give 0 or more.")
    prepare_site()
    import uvicorn
    from django.conf import settings
    from django.core.management import call_command

    from hevesy.web.site.accounts.links import first_start_link
    from hevesy.web.site.jobs import scratch

    call_command("migrate", verbosity=0)
    scratch.clear(settings.HOME.scratch)
    groups = _start_others(options.workers)
    address = f"http://{options.host}:{options.port}"
    print(f"Hevesy listens at {address} (stop with Ctrl+C)", flush=True)
    link = first_start_link(address)
    if link:
        print(f"Nobody has an account yet. Make the administrator here: {link}", flush=True)
    if sys.stdout.isatty() and has_screen():
        show_when_ready(link or address, f"{address}/health")
    for number in (signal.SIGINT, signal.SIGTERM):
        # the server stops at these by itself, and then raises them anew, which must not keep us from what follows
        signal.signal(number, lambda *_: None)
    try:
        # pages that follow a job hold their connection open; a server that stops does not wait for them
        uvicorn.run(
            "hevesy.web.site.asgi:application",
            host=options.host,
            port=options.port,
            log_level="warning",
            timeout_graceful_shutdown=3,
        )
    finally:
        for group in groups:
            group.stop()


def _start_others(workers: int) -> list[Workers]:
    """Start the workers, and the DICOM listener where the environment asks for one."""
    from hevesy.web.site.jobs.supervisor import Workers
    from hevesy.web.site.store.door import Door

    groups = [Workers(workers)]
    if Door.from_environment() is not None:
        groups.append(Workers(1, "listen"))
    for group in groups:
        group.start()
    return groups
