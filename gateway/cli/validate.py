"""`tieout validate`: ask the gate from the shell."""

import json
import secrets
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, deciding, out, print_json
from gateway.errors import ConfigError
from gateway.installation import Installation
from gateway.prebill.opening import open_gate

EXAMPLE = "Example: `tieout validate BR-00000123 --dry-run --json`"
COLOURS = {"pass": "green", "warn": "yellow", "block": "red"}


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
    with closing(deciding(config)) as installed:
        body = _pulled(installed, run, system) if file is None else _read(file, run)
        if dry_run:
            body["mode"] = "dry_run"
        answer = open_gate(installed).ask(json.dumps(body).encode(), "shell", secrets.token_hex(16))
    if as_json:
        print_json(answer)
    else:
        _print(answer)
    if not answer["would_proceed"]:
        raise typer.Exit(Exit.BAD)


def _read(file: Path, run: str) -> dict[str, Any]:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        asked = body["run"]["id"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(f"{file} can't be read as a request about a run: {error}.") from error
    if asked != run:
        raise ConfigError(f"{file} asks about the run {asked!r}, not about {run!r}.")
    return dict(body)


def _pulled(installed: Installation, run: str, system: str | None) -> dict[str, Any]:
    names = [system] if system else installed.config.roles()["billing"]
    if len(names) != 1:
        raise ConfigError(f"Say --system: tieout.yaml has {len(names)} billing sources ({', '.join(names) or 'none'}).")
    return {"run": {"system": names[0], "id": run}}


def _print(answer: dict[str, Any]) -> None:
    """The verdict in one line, then a line for each reason. Ids may hold brackets: they are no markup."""
    verdict, counts = answer["verdict"], answer["counts"]
    out.print(verdict.upper(), style=f"bold {COLOURS[verdict]}", end="")
    said = ", ".join(f"{counts[name]} {name}" for name in COLOURS)
    line = f"  run {answer['run']['id']}: {counts['invoices']} invoices, {said}  ({answer['validation_id']})"
    out.print(line, highlight=False, markup=False)
    for reason in answer["run_reasons"]:
        _print_reason("run", reason)
    for invoice in answer["invoices"]:
        for reason in invoice["reasons"]:
            _print_reason(invoice["id"], reason)


def _print_reason(about: str, reason: dict[str, Any]) -> None:
    case = f" [{reason['exception_id']}]" if reason["exception_id"] else ""
    line = f"  {about}  {reason['mode']}  {reason['check']}: {reason['message']}{case}"
    out.print(line, highlight=False, markup=False)
