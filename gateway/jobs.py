"""The periodic work of an installation. Every job may be run by hand, at any time, twice."""

import threading
from datetime import datetime, timedelta

from alerts.channel import Channel
from gateway.channels import open_channels
from gateway.exceptions.audit import seal
from gateway.exceptions.escalation import run_escalations
from gateway.installation import Installation
from gateway.notices.dispatch import Dispatched, dispatch
from gateway.notices.grouping import gather
from gateway.scheduler import Job
from gateway.sweep import sweep
from gateway.sync.run import sync_now
from gateway.sync.upkeep import tidy
from gateway.webhooks.processing import process


def all_jobs(installed: Installation) -> list[Job]:
    """What the scheduler runs, and how often."""
    channels = open_channels(installed.owners, installed.config.mail, installed.clock)
    reading = threading.Lock()
    return [
        Job("poll", tick(installed).total_seconds(), lambda: poll_in_turn(installed, reading)),
        Job("webhooks", 10, lambda: process_in_turn(installed, reading)),
        Job("escalate", 60, lambda: escalate(installed, installed.clock())),
        Job("notify", 30, lambda: notify(installed, channels, installed.clock())),
        Job("seal", 60, lambda: seal_audit(installed, installed.clock())),
    ]


def tick(installed: Installation) -> timedelta:
    """How often sources are looked at: as often as the most frequent one wants."""
    minutes = [source.every_minutes for source in installed.config.sources.values()]
    return timedelta(minutes=min(minutes, default=15))


def due(installed: Installation, now: datetime) -> list[str]:
    """The sources whose time has come. Half a tick early counts: a poll takes a while, and would slip to the next."""
    names = []
    for name, source in installed.config.sources.items():
        last = installed.ledger.polled_at(name)
        if last is None or now - last >= timedelta(minutes=source.every_minutes) - tick(installed) / 2:
            names.append(name)
    return names


def poll(installed: Installation, now: datetime) -> None:
    """Read the sources that are due, publish, ask the checks what may have changed, put the books in order."""
    names = due(installed, now)
    if names:
        sync_now(installed, names=names)
    sweep(installed, installed.clock(), changed_only=True)
    tidy(installed, installed.clock())


def poll_in_turn(installed: Installation, reading: threading.Lock) -> None:
    """Poll, after a run over messages that has the sync's lock: it would make the poll wait for its next tick."""
    with reading:
        poll(installed, installed.clock())


def process_in_turn(installed: Installation, reading: threading.Lock) -> None:
    """Work on the messages that came in; while a poll runs, at the next tick."""
    if reading.acquire(blocking=False):
        try:
            process(installed, installed.clock())
        finally:
            reading.release()


def escalate(installed: Installation, now: datetime) -> None:
    """Reminders, breaches and rungs of the ladder that are due."""
    more = True
    while more:
        with installed.database.session() as session:
            more = run_escalations(session, installed.owners, now).more


def notify(installed: Installation, channels: dict[str, Channel], now: datetime) -> Dispatched:
    """Gather what is to be told into messages, and send those that are due."""
    with installed.database.session() as session:
        gather(session, installed.owners, installed.checks, installed.config.public_url, now)
    return dispatch(installed.database, channels, installed.owners, now)


def seal_audit(installed: Installation, now: datetime) -> None:
    """Chain the audit entries that are not sealed yet."""
    with installed.database.session() as session:
        seal(session, now)
