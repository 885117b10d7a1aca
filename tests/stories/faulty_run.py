"""A process of its own that runs an installation on a bad day and says everything that it can say.

`python -m tests.stories.faulty_run <tieout.yaml>`: every logger speaks at its lowest level, traces and metrics leave
by OTLP as in production, and the commands and the jobs are those of production.
"""

import logging
import sys
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from gateway import telemetry
from gateway.cli.app import app, main
from gateway.config import load
from gateway.installation import Installation, utc_now
from gateway.jobs import all_jobs
from gateway.scheduler import EXPECTED
from gateway.sync.telemetry import watch

COMMANDS = (
    ("sync", "--json"),
    ("rejects", "--json"),
    ("check", "--json"),
    ("exceptions", "list", "--json"),
    ("exceptions", "show", "EXC-1"),
    ("doctor",),
    ("reconcile",),
    ("mappings", "diff"),
)


def run(arguments: tuple[str, ...], config: str) -> None:
    """One command, to whatever end."""
    print("$ tieout", *arguments, flush=True)  # noqa: T201 - what is printed is what the test reads
    sys.argv = ["tieout", *arguments, "--config", config]
    try:
        main()
    except SystemExit as ended:
        print("status", ended.code, flush=True)  # noqa: T201 - as above


def known_commands() -> set[str]:
    """The commands and the groups of commands that there are."""
    names = {command.name or "" for command in app.registered_commands}
    return names | {group.name or "" for group in app.registered_groups}


def shifted(by: timedelta) -> datetime:
    return utc_now() + by


def work(config: str) -> None:
    for arguments in COMMANDS:
        if arguments[0] in known_commands():
            run(arguments, config)
    logging.getLogger(__name__).debug("Every logger speaks.")
    # Until the digests of the next working morning have gone out.
    for later in (timedelta(0), timedelta(days=4), timedelta(days=4, minutes=10)):
        installed = Installation(load(Path(config)), partial(shifted, later))
        watch(installed.ledger.latest, installed.clock)
        for job in all_jobs(installed):
            if job.name == "poll":
                continue  # the commands did its work
            try:
                job.run()
            except EXPECTED as error:
                logging.getLogger(__name__).error("The job %s did not end well: %s", job.name, error)
        installed.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    telemetry.install("tieout-faulty")
    try:
        work(sys.argv[1])
    finally:
        tracing, measuring = trace.get_tracer_provider(), metrics.get_meter_provider()
        assert isinstance(tracing, TracerProvider)
        assert isinstance(measuring, MeterProvider)
        tracing.shutdown()
        measuring.shutdown()
