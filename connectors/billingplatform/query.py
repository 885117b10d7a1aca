"""Runs statements, and takes no answer for one to a statement that it was not given to (vendors.md C1)."""

from connectors.billingplatform.answers import Row, plainly_empty, refusal, rows_of
from connectors.billingplatform.config import BillingPlatformConfig
from connectors.billingplatform.login import Door
from connectors.billingplatform.statement import Statement
from connectors.errors import PermanentError, TransientError, UnknownRecord
from connectors.http import Answer

PATH = "/query"


class Queries:
    """Runs statements, each repeated as the policy says."""

    def __init__(self, door: Door, config: BillingPlatformConfig) -> None:
        self._door = door
        self._retries = config.retries
        self._by_post = config.query_by == "post"
        self._empty = config.empty
        self._what = f"{config.system}: the query"

    def rows(self, statement: Statement, *, sure: bool = True) -> list[Row]:
        """The rows of a statement, by names in lower case.

        Raises SchemaChanged for an entity or a column that is not visible, TransientError, PermanentError for a 404
        that does not say what is not found.

        `sure` has an empty result confirmed by a count: where nothing being there means that something ends or is
        buried, a 404 by itself is too little.
        """
        return self._retries.call(lambda: self._once(statement, sure), self._door.wire.system)

    def count(self, statement: Statement) -> int:
        """How many rows the statement has without its tail."""
        return self._retries.call(lambda: self._counted(statement), self._door.wire.system)

    def retrieve(self, entity: str, key: str) -> Row | None:
        """One whole record, with every field that the user sees; None where there is none."""
        what = f"{self._door.wire.system}: GET /{entity}/{key}"
        answer = self._retries.call(lambda: self._door.send("GET", f"/{entity}/{key}"), self._door.wire.system)
        if plainly_empty(answer, self._empty):
            return None
        refused = refusal(what, answer)
        if refused is not None:
            raise refused
        return next(iter(rows_of(what, answer, "retrieveResponse")), None)

    def _once(self, statement: Statement, sure: bool) -> list[Row]:
        answer = self._ask(statement)
        refused = refusal(self._what, answer)
        if isinstance(refused, UnknownRecord):
            if sure or not plainly_empty(answer, self._empty):
                self._require_none(statement, refused)
            return []
        if refused is not None:
            raise refused
        return self._marked(statement, answer)

    def _marked(self, statement: Statement, answer: Answer) -> list[Row]:
        """The rows, by names in lower case: the platform's own letter case depends on the statement."""
        found: list[Row] = [
            {name.lower(): value for name, value in row.items()} for row in rows_of(self._what, answer, "queryResponse")
        ]
        if not all(statement.mark in row for row in found):
            raise TransientError(f"{self._what} was answered with the rows of another one.")
        return found

    def _require_none(self, statement: Statement, refused: UnknownRecord) -> None:
        """The count has a row of its own even where nothing matches, and a mistyped entity has no count."""
        matching = self._counted(statement)
        if matching:
            raise TransientError(f"{refused} But {matching} records match it.")

    def _counted(self, statement: Statement) -> int:
        answer = self._ask(statement.counting)
        if plainly_empty(answer, self._empty):
            return 0
        refused = refusal(self._what, answer)
        if isinstance(refused, UnknownRecord):
            raise PermanentError(f"{refused} If this is its way to say that no row matches, put that into no_rows.")
        if refused is not None:
            raise refused
        count = next((row[statement.counting.mark] for row in self._marked(statement.counting, answer)), None)
        if not str(count).isdecimal():
            raise TransientError(f"{self._what} for a count was answered without one.")
        return int(str(count))

    def _ask(self, statement: Statement) -> Answer:
        if self._by_post:
            return self._door.send("POST", PATH, json={"sql": statement.text})
        return self._door.send("GET", PATH, params={"sql": statement.text})
