"""What holds a draft back before any check is asked: nothing that a check could say would release it."""

from collections.abc import Collection, Iterator, Sequence

from books.engine import Engine
from checks.contract import Mode, Outcome, Scope
from gateway.prebill.verdict import Draft, Reason

Refusal = tuple[str | None, Reason]  # the invoice, None for the run


def refusals(engine: Engine, drafts: Sequence[Draft], currencies: Collection[str]) -> Iterator[Refusal]:
    """An empty run, an account or a currency that nothing knows, no lines, a posted invoice, a negative quantity."""
    if not drafts:
        yield None, _unjudged("empty_run", "The run holds no invoice, so there is nothing to release.", Scope.RUN)
    for draft in drafts:
        if draft.account_key is None:
            text = f"The account {draft.account_id} of invoice {draft.id} is not in the books."
            yield draft.id, _unjudged("unknown_account", text)
        if draft.currency not in currencies:
            text = f"No account, contract or exchange rate knows the currency {draft.currency} of invoice {draft.id}."
            yield draft.id, _unjudged("unknown_currency", text)
    for row in engine.rows(_WITHOUT_LINES):
        text = f"Invoice {row['id']} has no lines, so nothing explains its total."
        yield row["id"], _unjudged("empty_invoice", text)
    for row in engine.rows(_POSTED):
        text = f"Invoice {row['id']} is no draft any more: the books hold it as posted."
        yield row["id"], Reason("already_posted", Outcome.FAILED, Mode.BLOCK, Scope.INVOICE, text)
    for row in engine.rows(_BACKWARDS):
        text = f"Line {row['line']} charges {row['amount']:f} for a quantity of {row['quantity'].normalize():f}."
        reason = Reason("negative_quantity", Outcome.FAILED, Mode.BLOCK, Scope.LINE, text, line_id=row["line"])
        yield row["id"], reason


def _unjudged(check: str, message: str, scope: Scope = Scope.INVOICE) -> Reason:
    return Reason(check, Outcome.NOT_EVALUATED, Mode.BLOCK, scope, message)


_WITHOUT_LINES = """
    SELECT i.key AS id FROM said_invoices i ANTI JOIN said_invoice_lines l ON l.invoice_key = i.key ORDER BY 1
"""
_POSTED = """
    SELECT i.key AS id FROM said_invoices i JOIN truth.invoices t ON t.system = i.system AND t.key = i.key
    WHERE t.status = 'posted' AND NOT t.deleted
    UNION SELECT i.key FROM said_invoices i JOIN truth.invoices t ON t.system = i.system AND t.number = i.number
    WHERE t.status = 'posted' AND NOT t.deleted ORDER BY 1
"""
# A credit takes back a quantity for a negative amount; a positive amount for less than nothing is a mistake.
_BACKWARDS = """
    SELECT invoice_key AS id, key AS line, quantity, amount FROM said_invoice_lines
    WHERE quantity < 0 AND amount > 0 ORDER BY ALL
"""
