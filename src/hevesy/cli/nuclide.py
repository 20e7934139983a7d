"""``hevesy nuclide``: half-life, emissions and daughters of a radionuclide."""

from __future__ import annotations

import argparse
import json
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hevesy.core import EmissionKind, Measured, Nuclide
from hevesy.data.icrp107 import NOTICE
from hevesy.data.nuclides import nuclide, read_half_lives
from hevesy.physics.decay import Chain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

KEV_PER_JOULE = 1 / 1.602176634e-16
SHOWN_PHOTONS = 12
#: softer photons stop where they are born and no camera sees them: they are counted, not listed
SOFT_KEV = 10.0
ELECTRONS = tuple(kind for kind in EmissionKind if kind.is_electron)
PHOTONS = tuple(kind for kind in EmissionKind if kind.is_photon)
_UNITS = (("y", 365.2422 * 86400.0), ("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("name", metavar="NUCLIDE", help="such as Lu-177, 177Lu or Tc99m")
    parser.add_argument("--chain", action="store_true", help="also show every descendant and the chain's energies")
    parser.add_argument("--json", action="store_true", help="print JSON, with every photon")
    parser.add_argument(
        "--half-lives", type=Path, metavar="FILE", help="YAML file of half-lives that replace those of ICRP 107"
    )


def run(options: argparse.Namespace) -> None:
    """Print what is known of one nuclide."""
    overrides = read_half_lives(options.half_lives) if options.half_lives else None
    find = partial(nuclide, overrides=overrides)
    found = find(options.name)
    facts = describe(found)
    if options.chain:
        facts["chain"] = describe_chain(Chain.of(found, find))
    if options.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        show(facts)


def describe(found: Nuclide) -> dict[str, Any]:
    """Return the facts of one nuclide: energies in keV per decay, photons by falling yield."""
    kinds = [kind for kind in EmissionKind if any(e.kind is kind for e in found.emissions)]
    photons = sorted((e for e in found.emissions if e.kind.is_photon), key=lambda e: -e.per_decay)
    return {
        "nuclide": found.name,
        "half_life_s": {"value": found.half_life.value, "u": found.half_life.u},
        "emissions": [
            {
                "kind": kind.value,
                "per_decay": math.fsum(e.per_decay for e in found.emissions if e.kind is kind),
                "energy_per_decay_keV": _keV(found, kind),
            }
            for kind in kinds
        ],
        "electrons_keV": _keV(found, *ELECTRONS),
        "photons_keV": _keV(found, *PHOTONS),
        "photons": [
            {"kind": e.kind.value, "energy_keV": _significant(e.energy_J * KEV_PER_JOULE), "per_decay": e.per_decay}
            for e in photons
        ],
        "daughters": [{"name": d.name, "branching": d.branching, "mode": d.mode} for d in found.daughters],
        "source": found.source,
        "notice": NOTICE,
    }


def describe_chain(chain: Chain) -> dict[str, Any]:
    """Return each member's decays per decay of the parent, until all has decayed, and the energies they add."""
    decays = chain.decays_to_infinity()
    per_parent = (decays / decays[0]).tolist()
    members = [
        {
            "name": member.name,
            "half_life_s": {"value": member.half_life.value, "u": member.half_life.u},
            "decays_per_decay_of_parent": share,
            "alphas_keV": share * _keV(member, EmissionKind.ALPHA, EmissionKind.ALPHA_RECOIL),
            "electrons_keV": share * _keV(member, *ELECTRONS),
            "photons_keV": share * _keV(member, *PHOTONS),
        }
        for member, share in zip(chain.nuclides, per_parent, strict=True)
    ]
    totals = {key: math.fsum(m[key] for m in members) for key in ("alphas_keV", "electrons_keV", "photons_keV")}
    return {"members": members, "total_per_decay_of_parent": totals}


def show(facts: dict[str, Any]) -> None:
    """Print the facts as tables: ruled on a terminal, plain where piped."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=120)
    half_life = facts["half_life_s"]
    console.print(f"[bold]{facts['nuclide']}[/bold]   half-life {half_life_text(**half_life)}")
    if not half_life["u"]:
        console.print("The source states no uncertainty of the half-life; --half-lives supplies one.")
    _headed(console, "Energy by kind of emission", _energies(console, facts))
    photons = [photon for photon in facts["photons"] if photon["energy_keV"] >= SOFT_KEV]
    if photons:
        title = f"Principal photons (the {min(SHOWN_PHOTONS, len(photons))} likeliest of {len(photons)} above 10 keV)"
        _headed(console, title, _photons(console, photons[:SHOWN_PHOTONS]))
    _headed(console, "Daughters", _daughters(console, facts["daughters"]))
    if "chain" in facts:
        title = "Chain, until all has decayed where it was: keV per decay of the parent"
        _headed(console, title, _members(console, facts["chain"]))
    console.print(f"\nSource: {facts['source']}.", soft_wrap=True)
    console.print(facts["notice"], soft_wrap=True)


def half_life_text(value: float, u: float) -> str:
    """Return a half-life (s) in the largest unit that leaves it above 1, such as ``"6.647 d"``."""
    unit, seconds = next(((name, size) for name, size in _UNITS if value >= size), ("µs", 1e-6))
    shown = Measured(value / seconds, u / seconds, unit)
    return f"{shown.value:.6g} ± {shown.u:.2g} {unit}" if u else f"{shown.value:.6g} {unit}"


def _energies(console: Console, facts: dict[str, Any]) -> Table:
    table = _table(console, "kind", "keV per decay", "number per decay")
    for row in facts["emissions"]:
        table.add_row(row["kind"], f"{row['energy_per_decay_keV']:.5g}", f"{row['per_decay']:.5g}")
    table.add_row("all electrons and positrons", f"{facts['electrons_keV']:.5g}", "")
    table.add_row("all photons", f"{facts['photons_keV']:.5g}", "")
    return table


def _photons(console: Console, photons: list[dict[str, Any]]) -> Table:
    table = _table(console, "kind", "keV", "% per decay")
    for photon in photons:
        table.add_row(photon["kind"], f"{photon['energy_keV']:.5g}", f"{100 * photon['per_decay']:.4g}")
    return table


def _daughters(console: Console, daughters: list[dict[str, Any]]) -> Table:
    table = _table(console, "nuclide", "% of decays", "mode")
    for daughter in daughters:
        name = "fission products" if daughter["name"] == "SF" else daughter["name"]
        table.add_row(name, f"{100 * daughter['branching']:.6g}", daughter["mode"])
    return table


def _members(console: Console, chain: dict[str, Any]) -> Table:
    columns = ("nuclide", "half-life", "decays per decay of the parent", "alphas", "electrons", "photons")
    table = _table(console, *columns)
    energies = ("alphas_keV", "electrons_keV", "photons_keV")
    for member in chain["members"]:
        share = f"{member['decays_per_decay_of_parent']:.5g}"
        numbers = (f"{member[key]:.5g}" for key in energies)
        table.add_row(member["name"], half_life_text(**member["half_life_s"]), share, *numbers)
    totals = chain["total_per_decay_of_parent"]
    table.add_row("total", "", "", *(f"{totals[key]:.5g}" for key in energies))
    return table


def _headed(console: Console, title: str, table: Table) -> None:
    console.print(f"\n[bold]{title}[/bold]")
    console.print(table)


def _table(console: Console, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    style = box.SIMPLE_HEAD if console.is_terminal else None
    table = Table(box=style, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="left" if column in ("kind", "nuclide", "half-life", "mode") else "right")
    return table


def _keV(found: Nuclide, *kinds: EmissionKind) -> float:
    return _significant(found.energy_per_decay_J(*kinds) * KEV_PER_JOULE)


def _significant(value: float) -> float:
    """Return a number with the twelve digits that a change of unit leaves exact."""
    return float(f"{value:.12g}")
