"""``hevesy deidentify``: a folder of images made one that names nobody, with dosimetry intact."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy deidentify``."""
    command.add_argument("folder", metavar="FOLDER", type=Path, help="folder of DICOM images, however nested")
    command.add_argument("--out", metavar="DIR", type=Path, required=True, help="new folder for what names nobody")
    command.add_argument(
        "--key", metavar="FILE", type=Path, help="secret that pseudonyms follow from; made if there is none"
    )
    command.add_argument(
        "--results", metavar="DIR", type=Path, help="what 'hevesy dose' wrote of the one patient, to be copied too"
    )
    command.add_argument(
        "--leave-out", action="store_true", help="leave out what cannot be de-identified, such as captured screens"
    )


def run(options: argparse.Namespace) -> None:
    """De-identify the folder and say what was written and what was not."""
    from hevesy.cli.progress import steps
    from hevesy.workflows.sharing import Known, read_key, share

    pseudonyms = read_key(options.key)
    with steps() as progress:
        known = Known(results=options.results)
        shared = share(options.folder, options.out, pseudonyms, options.leave_out, progress, known)
    for patient, count in shared.objects.items():
        print(f"{patient}: {count} object{'' if count == 1 else 's'}")
    if shared.results:
        print(f"Results: {', '.join(shared.results)}")
    for why in shared.left_out:
        print(f"Left out: {why}")
    if shared.passed_over:
        print(f"{shared.passed_over} file{'' if shared.passed_over == 1 else 's'} that are no images were not copied.")
    print("SUV factors, decay factors and times between injection and scan are unchanged.")
    print("Faces can be made of images of a head; what is drawn in pixels was not looked for.")
