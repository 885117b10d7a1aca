"""A contract line has no counterpart in billing, or the counterpart comes to another amount.

Why it matters: what is not set up in billing is never invoiced, and what is set up at another amount is invoiced
wrongly in every period until somebody notices.

Usual cause: the hand-over stopped half-way, a product was not mapped, or somebody typed the subscription by hand.

How to fix: add or correct the subscription line so that its amount is the contract's, and bill or credit the
periods that have passed.

What it is not: a bundle that is sold as one line and billed as several, or the reverse, at the same amount; lines
worth nothing; a difference that an amendment explains which billing does not know yet, since that is reported as
the amendment.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import CycleColumns, midnight
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
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import amended, sold_and_held, subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.rows import candidates


def find(books: Books, _: Params) -> ir.Table:
    """Contract and product with another amount in billing, amendments that billing does not know yet left aside."""
    both = sold_and_held.compared(books)
    apart = (both.contracted - both.billed).abs() > half_unit(both.currency)
    off = both.filter(~both.is_behind & (both.lacks | both.contracted.isnull() | both.billed.isnull() | apart))
    cycle = CycleColumns.of(off.term_start, ibis.null("int64"), off.billing_months)
    begun = (off.billing_timing.fill_null("advance") == "arrears").ifelse(0, 1)
    since = off.lacks.ifelse(off.first_day, off.last_change)
    periods = ibis.greatest(cycle.index(off.today) - cycle.index(since) + begun, 1)
    return candidates(
        off,
        "contract_lines",
        "code",
        subject=off.key,
        evidence=off.sold_evidence.concat(off.held_evidence),
        fails_from=midnight(off.first_day),
        known_at=off.known,
        contracted_yearly=off.contracted,
        billed_yearly=off.billed,
        months=(off.charge_type == "recurring").ifelse(periods * off.billing_months, 12),
    )


CHECK = Check(
    id="order_lines_missing_in_billing",
    doc=__doc__,
    pattern=Pattern.INCOMPLETE_WRITES,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(
        *terms.LINE_NEEDS,
        *subscribed.NEEDS,
        *(need.where_filled() for need in amended.NEEDS),
        Need("billing_schedules", "billing").where_filled(),
        Need("opportunities", "crm").where_filled(),
        *fx.NEEDS,
        *CUSTOMER_NEEDS,
    ),
    tolerance=Tolerance(absolute=sold_and_held.CENT),
    absent_from=Need("subscription_lines", "billing"),
    arithmetic=Arithmetic.of("contracted_yearly * months / 12", "billed_yearly * months / 12"),
    message=(
        "The contract says {contracted_yearly} {currency} a year for {code}, billing holds {billed_yearly}; over "
        "{months} months that is {amount} {currency}."
    ),
    find=find,
)
