"""docs/reference/commands.md and the command line say the same."""

import argparse
import re
from pathlib import Path

import pytest

from hevesy.cli import COMMANDS, parser

PAGE = Path(__file__).parents[2] / "docs/reference/commands.md"


def documented():
    """Command → the options and arguments that its section of the page lists in its table."""
    sections = re.split(r"^## `hevesy (\w+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        command: set(re.findall(r"^\| `(--[\w-]+|[A-Z]+)", text, flags=re.MULTILINE))
        for command, text in zip(sections[::2], sections[1::2], strict=True)
    }


def offered(command):
    """The options and arguments that the parser of a command takes, but for help."""
    subparsers = next(a for a in parser(command)._actions if isinstance(a, argparse._SubParsersAction))
    actions = [a for a in subparsers.choices[command]._actions if a.dest != "help"]
    return {a.option_strings[-1] if a.option_strings else str(a.metavar or a.dest).upper() for a in actions}


def test_the_page_has_a_section_for_every_command_and_no_other():
    assert set(documented()) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented_and_every_documented_option_exists(command):
    assert documented()[command] == offered(command)
