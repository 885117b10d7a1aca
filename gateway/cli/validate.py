"""`tieout validate`: ask the gate from the shell."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, installation, out, print_json
from gateway.errors import ConfigError
from gateway.installation import Installation
from gateway.prebill.opening import open_gate

EXAMPLE = "Example: `tieout validate BR-00000123 --dry-run --json`"


def register(app: typer.Typer) -> None:
    app.command("validate", epilog=EXAMPLE)(validate)


def validate(
    run: Annotated[str, typer.Argument(help="The invoice run, by id or number.")],
    system: Annotated[str | None, typer.Option(help="The billing source; needed only when there are several.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask without holding anything.")] = False,
    file: Annotated[Path | None, typer.Option(help="A request body to send instead of pulling the drafts.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Put an invoice run to the gate. Status 0: pass or warn; 1: block; 2: the question could not be put."""
    installed = installation(config)
    body = _body(installed, run, system, dry_run, file)
    answer = open_gate(installed).ask(json.dumps(body).encode(), "shell", secrets.token_hex(16))
    if as_json:
        print_json(answer)
    else:
        _print(answer)
    if not answer["would_proceed"]:
        raise typer.Exit(Exit.BAD)


def _body(installed: Installation, run: str, system: str | None, dry_run: bool, file: Path | None) -> dict[str, Any]:
    if file is not None:
        try:
            body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{file} can't be read as a request: {error}.") from error
    else:
        body = {"run": {"system": system or _only_billing(installed), "id": run}}
    return {**body, "mode": "dry_run" if dry_run else body.get("mode", "enforce")}


def _only_billing(installed: Installation) -> str:
    names = installed.config.roles()["billing"]
    if len(names) != 1:
        raise ConfigError(f"Say --system: tieout.yaml has {len(names)} billing sources ({', '.join(names) or 'none'}).")
    return names[0]


def _print(answer: dict[str, Any]) -> None:
    colour = {"pass": "green", "warn": "yellow", "block": "red"}[answer["verdict"]]
    counts = answer["counts"]
    out.print(
        f"[bold {colour}]{answer['verdict'].upper()}[/]  run {answer['run']['id']}: {counts['invoices']} invoices, "
        f"{counts['pass']} pass, {counts['warn']} warn, {counts['block']} block  ({answer['validation_id']})",
        highlight=False,
    )
    for reason in answer["run_reasons"]:
        out.print(f"  run  {reason['check']}: {reason['message']}", highlight=False)
    for invoice in answer["invoices"]:
        for reason in invoice["reasons"]:
            case = f" [{reason['exception_id']}]" if reason["exception_id"] else ""
            out.print(f"  {invoice['id']}  {reason['check']}: {reason['message']}{case}", highlight=False, markup=False)
