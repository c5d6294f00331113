"""`darkroom providers`: the outside services."""

import json
import sys
from typing import TYPE_CHECKING

import click

from darkroom.settings import Settings

if TYPE_CHECKING:
    from darkroom.providers.checking import Check

SIGNS = {
    "ok": "[green]ok[/]",
    "warn": "[yellow]warn[/]",
    "fail": "[bold]FAIL[/]",
    "unset": "[dim]unset[/]",
}


@click.group()
def providers() -> None:
    """The outside services: do they answer?"""


@providers.command("check")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_obj
def check(settings: Settings, as_json: bool) -> None:
    """Make a harmless call to each and say what is wrong; exit code 1 if one does not work.

    Where we have no key it is the sandbox that is asked.
    """
    from darkroom.providers import checking

    found = list(checking.check(settings))
    if as_json:
        click.echo(json.dumps([each.as_json() for each in found], indent=2))
    else:
        _print(found)
    if any(each.level == "fail" for each in found):
        sys.exit(1)


def _print(found: "list[Check]") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "provider", "", "how it is", box=None, pad_edge=False)
    for each in found:
        which = "[magenta]SANDBOX[/]" if each.is_sandbox else ""
        table.add_row(SIGNS[each.level], each.provider, which, escape(each.said))
    Console().print(table)
