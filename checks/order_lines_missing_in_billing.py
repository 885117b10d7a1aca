"""A contract line has no counterpart in billing, or the counterpart comes to another amount.

Why it matters: what is not set up in billing is never invoiced, and what is set up at another amount is invoiced
wrongly in every period until somebody notices.

Usual cause: the hand-over stopped half-way, a product was not mapped, or somebody typed the subscription by hand.

How to fix: add or correct the subscription line so that its amount is the contract's, and bill or credit the
periods that have passed.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks import amended, subscribed, terms
from checks.amounts import per_year
from checks.contract import Arithmetic, Check, Mode, MoneyKind, Need, Owner, Params, Scope, Setting, Severity
from checks.contract import Spans, Tolerance
from checks.customers import NEEDS as CUSTOMER_NEEDS
from checks.customers import of_customers
from checks.periods import CycleColumns, midnight
from checks.rows import candidates, collected, listed, reference

GROUP = ("system", "contract_key", "code")


def find(books: Books, params: Params) -> ir.Table:
    """Per contract and product, what was sold against what billing holds, bundles rolled up."""
    sold = of_customers(books, _sold(books))
    groups = _groups(sold)
    held = _held(books, sold, groups)
    both = groups.left_join(held, list(GROUP)).drop("system_right", "contract_key_right", "code_right")
    is_usage = both.charge_type == "usage"
    lacks = both.lines.isnull()
    billed = (is_usage & ~lacks).ifelse(both.contracted, both.billed.fill_null(0))
    both = both.mutate(billed=billed, lacks=lacks).cross_join(books.request)
    off = both.filter(both.lacks | both.contracted.isnull() | ((both.contracted - both.billed).abs() > params.decimal("guard")))
    off = off.anti_join(_explained(off, sold), list(GROUP))
    cycle = CycleColumns.of(off.term_start, ibis.null("int64"), off.billing_months)
    ended = (off.billing_timing.fill_null("advance") == "arrears").ifelse(0, 1)
    periods = ibis.greatest(cycle.index(off.today) - cycle.index(off.since) + ended, 1)
    return candidates(
        off,
        "contract_lines",
        "code",
        "contracted",
        "billed",
        subject=off.key,
        evidence=off.agreed_evidence.concat(off.held_evidence.fill_null(ibis.array([], type="array<string>"))),
        fails_from=midnight(off.first_day),
        known_at=off.known,
        months=(off.charge_type == "recurring").ifelse(periods * off.billing_months, 12),
    )
