"""`darkroom doctor`: examine this installation."""

import json
import sys
from typing import TYPE_CHECKING

import click

from darkroom.settings import Settings

if TYPE_CHECKING:
    from darkroom.doctor.findings import Finding

SIGNS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "fail": "[bold]FAIL[/]"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> None:
    """Say what of this installation works and what does not; exit code 1 if something does not."""
    from darkroom.cli import load_jobs
    from darkroom.doctor import examine

    load_jobs()
    findings = examine(settings)
    healthy = not any(finding.level == "fail" for finding in findings)
    if as_json:
        told = {"healthy": healthy, "findings": [finding.as_json() for finding in findings]}
        click.echo(json.dumps(told, indent=2))
    else:
        _print(findings)
    if not healthy:
        sys.exit(1)


def _print(findings: "list[Finding]") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "what", "how it is", "what to do", box=None, pad_edge=False)
    for finding in findings:
        said, fix = escape(finding.said), escape(finding.fix)
        table.add_row(SIGNS[finding.level], finding.subject, said, fix)
    Console().print(table)
