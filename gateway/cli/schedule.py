"""`tieout schedule`: the periodic jobs."""

import logging
import signal
import threading

import typer

from gateway import telemetry
from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, deciding, err
from gateway.jobs import all_jobs
from gateway.scheduler import lead
from gateway.sync.telemetry import watch


def register(app: typer.Typer) -> None:
    app.command("schedule", epilog="Example: `tieout schedule --config /etc/tieout/tieout.yaml`")(schedule)


def schedule(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Poll, check, escalate and notify until stopped. Several may run: one leads, the others wait."""
    installed = deciding(config)
    _ = installed.ruleset  # a check that is not sound stops the start, not the first sweep
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Not the libraries: an HTTP client would log whole addresses, and a chat hook's address is its secret.
    logging.getLogger("gateway").setLevel(logging.INFO)
    telemetry.install("tieout-scheduler")
    watch(installed.ledger.latest, installed.clock)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    err.print("Scheduling; Ctrl-C stops.", highlight=False)
    lead(installed.database, all_jobs(installed), stop)
