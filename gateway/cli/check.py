"""`tieout check`: a sweep, once, by hand; or one check put to the books and nothing done about what it finds."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from books.engine import Engine
from checks.contract import Mode, Outcome
from checks.findings import Evaluation, Finding
from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, deciding, out, print_json
from gateway.errors import ConfigError, Unavailable
from gateway.exceptions.queue import Intake
from gateway.installation import Installation
from gateway.sweep import Sweep, evaluate, sweep


def register(app: typer.Typer) -> None:
    app.command("check", epilog="Example: `tieout check --check invoice_not_in_erp --dry-run --rows`")(check)


def check(
    check: Annotated[list[str] | None, typer.Option(help="Only this check; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only ask: no case is opened, changed or closed.")] = False,
    rows: Annotated[bool, typer.Option("--rows", help="Print every finding with its arithmetic and evidence.")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only what may have changed since the last time.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Run the checks over the latest snapshot and take what they find into the queue.

    Status 1 for findings. With --check also where a named check did not pass for another reason, or is in shadow and
    found something: that is for CI.
    """
    installed = deciding(config)
    unknown = [name for name in check or () if name not in installed.ruleset.rules]
    if unknown:
        raise ConfigError(f"There is no check {', '.join(unknown)}; there are: {', '.join(installed.ruleset.rules)}.")
    if dry_run:
        done = _look(installed, check)
    else:
        done = sweep(installed, installed.clock(), check, changed_only=changed)
    if as_json:
        print_json(shown(done))
    else:
        _print(done)
    if rows and not as_json:
        for finding in done.findings():
            _print_finding(finding)
    passed = all(one.outcome is Outcome.PASSED for one in done.evaluations) if check else not _acting(done)
    if not passed:
        raise typer.Exit(Exit.BAD)


def _look(installed: Installation, only: Sequence[str] | None) -> Sweep:
    snapshot, now = installed.ledger.latest(), installed.clock()
    if snapshot is None:
        raise Unavailable("Nothing has been synchronised yet. Run `tieout sync` first.")
    with Engine.over(installed.store, snapshot) as engine:
        evaluations = evaluate(installed, engine, snapshot, now, only)
    return Sweep(snapshot, evaluations, Intake({}, 0, 0, {}))


def _acting(done: Sweep) -> list[Finding]:
    return [f for one in done.evaluations if one.check.mode is not Mode.SHADOW for f in one.findings]


def shown(done: Sweep) -> dict[str, Any]:
    """A sweep for a script."""
    return {
        "snapshot": done.snapshot.id,
        "opened": done.intake.opened,
        "checks": [
            {
                "check": evaluation.check.id,
                "mode": evaluation.check.mode.value,
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
                        "expected": finding.expected,
                        "actual": finding.actual,
                        "amount": finding.amount,
                        "currency": finding.currency,
                        "message": finding.message,
                        "arithmetic": finding.arithmetic,
                        "evidence": [str(record) for record in finding.evidence],
                    }
                    for finding in evaluation.findings
                ],
            }
            for evaluation in done.evaluations
        ],
    }


def _print(done: Sweep) -> None:
    table = Table(box=None)
    for heading in ("check", "mode", "outcome", "findings", "reason"):
        table.add_column(heading, justify="right" if heading == "findings" else "left")
    for evaluation in done.evaluations:
        table.add_row(*map(escape, _cells(evaluation)))
    out.print(table)
    acting = len(_acting(done))
    shadow = len(done.findings()) - acting
    more = f" {shadow} more of checks in shadow, which do not act." if shadow else ""
    out.print(f"{acting} findings, {done.intake.opened} new cases.{more}", highlight=False)


def _cells(evaluation: Evaluation) -> tuple[str, ...]:
    found = str(len(evaluation.findings) or "")
    check = evaluation.check
    return check.id, check.mode.value, evaluation.outcome.value, found, evaluation.reason or ""


def _print_finding(finding: Finding) -> None:
    out.print(f"\n[bold]{escape(str(finding.record))}[/] {finding.severity} {finding.kind}", highlight=False)
    for line in (finding.message, *finding.arithmetic.split("; ")):
        out.print(f"  {escape(line)}", highlight=False)
    seen = ", ".join(str(record) for record in finding.evidence)
    out.print(f"  [dim]evidence: {escape(seen)}[/]", highlight=False)
