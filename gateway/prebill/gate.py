"""Put a run to the checks, answer, and keep the answer. Everything that goes wrong here ends in no `proceed`."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from books.engine import Engine, Request
from books.snapshots import Snapshot
from checks.findings import Finding
from checks.judging import Bands
from gateway.config import Config
from gateway.db.session import Database
from gateway.errors import Unavailable
from gateway.prebill.answer import Answer, RunJudged, amounts, counts, invoices_judged, reasons_given
from gateway.prebill.asking import Asking
from gateway.prebill.content import content_hash
from gateway.prebill.decisions import Put, find, keep, reserve
from gateway.prebill.drafts import Drafts
from gateway.prebill.latest import LatestTruth
from gateway.prebill.overlay import Overlay
from gateway.prebill.pulling import Pulling
from gateway.prebill.refusals import refusals
from gateway.prebill.request import Question, parse
from gateway.prebill.verdict import Draft, Judgement, Verdict, judge_run
from gateway.rates import rates_to

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What a question found, for the exception queue. `engine` still holds the rows behind it."""

    findings: Sequence[Finding]
    engine: Engine
    snapshot: Snapshot
    bands: Bands
    now: datetime
    enforced: bool


# Takes findings into the exception queue, or only looks them up where the question was not enforced; exception
# references by fingerprint.
RecordFindings = Callable[[Session, Found], Mapping[str, str]]


@dataclass(frozen=True)
class Judged:
    """A question that is judged and not yet answered."""

    question: Question
    target_date: date
    drafts: Drafts
    content_hash: str
    shown: Sequence[Draft]
    judgement: Judgement
    found: Found


class Gate:
    """The pre-bill gate of one installation; several threads may ask."""

    def __init__(
        self,
        config: Config,
        database: Database,
        truth: LatestTruth,
        asking: Asking,
        pulling: Pulling,
        record: RecordFindings,
        clock: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._database = database
        self._truth = truth
        self._asking = asking
        self._pulling = pulling
        self._record = record
        self._clock = clock

    def ask(self, body: bytes, asked_by: str, idempotency_key: str) -> dict[str, Any]:
        """The answer to a request, new or stored. Raises Refused, NotFound or Unavailable when there is none.

        No connection to the database is held while the checks are asked, and none is waited for under a lock.
        """
        put = Put(parse(body), body, asked_by, idempotency_key)
        now = self._clock()
        with self._database.session() as session:
            known = find(session, put, now)
        if known is not None:
            return known
        with self._judged(put.question, now) as judged, self._database.session() as session:
            reserve(session, put)
            known = find(session, put, now)
            if known is not None:
                return known
            return keep(session, put, self._answer(judged, self._record(session, judged.found)), judged.drafts)

    def warm(self) -> None:
        """Make the checks' SQL and load the latest snapshot, so that the first request waits for neither.

        Raises DeclarationError for a check whose rows lack a column.
        """
        self._asking.prepare()
        try:
            self._truth.get()
        except Unavailable as error:
            log.warning("The gate cannot answer yet: %s", error)

    @contextmanager
    def _judged(self, question: Question, now: datetime) -> Iterator[Judged]:
        drafts, target_date = self._pulling.drafts(question, now)
        truth = self._truth.get()
        request = Request(now, target_date, question.complete or drafts.whole)
        with closing(truth.cursor()) as cursor:
            overlay = Overlay(truth, cursor, drafts, request)
            bands = self._config.bands(rates_to(self._config.reporting_currency, overlay.engine, now.date()))
            shown = _shown(drafts, overlay.customers())
            refused = list(refusals(drafts, shown, overlay.posted(), truth.currencies))
            evaluations = self._asking.evaluate(truth, overlay, request, bands)
            judgement = judge_run(shown, evaluations, refused, self._config.fail_open())
            enforced = question.mode == "enforce"
            found = Found(judgement.findings, overlay.engine, truth.snapshot, bands, now, enforced)
            yield Judged(question, target_date, drafts, content_hash(drafts), shown, judgement, found)

    def _answer(self, judged: Judged, references: Mapping[str, str]) -> Answer:
        judgement, found, run = judged.judgement, judged.found, judged.question.run
        passes = judgement.verdict is not Verdict.BLOCK
        return Answer(
            validation_id=f"val_{secrets.token_hex(10)}",
            run=RunJudged(run.system, run.id, judged.target_date),
            mode=judged.question.mode,
            verdict=judgement.verdict,
            proceed=passes and found.enforced,
            would_proceed=passes,
            evaluated_at=found.now,
            expires_at=found.now + timedelta(minutes=self._config.gate.verdict_minutes),
            content_hash=judged.content_hash,
            ruleset=self._asking.ruleset.digest,
            as_of=dict(sorted(found.snapshot.as_of().items())),
            snapshot=found.snapshot.id,
            counts=counts(judgement),
            amounts=amounts(judgement.sums),
            invoices=invoices_judged(judged.shown, judgement, references),
            run_reasons=reasons_given(judgement.run_reasons, references),
            not_applicable=tuple(judgement.not_applicable),
        )


def _shown(drafts: Drafts, customers: Mapping[str, str | None]) -> list[Draft]:
    rows = drafts.invoices.select(["key", "account_id", "currency", "total"]).to_pylist()
    return [Draft(row["key"], row["account_id"], customers[row["key"]], row["currency"], row["total"]) for row in rows]
