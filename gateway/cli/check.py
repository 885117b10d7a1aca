"""`tieout check`: a sweep, once, by hand."""

from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, deciding, out, print_json
from gateway.errors import ConfigError
from gateway.sweep import Sweep, sweep


def register(app: typer.Typer) -> None:
    app.command("check", epilog="Example: `tieout check --check invoice_not_in_erp --json`")(check)


def check(
    check: Annotated[list[str] | None, typer.Option(help="Only this check; may be repeated.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Run the checks over the latest snapshot and take what they find into the queue. Status 1 for findings."""
    installed = deciding(config)
    unknown = [name for name in check or () if name not in installed.ruleset.rules]
    if unknown:
        raise ConfigError(f"There is no check {', '.join(unknown)}; there are: {', '.join(installed.ruleset.rules)}.")
    done = sweep(installed, installed.clock(), check)
    if as_json:
        print_json(shown(done))
    else:
        _print(done)
    if done.findings():
        raise typer.Exit(Exit.BAD)


def shown(done: Sweep) -> dict[str, Any]:
    """A sweep for a script."""
    return {
        "snapshot": done.snapshot.id,
        "opened": done.intake.opened,
        "checks": [
            {
                "check": evaluation.check.id,
                "outcome": evaluation.outcome.value,
                "reason": evaluation.reason,
                "waiting": len(evaluation.waiting),
                "findings": [
                    {
                        "exception": done.intake.references.get(finding.fingerprint),
                        "record": str(finding.record),
                        "account": finding.account_key,
                        "severity": finding.severity.value,
                        "kind": finding.kind.value,
                        "amount": finding.amount,
                        "currency": finding.currency,
                        "message": finding.message,
                    }
                    for finding in evaluation.findings
                ],
            }
            for evaluation in done.evaluations
        ],
    }


def _print(done: Sweep) -> None:
    table = Table(box=None)
    for heading in ("check", "outcome", "findings", "reason"):
        table.add_column(heading, justify="right" if heading == "findings" else "left")
    for evaluation in done.evaluations:
        found = str(len(evaluation.findings) or "")
        table.add_row(evaluation.check.id, evaluation.outcome.value, found, evaluation.reason or "")
    out.print(table)
    out.print(f"{len(done.findings())} findings, {done.intake.opened} new cases.", highlight=False)
