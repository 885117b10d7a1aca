"""`tieout schedule`: the periodic jobs."""

import signal
import threading

import typer

from gateway import telemetry
from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, err, installation
from gateway.jobs import all_jobs
from gateway.scheduler import lead


def register(app: typer.Typer) -> None:
    app.command("schedule", epilog="Example: `tieout schedule --config /etc/tieout/tieout.yaml`")(schedule)


def schedule(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Poll, check, escalate and notify until stopped. Several may run: one leads, the others wait."""
    installed = installation(config)
    telemetry.install("tieout-scheduler")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    err.print("Scheduling; Ctrl-C stops.", highlight=False)
    lead(installed.database, all_jobs(installed), stop)
