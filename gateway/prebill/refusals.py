"""What holds a draft back before any check is asked: nothing that a check could say would release it."""

from collections.abc import Collection, Iterator, Sequence

import pyarrow.compute as pc

from checks.contract import Mode, Outcome, Scope
from checks.formula import plain
from gateway.prebill.drafts import Drafts
from gateway.prebill.verdict import Draft, Reason

Refusal = tuple[str | None, Reason]  # the invoice, None for the run


def refusals(
    said: Drafts, drafts: Sequence[Draft], posted: Collection[str], currencies: Collection[str]
) -> Iterator[Refusal]:
    """An empty run, an account or a currency that nothing knows, no lines, a posted invoice, a negative quantity."""
    if not drafts:
        yield None, _unjudged("empty_run", "The run holds no invoice, so there is nothing to release.", Scope.RUN)
    with_lines = set(said.lines["invoice_key"].unique().to_pylist())
    for draft in drafts:
        if draft.account_key is None:
            text = f"The account {draft.account_id} of invoice {draft.id} is not in the books."
            yield draft.id, _unjudged("unknown_account", text)
        if draft.currency not in currencies:
            text = f"No account, contract or exchange rate knows the currency {draft.currency} of invoice {draft.id}."
            yield draft.id, _unjudged("unknown_currency", text)
        if draft.id not in with_lines:
            text = f"Invoice {draft.id} has no lines, so nothing explains its total."
            yield draft.id, _unjudged("empty_invoice", text)
        if draft.id in posted:
            text = f"Invoice {draft.id} is no draft any more: the books hold it as posted."
            yield draft.id, Reason("already_posted", Outcome.FAILED, Mode.BLOCK, Scope.INVOICE, text)
    yield from _backwards(said)


def _backwards(said: Drafts) -> Iterator[Refusal]:
    """A credit takes back a quantity for a negative amount; a positive amount for less than nothing is a mistake."""
    lines = said.lines.select(["invoice_key", "key", "quantity", "amount"])
    odd = pc.and_(pc.less(lines["quantity"], 0), pc.greater(lines["amount"], 0))
    for row in lines.filter(odd).to_pylist():
        text = f"Line {row['key']} charges {plain(row['amount'])} for a quantity of {plain(row['quantity'])}."
        reason = Reason("negative_quantity", Outcome.FAILED, Mode.BLOCK, Scope.LINE, text, line_id=row["key"])
        yield row["invoice_key"], reason


def _unjudged(check: str, message: str, scope: Scope = Scope.INVOICE) -> Reason:
    return Reason(check, Outcome.NOT_EVALUATED, Mode.BLOCK, scope, message)
