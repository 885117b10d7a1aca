"""Put a run to the checks, answer, and keep the answer. Everything that goes wrong here ends in no `proceed`."""

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from books.engine import Engine, Request
from books.snapshots import Snapshot
from books.store import Store
from checks.contract import Mode, Outcome, Scope
from checks.findings import Evaluation, Finding
from checks.judging import Bands
from checks.ruleset import Ruleset
from connectors.contract import DraftRun, RunSource
from connectors.errors import ConnectorError, PermanentError, UnknownRecord
from gateway.config import Config
from gateway.db.session import Database
from gateway.errors import NotFound, Refused, Unavailable
from gateway.prebill.drafts import from_body, from_platform, to_invoices
from gateway.prebill.request import Question, body_hash, content_hash, parse
from gateway.prebill.tables import Validation
from gateway.prebill.truth import Drafts, Truth
from gateway.prebill.verdict import Draft, Judgement, Reason, judge_run
from gateway.rates import rates_to
from gateway.sync.ledger import Ledger

RecordFindings = Callable[[Session, Sequence[Finding], Engine, Snapshot, datetime, bool], Mapping[str, str]]


@dataclass(frozen=True)
class Asked:
    """One question on its way: what is asked, as of when, and the drafts it is about."""

    question: Question
    now: datetime
    target_date: date
    drafts: Drafts
    content_hash: str

    @property
    def whole_run(self) -> bool:
        return self.question.complete or self.question.invoices is None

    @property
    def enforced(self) -> bool:
        return self.question.mode == "enforce"


