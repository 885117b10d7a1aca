"""A credit memo names neither the invoice nor the contract that it corrects, or has no reason, or nobody approved it.

Why it matters: a credit memo gives money away. Without what it corrects, why, and who allowed it, nobody can tell a
correction from a favour or from fraud, and the auditor asks for each of them.

Usual cause: the memo was typed in beside the process, often in the ERP, or an interface dropped its reference.

How to fix: add the invoice or the contract, the reason and the approval, or take the memo back.

What it is not: a goodwill credit up to the limit that carries a reason code, a memo whose approval was given in
another tool and imported, or the ERP's copy of a memo that billing documents well.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic import fx
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
from checks.facts import approved, memos
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Memos that lack something; a small one needs a reason code and nothing else."""
    memo = of_customers(books, memos.converted_to(params.text("limit_currency")))
    given = _approved(books, memo)
    memo = memo.left_join(given, [memo.system == given.a_system, memo.key == given.a_key])
    memo = fx.with_rate(books, memo, "currency", "limit_currency", "memo_date")
    limit = ibis.literal(params.decimal("goodwill_limit")).cast("decimal(38, 9)")
    demanded = params.texts("demanded")
    memo = memo.mutate(
        is_small=(product(memo.amount, memo.rate) <= limit).fill_null(False),
        no_reference=memo.invoice_key.isnull() & memo.contract_key.isnull() & ("reference" in demanded),
        no_reason=memo.reason.isnull() & memo.reason_code.isnull() & ("reason" in demanded),
        no_approver=memo.approved_by.isnull() & memo.a_key.isnull() & ("approver" in demanded),
    )
    lacks = memo.no_reference | memo.no_reason | memo.no_approver
    off = memo.filter(lacks & ~(memo.is_small & memo.reason_code.notnull()))
    return candidates(
        off,
        "credit_memos",
        subject=ibis.coalesce(off.number, off.key),
        evidence=listed(
            reference(off.system, "credit_memos", off.key), reference(off.system, "invoices", off.invoice_key)
        ),
        known_at=off.no_approver.ifelse(off.modified_at, ibis.null("timestamp('UTC', 6)")),
        mode=off.is_small.ifelse(Mode.WARN.value, Mode.BLOCK.value),
        memo=ibis.coalesce(off.number, off.key),
        lacking=_said(off),
        credited=off.amount,
    )


def _approved(books: Books, memo: ir.Table) -> ir.Table:
    """(a_system, a_key) of memos with an approval that held on their day, by key or by number."""
    given = approved.approvals(books, "credit").select("until_date", of_record="record_key")
    parts = [memo.inner_join(given, memo[name] == given.of_record) for name in ("key", "number")]
    holds = [part.filter((part.memo_date < part.until_date).fill_null(True)) for part in parts]
    first, second = (part.select(a_system="system", a_key="key") for part in holds)
    return first.union(second, distinct=True)


def _said(memo: ir.Table) -> ir.StringValue:
    text = (
        memo.no_reference.ifelse("invoice or contract, ", "")
        + memo.no_reason.ifelse("reason, ", "")
        + memo.no_approver.ifelse("approver, ", "")
    )
    return text.substr(0, text.length() - 2)


CHECK = Check(
    id="credit_memo_without_contract",
    doc=__doc__,
    pattern=Pattern.CREDITS,
    severity=Severity.S2,
    owners=(Owner.FINANCE_OPS, Owner.BILLING_OPS),
    mode=Mode.BLOCK,
    scope=Scope.CREDIT_MEMO,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(Need("invoices", "billing"), *memos.NEEDS, *approved.NEEDS, *fx.NEEDS, *CUSTOMER_NEEDS),
    one_of=("credit_memos",),
    settings=(
        Setting(
            "demanded",
            ("reference", "reason", "approver"),
            "What a memo must carry; leave out what your systems do not hold.",
        ),
        Setting("goodwill_limit", 250, "Up to this amount support may grant goodwill with a reason code alone."),
        Setting(
            "limit_currency", "USD", "The currency of the limit; other currencies are converted on the memo's day."
        ),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("approvals", "crm").where_filled(),
    arithmetic=Arithmetic.of("0", "credited", "actual - expected"),
    message="Credit memo {memo} of {credited} {currency} lacks: {lacking}.",
    find=find,
)
