"""A contract has terms that change when its revenue may be recognised, and revenue accounting has not been told.

Why it matters: extended payment, acceptance, a right to terminate or to be refunded can forbid that revenue is
recognised as it is invoiced. Found after the close, such a clause means restated figures.

Usual cause: the terms were negotiated late, stand in the signed text only, and nobody set the flag on the contract.

How to fix: have revenue accounting read the clause, set the flag, and adjust the schedules of the contract.

What it is not: a clause that a machine read and is not sure of and that nobody has confirmed, a clause of another kind,
or a contract that was never activated.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.confidence import of_reading, surest
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Need,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import billed
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference, some


def find(books: Books, params: Params) -> ir.Table:
    """Activated contracts without the flag that have a clause of the named kinds, read surely or by a person."""
    clause = _clauses(books, params)
    contract = of_customers(books, books.table("contracts", "crm"))
    contract = contract.filter(
        ~contract.status.fill_null("activated").isin(("draft", "cancelled"))
        & ~contract.nonstandard_terms.fill_null(False)
    )
    found = contract.inner_join(clause, [contract.system == clause.c_system, contract.key == clause.c_contract])
    worth = books.table("opportunities", "crm").select(o_system="system", o_key="key", o_amount="amount")
    found = found.left_join(worth, [found.system == worth.o_system, found.opportunity_key == worth.o_key])
    draft = billed.drafts("contract_key")
    off = found.left_join(draft, found.key == draft.d_contract_key)
    return candidates(
        off,
        "contracts",
        "number",
        "kinds",
        subject=off.key,
        evidence=listed(
            reference(off.system, "contracts", off.key), reference(off.draft_system, "invoices", off.draft_invoice)
        ).concat(some(off.clauses)),
        invoice=off.draft_invoice,
        known_at=off.stamp,
        confidence=off.confidence,
        confidence_reason=off.confidence_reason,
        contract_value=ibis.coalesce(off.contract_value, off.o_amount),
    )


def _clauses(books: Books, params: Params) -> ir.Table:
    """By contract: the kinds of its clauses that count, when the last of them was read, and how surely the surest."""
    clause = books.table("contract_clauses", "crm")
    sure = clause.confidence.isnull() | (clause.confidence >= params.decimal("min_confidence"))
    clause = clause.filter(clause.kind.isin(params.texts("kinds")) & (sure | clause.confirmed_by.notnull()))
    return clause.group_by(c_system="system", c_contract="contract_key").agg(
        kinds=clause.kind.min() + (clause.kind.nunique() > 1).ifelse(" and others", ""),
        stamp=clause.modified_at.max(),
        clauses=collected(reference(clause.system, "contract_clauses", clause.key)),
        **surest(of_reading(clause.confidence, clause.confirmed_by)).columns(),
    )


CHECK = Check(
    id="nonstandard_terms_unflagged",
    doc=__doc__,
    pattern=Pattern.REVENUE,
    severity=Severity.S1,
    owners=(Owner.REVENUE_ACCOUNTING, Owner.REVOPS),
    mode=Mode.WARN,
    scope=Scope.INVOICE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        Need("contracts", "crm"),
        Need("contract_clauses", "crm", may_be_empty=True),
        Need("opportunities", "crm").where_filled(),
        *(need.where_filled() for need in billed.NEEDS),
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting(
            "min_confidence", Decimal("0.90"), "Below it a machine's reading counts only once a person confirms it."
        ),
        Setting(
            "kinds",
            ("extended_terms", "acceptance", "termination", "refund"),
            "Clauses that can move revenue; a most-favoured clause moves the price.",
        ),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("0", "contract_value", "actual - expected"),
    message="Contract {number} of {contract_value} {currency} has clauses on {kinds}, and its flag is not set.",
    find=find,
)
