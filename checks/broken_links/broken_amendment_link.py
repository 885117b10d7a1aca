"""An activated amendment points at no contract, at another customer's, or at one that has been replaced.

Why it matters: billing applies an amendment through the contract that it amends. Without the right one, the change
never takes effect, or takes effect on somebody else's invoice.

Usual cause: the quote was cloned or re-parented, or the contract was renewed or replaced while the amendment was
still open.

How to fix: set the amendment's contract to the one in force on its effective date and hand it over again. If the
deal was abandoned, cancel the amendment.

What it is not: an amendment that is still a draft, a contract that was replaced only after the amendment took
effect, or a copy of an amendment that was never activated.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER, months_begun
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
)
from checks.facts import amended
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, reference, some


def find(books: Books, params: Params) -> ir.Table:
    """Activated amendments whose contract is not one that they can change."""
    off = _with_contract(books, of_customers(books, amended.activated(books)))
    off = off.filter(off.broken.notnull())
    rows = amended.ROWS.table
    worth = rows.group_by(w_system="system", w_key="amendment").agg(
        yearly=rows.yearly.sum(),
        lines_end=rows.ends.max(),
        line_currency=rows.currency.max(),
        rows=collected(reference(rows.system, "contract_lines", rows.row_key)),
    )
    off = off.left_join(worth, [off.system == worth.w_system, off.key == worth.w_key]).cross_join(books.request)
    since = ibis.greatest(off.effective_date, off.today)
    ends = ibis.coalesce(off.lines_end, off.contract_end)
    is_open = ends.isnull() | (ends == FOREVER)
    first = ibis.array([reference(off.system, "amendments", off.key), reference(off.system, "contracts", off.known)])
    off = off.mutate(currency=ibis.coalesce(off.currency, off.line_currency))
    return candidates(
        off,
        "amendments",
        "broken",
        subject=off.key,
        evidence=first.concat(some(off.rows)),
        # Only «there is no such contract» claims that something is absent.
        known_at=off.is_unknown.ifelse(off.modified_at, ibis.null(off.modified_at.type())),
        yearly_change=off.yearly.fill_null(0),
        months_left=is_open.ifelse(
            params.whole("open_term_months"), (ends > since).ifelse(months_begun(since, ends), 0)
        ),
    )


def _with_contract(books: Books, amendment: ir.Table) -> ir.Table:
    contract = books.table("contracts", "crm").select(
        c_system="system", known="key", c_account="account_key", c_status="status", contract_end="end_date"
    )
    activated = books.table("contracts", "crm").filter(lambda t: t.status.fill_null("activated") != "draft")
    replaced = activated.group_by(r_system="system", r_key="amends_key").agg(replaced_on=activated.start_date.min())
    joined = amendment.left_join(
        contract, [amendment.system == contract.c_system, amendment.contract_key == contract.known]
    )
    joined = joined.left_join(replaced, [joined.system == replaced.r_system, joined.contract_key == replaced.r_key])
    is_unknown = joined.contract_key.notnull() & joined.known.isnull()
    broken = ibis.cases(
        (joined.contract_key.isnull(), "names no contract"),
        (is_unknown, "names a contract that the CRM does not have"),
        (joined.c_account != joined.account_key, "names the contract of another customer"),
        (joined.replaced_on <= joined.effective_date, "names a contract that another one had replaced"),
        ((joined.c_status == "superseded") & joined.replaced_on.isnull(), "names a contract that is superseded"),
        else_=ibis.null("string"),
    )
    return joined.mutate(broken=broken, is_unknown=is_unknown)


CHECK = Check(
    id="broken_amendment_link",
    doc=__doc__,
    pattern=Pattern.BROKEN_LINKS,
    severity=Severity.S1,
    owners=(Owner.REVOPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*amended.NEEDS, *CUSTOMER_NEEDS),
    settings=(
        Setting("open_term_months", 12, "Months at stake where neither the lines nor the contract has an end: a year."),
    ),
    absent_from=Need("contracts", "crm"),
    arithmetic=Arithmetic.of("abs(yearly_change) * months_left / 12", "0"),
    message="An activated amendment {broken}; it changes the year by {yearly_change} {currency}.",
    find=find,
)
