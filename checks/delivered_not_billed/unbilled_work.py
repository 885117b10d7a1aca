"""Approved work was not invoiced, or was invoiced for less than it is worth.

Why it matters: the hours are worked and the expenses paid, the customer has agreed, and nobody asks for the money.
After a few months it is hard to say what the work was.

Usual cause: time sheets were approved after the month's invoices were made, a milestone was reached and not reported
to billing, or a change order was signed and never became a line of the contract.

How to fix: put the work on the next invoice at the agreed rate. If it is not to be billed, reject it where it is
kept, or set the contract's billing rule, so that it is not expected.

What it is not: hours under a fixed fee or a retainer, which the fee pays for; work beyond a cap that was agreed; work
that was approved only lately; or work that nobody has approved.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import days_later, midnight
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
from checks.facts import billed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.facts.paid_in_order import EXACT, line_named, with_paid
from checks.rows import candidates, listed, reference

_ORDER = ("approved_at", "key")


def find(books: Books, params: Params) -> ir.Table:
    """Approved items in the order of their approval; what was invoiced pays for the earliest first."""
    work = _owed(_approved(books), params.texts("fee_pays_for"))
    linked = work.filter(work.invoice_line_key.notnull()).select(line_key="invoice_line_key").distinct()
    rows = with_paid(books, work, *_ORDER, taken=linked)
    short = rows.earlier + rows.value - rows.billed
    off = rows.filter((rows.value > 0).fill_null(True) & (short > half_unit(rows.currency)).fill_null(True))
    off = _with_next_invoice(off, params.whole("cutoff_days"))
    settled = off.approved_at + ibis.interval(days=params.whole("settle_days"))
    seen = listed(
        reference(off.system, "work_items", off.key),
        reference(off.c_system, "contracts", off.c_key),
        reference(off.l_system, "contract_lines", off.l_key),
    )
    return candidates(
        off,
        "work_items",
        "what",
        "worked_date",
        subject=off.key,
        evidence=seen.concat(off.invoices),
        fails_from=ibis.least(settled, midnight(off.next_invoice).fill_null(settled)),
        known_at=off.modified_at,
        quantity=off.quantity,
        unit_price=off.price,
        expenses=off.expenses,
        above_cap=off.above_cap,
        billed=off.billed,
        earlier=off.earlier,
    )


def _with_next_invoice(off: ir.Table, cutoff_days: int) -> ir.Table:
    """With the day of the first invoice of the contract line that could have held the item: it is late from then on.

    Without it, new work that is billed every month would pay for the old, and the shortfall would stay young for ever.
    """
    line = billed.LINES.table.filter(lambda t: t.contract_line_key.notnull())
    line = line.select(i_line="contract_line_key", i_day="invoice_date").distinct()
    could = off.select("system", "key", "contract_line_key", ready=days_later(off.approved_at.date(), cutoff_days))
    both = could.inner_join(line, [could.contract_line_key == line.i_line, could.ready <= line.i_day])
    first = both.group_by(n_system="system", n_key="key").agg(next_invoice=both.i_day.min())
    joined = off.left_join(first, [("system", "n_system"), ("key", "n_key")])
    return joined.drop("n_system", "n_key")


def _approved(books: Books) -> ir.Table:
    """Approved work with its contract's rule, and the agreed rate where it says none itself."""
    item = books.table("work_items", "work")
    item = of_customers(books, item.filter(item.status == "approved"))
    line = terms.LINES.table.select(
        "contract_key", l_system="system", l_key="key", l_price="unit_price", l_currency="currency",
        l_account="account_key",
    )  # fmt: skip
    item = item.rename(own_contract="contract_key").left_join(line, item.contract_line_key == line.l_key)
    item = item.mutate(of_contract=ibis.coalesce(item.own_contract, item.contract_key))
    contract = books.table("contracts", "crm").select(
        "billing_rule", "cap_amount", c_system="system", c_key="key", c_currency="currency", c_account="account_key"
    )
    item = item.left_join(contract, item.of_contract == contract.c_key)
    kind = item.kind.fill_null("time")
    is_hours = kind.isin(("time", "change_order")) & item.quantity.notnull()
    return item.mutate(
        account_key=ibis.coalesce(item.account_key, item.l_account, item.c_account),
        currency=ibis.coalesce(item.currency, item.l_currency, item.c_currency),
        what=kind.replace("_", " "),
        kind=kind,
        quantity=is_hours.ifelse(item.quantity, 0).cast("decimal(18, 6)"),
        price=is_hours.ifelse(ibis.coalesce(item.unit_price, item.l_price), 0),
        expenses=is_hours.ifelse(0, item.amount).cast("decimal(18, 4)"),
        at=ibis.coalesce(line_named(item.invoice_line_key), item.contract_line_key, "nothing/" + item.key),
    )


def _owed(work: ir.Table, fee_pays_for: tuple[str, ...]) -> ir.Table:
    """With `value`, what each item is to be billed as, and `above_cap`, what the contract's cap takes off it."""
    is_free = work.billing_rule.isin(("fixed_fee", "retainer")) & work.kind.isin(fee_pays_for)
    work = work.filter(~is_free.fill_null(False))
    bare = (product(work.quantity, work.price) + work.expenses).cast(EXACT)
    work = work.mutate(bare=bare, capped=(work.billing_rule == "capped").fill_null(False))
    so_far = ibis.cumulative_window(group_by=[work.of_contract, work.capped], order_by=[work[name] for name in _ORDER])
    over = work.bare.sum().over(so_far).cast(EXACT) - work.cap_amount.cast(EXACT)
    above = work.capped.ifelse(ibis.greatest(ibis.least(work.bare, over), 0), 0)
    work = work.mutate(above_cap=above.cast(EXACT).fill_null(0))
    return work.mutate(value=(work.bare - work.above_cap).cast(EXACT))


CHECK = Check(
    id="unbilled_work",
    doc=__doc__,
    pattern=Pattern.DELIVERED_NOT_BILLED,
    severity=Severity.S2,
    owners=(Owner.FINANCE_OPS, Owner.BILLING_OPS),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        Need("work_items", "work"),
        *(need.where_filled() for need in terms.LINE_NEEDS),
        *billed.NEEDS,
        *fx.NEEDS,
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting("settle_days", 35, "Work is billed once a month: after so many days a run could have billed it."),
        Setting("cutoff_days", 3, "Time sheets are closed some days before the invoice is made."),
        Setting(
            "fee_pays_for",
            ("time", "expense"),
            "What a fixed fee or a retainer pays for. Milestones and change orders are billed beside it.",
        ),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoice_lines", "billing"),
    arithmetic=Arithmetic.of(
        "quantity * unit_price + expenses - above_cap",
        "max(0, min(quantity * unit_price + expenses - above_cap, billed - earlier))",
    ),
    message=("Approved work of {worked_date} ({what}) is worth {expected} {currency}; {actual} of it was invoiced."),
    find=find,
)