class Gate:
    """The pre-bill gate of one installation; several threads may ask.

    `record` takes findings into the exception queue (or, when its last argument is false, only looks them up)
    and returns exception references by fingerprint.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        ledger: Ledger,
        database: Database,
        ruleset: Ruleset,
        runs: Mapping[str, RunSource],
        record: RecordFindings,
        clock: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._store = store
        self._ledger = ledger
        self._database = database
        self._ruleset = ruleset
        self._runs = runs
        self._record = record
        self._clock = clock
        self._loading = threading.Lock()
        self._held: Truth | None = None

    def ask(self, body: bytes, asked_by: str, idempotency_key: str) -> dict[str, Any]:
        """The answer to a request, new or stored. Raises Refused, NotFound or Unavailable when there is none."""
        question = parse(body)
        fingerprint = body_hash(body)
        now = self._clock()
        with self._database.session() as session:
            session.execute(
                select(func.pg_advisory_xact_lock(func.hashtextextended(f"{asked_by}/{idempotency_key}", 0)))
            )
            stored = _stored(session, asked_by, idempotency_key)
            if stored is not None:
                return _again(stored, fingerprint, now)
            asked, answer = self._answer(session, question, now)
            session.add(_row(asked, answer, asked_by, idempotency_key, fingerprint))
            return answer

    def warm(self) -> None:
        """Load the latest snapshot, so that the first request does not wait for it."""
        self._truth()

    def _answer(self, session: Session, question: Question, now: datetime) -> tuple[Asked, dict[str, Any]]:
        truth = self._truth()
        if truth is None:
            raise Unavailable("Nothing has been synchronised yet, so no run can be judged. Run `tieout sync` first.")
        asked = self._with_drafts(truth, question, now)
        drafts = _shown(asked.drafts)
        refusals = _refusals(truth, drafts)
        accounts = sorted({draft.account_key for draft in drafts if draft.account_key})
        request = Request(now, asked.target_date, asked.whole_run)
        with truth.share(request, asked.drafts, accounts, self._entities()) as engine:
            evaluations = self._evaluate(truth, asked, engine, lambda scope: scope is not Scope.RUN)
            with truth.share(request, asked.drafts, None, ()) as whole:
                evaluations += self._evaluate(truth, asked, whole, lambda scope: scope is Scope.RUN)
                judgement = judge_run(drafts, self._relevant(evaluations), refusals, self._config.fail_open())
                references = self._record(session, judgement.findings(), whole, truth.snapshot, now, asked.enforced)
        return asked, self._shown_answer(truth, asked, judgement, references)

    def _with_drafts(self, truth: Truth, question: Question, now: datetime) -> Asked:
        run = question.run
        if run.system not in self._config.roles()["billing"]:
            known = ", ".join(self._config.roles()["billing"]) or "none"
            raise NotFound(f"There is no billing source {run.system!r}; tieout.yaml has: {known}.")
        if question.invoices is not None:
            drafts = from_body(truth, run, question.invoices, now)
            digest = content_hash(question.invoices)
            latest = max((invoice.invoice_date for invoice in question.invoices), default=now.date())
        else:
            pulled = self._pull(run.system, run.id)
            drafts = from_platform(truth, run.system, pulled)
            digest = content_hash(to_invoices(drafts))
            latest = pulled.run.get("target_date") or now.date()
        return Asked(question, now, run.target_date or latest, drafts, digest)

    def _pull(self, system: str, run_id: str) -> DraftRun:
        source = self._runs.get(system)
        if source is None:
            raise Refused(f"Runs of {system} cannot be pulled; send the invoices in the request.", "run-not-pullable")
        try:
            return source.pull(run_id)
        except UnknownRecord as error:
            raise NotFound(f"{system} knows no invoice run {run_id!r}.") from error
        except PermanentError as error:
            raise Refused(f"The drafts of run {run_id} cannot be judged: {error}", "run-not-ready") from error
        except ConnectorError as error:
            raise Unavailable(f"The drafts of run {run_id} could not be read from {system}: {error}") from error

    def _truth(self) -> Truth | None:
        newest = self._ledger.latest_id()
        with self._loading:
            if self._held is None or self._held.snapshot.id != newest:
                snapshot = self._ledger.latest()
                self._held = Truth.load(self._store, snapshot) if snapshot else None
            return self._held

    def _entities(self) -> set[str]:
        return {need.entity for rule in self._ruleset.rules.values() for need in rule.check.needs}

    def _evaluate(
        self, truth: Truth, asked: Asked, engine: Engine, wanted: Callable[[Scope], bool]
    ) -> list[Evaluation]:
        bands: Bands = self._config.bands(rates_to(self._config.reporting_currency, engine, asked.now.date()))
        return [
            self._ruleset.evaluate(id_, engine, truth.snapshot, asked.now, whole_run=asked.whole_run, bands=bands)
            for id_, rule in self._ruleset.rules.items()
            if rule.check.mode is not Mode.MONITOR and wanted(rule.check.scope)
        ]

    def _relevant(self, evaluations: Iterable[Evaluation]) -> list[Evaluation]:
        """A stale source blocks only where a blocking check of this request reads it; elsewhere it is a warning."""
        listed = list(evaluations)
        read = {
            system
            for evaluation in listed
            if evaluation.check.mode is Mode.BLOCK and evaluation.outcome is not Outcome.NOT_APPLICABLE
            for need in evaluation.check.needs
            for system in self._ruleset.books.systems(need.entity, need.role)
        }
        return [
            replace(e, findings=tuple(_softened(f, read) for f in e.findings)) if e.check.id == "source_stale" else e
            for e in listed
        ]

    def _shown_answer(
        self, truth: Truth, asked: Asked, judgement: Judgement, references: Mapping[str, str]
    ) -> dict[str, Any]:
        verdict = judgement.of_run()
        passes = verdict != "block"
        return {
            "validation_id": f"val_{secrets.token_hex(10)}",
            "run": {
                "system": asked.question.run.system,
                "id": asked.question.run.id,
                "target_date": asked.target_date.isoformat(),
            },
            "mode": asked.question.mode,
            "verdict": verdict.value,
            "proceed": passes and asked.enforced,
            "would_proceed": passes,
            "evaluated_at": asked.now.isoformat(),
            "expires_at": (asked.now + timedelta(minutes=self._config.gate.verdict_minutes)).isoformat(),
            "content_hash": asked.content_hash,
            "ruleset": self._ruleset.digest,
            "as_of": {name: at.isoformat() if at else None for name, at in sorted(truth.snapshot.as_of().items())},
            "snapshot": truth.snapshot.id,
            "counts": judgement.counts(),
            "amounts": judgement.amounts(),
            "invoices": [
                {
                    "id": draft.id,
                    "account_id": draft.account_id,
                    "verdict": judgement.of_invoice(draft.id).value,
                    "reasons": [reason.shown(references) for reason in judgement.reasons[draft.id]],
                }
                for draft in judgement.drafts
            ],
            "run_reasons": [reason.shown(references) for reason in judgement.run_reasons],
            "not_applicable": list(judgement.not_applicable),
        }


def _shown(drafts: Drafts) -> list[Draft]:
    lines: dict[str, int] = {}
    for row in drafts.lines:
        lines[row["invoice_key"]] = lines.get(row["invoice_key"], 0) + 1
    return [
        Draft(r["key"], r["account_id"], r["account_key"], r["currency"], r["total"], lines.get(r["key"], 0))
        for r in drafts.invoices
    ]


def _refusals(truth: Truth, drafts: Sequence[Draft]) -> list[tuple[str | None, Reason]]:
    """What blocks before any check is asked: no invoices, no lines, an account or a currency that nothing knows."""
    if not drafts:
        return [(None, _unjudged("empty_run", Scope.RUN, "The run holds no invoice, so there is nothing to release."))]
    known = {row["currency"] for row in truth.rows(_KNOWN_CURRENCIES)}
    refusals: list[tuple[str | None, Reason]] = []
    for draft in drafts:
        if draft.account_key is None:
            text = f"The account {draft.account_id} of invoice {draft.id} is not in the books."
            refusals.append((draft.id, _unjudged("unknown_account", Scope.INVOICE, text)))
        if draft.currency not in known:
            text = f"No account, contract or exchange rate knows the currency {draft.currency} of invoice {draft.id}."
            refusals.append((draft.id, _unjudged("unknown_currency", Scope.INVOICE, text)))
        if draft.lines == 0:
            text = f"Invoice {draft.id} has no lines, so its total of {draft.total} {draft.currency} has no reason."
            refusals.append((draft.id, _unjudged("empty_invoice", Scope.INVOICE, text)))
    return refusals


_KNOWN_CURRENCIES = """
    SELECT DISTINCT currency FROM (
        SELECT currency FROM truth.accounts UNION ALL SELECT currency FROM truth.contracts
        UNION ALL SELECT from_currency FROM truth.fx_rates UNION ALL SELECT to_currency FROM truth.fx_rates
    ) WHERE currency IS NOT NULL
