"""``hevesy check``: what a dose of a case still needs, and the key of case.yaml that supplies it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy check``."""
    command.add_argument("case", metavar="CASE", type=Path, help="folder with the images of one administration")
    command.add_argument(
        "--config", metavar="FILE", type=Path, help="what the images do not say (default: CASE/case.yaml if there)"
    )
    command.add_argument("--json", action="store_true", help="write one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Check the case and list what was found."""
    from hevesy.workflows.case import load_case
    from hevesy.workflows.check import check_case

    found = check_case(options.case, load_case(options.case, options.config)).as_json()
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for one in found["findings"]:
        print(f"{one['kind']}: {one['text']}" + (f" [{', '.join(one['keys'])}]" if one["keys"] else ""))
    print("A dose can be computed." if found["ready"] else "No dose can be computed until the above is settled.")
