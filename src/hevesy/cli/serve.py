"""``hevesy serve``: the workbench on this machine."""

from __future__ import annotations

import argparse
import os


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy serve``."""
    command.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1", help="address to listen at (default: this machine alone)"
    )
    command.add_argument("--port", metavar="N", type=int, default=8000, help="port to listen at (default: 8000)")


def run(options: argparse.Namespace) -> None:
    """Bring the database up to date and serve until stopped."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hevesy.web.site.settings")
    import django
    import uvicorn
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    print(f"Hevesy listens at http://{options.host}:{options.port} (stop with Ctrl+C)")
    uvicorn.run("hevesy.web.site.asgi:application", host=options.host, port=options.port, log_level="warning")
