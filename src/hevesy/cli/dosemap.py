"""``hevesy dosemap``: dose from an image of time-integrated activity."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from hevesy.cli.seed import seed
from hevesy.errors import BadInput

if TYPE_CHECKING:
    from hevesy.workflows.dosemap import Mapped, Settings


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy dosemap``."""
    add = command.add_argument
    add("tia", metavar="TIA", type=Path, help="time-integrated activity, Bq·s/mL: NIfTI or .npz")
    add("--nuclide", metavar="NAME", required=True, help="such as Y-90")
    add("--out", metavar="DIR", type=Path, required=True, help="folder for the results")
    add("--density", metavar="FILE", type=Path, help="mass density, g/cm³")
    add("--ct", metavar="FILE", type=Path, help="CT numbers, from which density and tissue follow")
    add("--materials", metavar="FILE", type=Path, help="labels of materials")
    add("--material-table", metavar="FILE", type=Path, help="JSON from label to name, density_g_cm3, mass_fractions")
    add("--engine", metavar="NAME", default="mc", help="dose engine (default: mc)")
    add("--uncertainty", metavar="P", help="run until the mean of every region is known this well, such as 1%%")
    add("--in", metavar="FILE", dest="regions", type=Path, help="labels of the regions; all activity if absent")
    add("--histories", metavar="N", type=float, help="run this many histories (default: 2,000,000)")
    add("--time", metavar="S", type=float, help="run this long, s")
    add("--seed", metavar="S", type=seed, default=1, help="seed of the random numbers (default: 1)")
    add("--threads", metavar="N", type=int, default=0, help="threads (default: all processors)")
    add("--device", choices=("cpu", "cuda", "auto"), default="cpu", help="what computes (default: cpu)")
    add("--checkpoint", metavar="FILE", type=Path, help="keep the simulation here, and go on with it if it is there")
    add("--without-daughters", action="store_true", help="the nuclide alone")
    add(
        "--daughter-tia",
        metavar="NAME=FILE",
        action="append",
        default=[],
        help="time-integrated activity of a daughter that does not decay in place; for each such daughter",
    )
    add("--follow-all", action="store_true", help="follow also the electrons that photons set free")
    add("--analog", action="store_true", help="no reduction of variance at all")


def run(options: argparse.Namespace) -> None:
    """Compute the dose, write it, and print the summary."""
    from hevesy.cli.progress import steps
    from hevesy.stages.imaging import nifti
    from hevesy.workflows.delivery import delivering
    from hevesy.workflows.dosemap import Files, map_dose, write_npz

    files = Files(
        options.tia,
        options.density,
        options.ct,
        options.materials,
        options.material_table,
        options.regions,
        tuple(_daughter(text) for text in options.daughter_tia),
    )
    with steps() as progress, delivering(options.out) as folder:
        mapped = map_dose(options.nuclide, files, _settings(options), progress)
        progress("writing")
        if options.tia.suffix == ".npz":
            write_npz(mapped, folder / "dose.npz")
        else:
            name = mapped.summary["nuclide"]
            nifti.write(mapped.dose, folder / "dose.nii.gz", nuclide=name)
            if mapped.relative_uncertainty is not None:
                nifti.write(mapped.relative_uncertainty, folder / "relative_uncertainty.nii.gz", nuclide=name)
        text = json.dumps(mapped.summary, indent=2, ensure_ascii=False)
        (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    _show(mapped)


def _settings(options: argparse.Namespace) -> Settings:
    from hevesy.stages.dosimetry.monte_carlo import Physics
    from hevesy.stages.dosimetry.simulation import Device, Stop
    from hevesy.workflows.dosemap import DEFAULT_HISTORIES, Settings

    given = [options.uncertainty, options.histories, options.time]
    histories = int(options.histories) if options.histories is not None else None
    if all(value is None for value in given):
        histories = DEFAULT_HISTORIES
    stop = Stop(histories, _fraction(options.uncertainty), options.time)
    physics = Physics.analog() if options.analog else Physics(kerma=not options.follow_all)
    return Settings(
        engine=options.engine,
        daughters=not options.without_daughters,
        stop=stop,
        physics=physics,
        seed=options.seed,
        threads=options.threads,
        device=Device(options.device),
        checkpoint=options.checkpoint,
    )


def _daughter(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not (name and path):
        raise BadInput(f"'{text}' names no daughter and its file.", "Write --daughter-tia Bi-212=FILE.")
    return name, Path(path)


def _fraction(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise BadInput(f"An uncertainty cannot be '{text}'.", "Write 1% or 0.01.")
    return value


def _show(mapped: Mapped) -> None:
    summary = mapped.summary
    print(summary["method"])
    for name, region in summary.get("regions", {}).items():
        u = region["relative_uncertainty"]
        print(f"{name}: {region['mean_dose_Gy']:.5g} Gy" + (f" ± {u:.2%}" if u is not None else ""))
    if "histories" in summary:
        rate = summary["histories_per_second"]
        where = "a CUDA device" if summary["device"] == "cuda" else f"{summary['threads']} threads"
        print(f"{summary['seconds']:.1f} s, {rate:,.0f} histories/s on " + where)
