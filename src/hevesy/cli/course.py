"""``hevesy course``: what the cycles of a treatment add up to."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy course``."""
    command.add_argument(
        "results",
        metavar="RESULTS",
        type=Path,
        nargs="+",
        help="folder that hevesy dose wrote for each cycle",
    )
    command.add_argument("--json", action="store_true", help="write one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Add up the cycles and list each region."""
    from hevesy.workflows.course import add_up, read_record

    found = add_up([read_record(folder) for folder in options.results])
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for region in found["regions"]:
        dose = region["absorbed_dose_Gy"]
        each = " + ".join(f"{one['dose_Gy']:.3g}" for one in region["cycles"])
        print(f"{region['name']}: {dose['value']:.3g} ± {dose['u']:.2g} Gy ({each})")
        if region["bed_Gy"] is not None:
            print(f"  BED {region['bed_Gy']:.3g} Gy, cycle by cycle ({region['tissue']['source']})")
        for limit in region["limits"]:
            seen = "read at its source" if limit["verified"] else "not verified"
            where = f"{limit['applies']}; {limit['source']}, {seen}"
            print(f"  {limit['percent']:.0f}% of {limit['limit_Gy']:g} Gy {limit['quantity']} ({where})")
        for note in region["notes"]:
            print(f"  {note}")
