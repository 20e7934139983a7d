"""The front door: parse, call one recipe, show what came back."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
import warnings
from collections.abc import Sequence

from hevesy import __version__
from hevesy.errors import HevesyError, exit_code

#: command → (module that holds `configure(parser)` and `run(arguments)`, one line of help)
COMMANDS = {
    "audit": ("hevesy.cli.audit", "check or export the site's record of who saw and changed what"),
    "calibrate": ("hevesy.cli.calibrate", "calibration factor of a camera, from scans of a known activity"),
    "check": ("hevesy.cli.check", "what a dose of a case still needs, and the key of case.yaml that supplies it"),
    "course": ("hevesy.cli.course", "what the cycles of a treatment add up to, with limits in use"),
    "curves": ("hevesy.cli.curves", "time-activity curves and their fits, without the dose"),
    "deidentify": ("hevesy.cli.deidentify", "images that name nobody, with SUV and times between dates intact"),
    "dose": ("hevesy.cli.dose", "absorbed doses of one patient, from DICOM to report"),
    "dosemap": ("hevesy.cli.dosemap", "absorbed dose from an image of time-integrated activity"),
    "inspect": ("hevesy.cli.inspect", "list what a folder of images holds and what a dose still needs"),
    "instruments": ("hevesy.cli.instruments", "cameras and collimators side by side, before one is bought"),
    "kernel": ("hevesy.cli.kernel", "voxel S-values of a radionuclide for any voxel and medium"),
    "listen": ("hevesy.cli.listen", "take in what scanners and archives send by DICOM"),
    "nuclide": ("hevesy.cli.nuclide", "half-life, emissions and daughters of a radionuclide"),
    "protocol": ("hevesy.cli.protocol", "score schedules of scans on simulated patients"),
    "quality": ("hevesy.cli.quality", "quality control of a gamma camera, from images of phantoms and sources"),
    "reconstruct": ("hevesy.cli.reconstruct", "an image from SPECT projections"),
    "segment": ("hevesy.cli.segment", "kidneys, liver and spleen of a case, to be confirmed by a person"),
    "serve": ("hevesy.cli.serve", "start the workbench: a page in the browser, on this machine"),
    "simulate": ("hevesy.cli.simulate", "what a SPECT camera would count of a known activity"),
    "tia": ("hevesy.cli.tia", "time-integrated activity of regions, from a table of curves"),
    "worker": ("hevesy.cli.worker", "compute what the workbench has been asked for"),
}


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the command line's parser; with `only`, the other commands are named but not loaded."""
    top = argparse.ArgumentParser(
        prog="hevesy",
        description="Nuclear theranostics from images to absorbed dose. Research and education; not a medical device.",
    )
    top.add_argument("--version", action="version", version=f"hevesy {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        # an option cut short could be taken for another one, with another unit
        command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".", allow_abbrev=False)
        command.add_argument("--debug", action="store_true", help="show the traceback of a refusal")
        if only in (None, name):
            importlib.import_module(module).configure(command)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or that of the refusal (see ``hevesy.errors.STATUS``)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser(given[0] if given and given[0] in COMMANDS else None).parse_args(given)
    try:
        with warnings.catch_warnings():
            # badly written values are judged where they are used; a person reads our line, not the library's
            warnings.filterwarnings("ignore", module=r"pydicom\.")
            importlib.import_module(COMMANDS[options.command][0]).run(options)
    except HevesyError as error:
        if options.debug:
            traceback.print_exc()
        print(f"hevesy {options.command}: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        print(f"hevesy {options.command}: stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0