"""


def _unjudged(check: str, scope: Scope, message: str) -> Reason:
    return Reason(check, Outcome.NOT_EVALUATED, Mode.BLOCK, scope, message)


def _softened(finding: Finding, read: set[str]) -> Finding:
    return finding if finding.record.system in read else replace(finding, mode=Mode.WARN)


def _stored(session: Session, asked_by: str, idempotency_key: str) -> Validation | None:
    same = (Validation.asked_by == asked_by, Validation.idempotency_key == idempotency_key)
    return session.scalars(select(Validation).where(*same)).first()


def _again(stored: Validation, fingerprint: str, now: datetime) -> dict[str, Any]:
    if stored.body_hash != fingerprint:
        raise Refused(
            f"This Idempotency-Key was used for another request, answered as {stored.id}. Use a new key.",
            "idempotency-key-reused",
        )
    if now >= stored.expires_at:
        raise Refused(
            f"The verdict {stored.id} expired at {stored.expires_at:%Y-%m-%d %H:%M:%S} UTC. Ask again with a new key.",
            "validation-expired",
        )
    return stored.answer


def _row(asked: Asked, answer: Mapping[str, Any], asked_by: str, key: str, fingerprint: str) -> Validation:
    kept = msgspec.structs.replace(
        asked.question,
        invoices=asked.question.invoices if asked.question.invoices is not None else to_invoices(asked.drafts),
    )
    return Validation(
        id=answer["validation_id"],
        asked_by=asked_by,
        idempotency_key=key,
        body_hash=fingerprint,
        run_system=asked.question.run.system,
        run_id=asked.question.run.id,
        mode=asked.question.mode,
        verdict=answer["verdict"],
        content_hash=asked.content_hash,
        snapshot_id=answer["snapshot"],
        evaluated_at=asked.now,
        expires_at=datetime.fromisoformat(answer["expires_at"]),
        request=msgspec.json.encode(kept),
        answer=dict(answer),
    )
