"""What the commands share: the installation, the two ways of printing, and exit statuses."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gateway.config import load
from gateway.demo.clock import commands_clock
from gateway.installation import Installation

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The installation's file.", envvar="TIEOUT_CONFIG", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document for a script to read.")]
DEFAULT_CONFIG = Path("tieout.yaml")

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


class Exit(IntEnum):
    """What a shell script may rely on."""

    GOOD = 0
    BAD = 1  # the question was answered, and the answer is no
    NOT_ASKED = 2  # the question could not be put


def installation(config: Path) -> Installation:
    """The installation of a file; a mistake in it ends the command with status 2 and the sentence."""
    return Installation(load(config), commands_clock())


def deciding(config: Path) -> Installation:
    """The same for what decides or goes on by itself: this machine's clock alone may say what is stale."""
    return Installation(load(config))


def instant(text: str) -> datetime:
    """An ISO 8601 instant, in UTC. BadParameter, which ends the command with status 2, for none or one without zone."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise typer.BadParameter(f"{text!r} names no time zone; write 2026-11-01T00:00:00Z")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no instant; write 2026-11-01T00:00:00Z") from None


def print_json(document: Any) -> None:
    """One JSON document on standard output; decimals and instants as text."""
    typer.echo(json.dumps(document, indent=2, default=_as_json, ensure_ascii=False))


def _as_json(value: object) -> str:
    if isinstance(value, (Decimal, date, datetime)):
        return f"{value:f}" if isinstance(value, Decimal) else value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
