"""The drafts that a question is about: out of its body, or out of the billing platform."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from connectors.contract import DraftRun, RunSource
from connectors.errors import ConnectorError, LoginRefused, MappingError, PermanentError, SchemaChanged, UnknownRecord
from gateway.config import Config
from gateway.errors import NotFound, Refused, Unavailable
from gateway.prebill.drafts import Drafts, from_body, from_platform
from gateway.prebill.request import Question, Run


@dataclass(frozen=True)
class Pulling:
    """`run_source` opens the billing source of that name; None where its runs cannot be pulled."""

    config: Config
    run_source: Callable[[str], RunSource | None]

    def drafts(self, question: Question, now: datetime) -> tuple[Drafts, date]:
        """The drafts, and the day up to which they were billed.

        Raises NotFound, Refused (kinds `malformed-request`, `run-not-pullable`, `run-not-ready`) and Unavailable.
        """
        run = question.run
        known = self.config.roles()["billing"]
        if run.system not in known:
            named = ", ".join(known) or "none"
            raise NotFound(f"There is no billing source {run.system!r}; tieout.yaml has: {named}.")
        if question.invoices is None:
            pulled = self._pull(run)
            drafts, target = from_platform(run, pulled), pulled.run.get("target_date")
        else:
            drafts, target = from_body(run, question.invoices, now), None
        return drafts, run.target_date or target or drafts.latest_date() or now.date()

    def _pull(self, run: Run) -> DraftRun:
        source = self._open(run)
        try:
            return source.pull(run.id)
        except UnknownRecord as error:
            raise NotFound(f"{run.system} knows no invoice run {run.id!r}.") from error
        except (LoginRefused, SchemaChanged, MappingError) as error:
            raise Unavailable(f"Run {run.id} cannot be read from {run.system} until somebody acts: {error}") from error
        except PermanentError as error:
            raise Refused(f"The drafts of run {run.id} cannot be judged: {error}", "run-not-ready") from error
        except ConnectorError as error:
            raise Unavailable(f"The drafts of run {run.id} could not be read from {run.system}: {error}") from error

    def _open(self, run: Run) -> RunSource:
        try:
            source = self.run_source(run.system)
        except ConnectorError as error:
            raise Unavailable(f"Runs of {run.system} cannot be read until somebody acts: {error}") from error
        if source is None:
            sentence = f"Runs of {run.system} cannot be pulled; send the invoices in the request."
            raise Refused(sentence, "run-not-pullable")
        return source
