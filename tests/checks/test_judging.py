from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Need,
    Outcome,
    Owner,
    Pattern,
    Scope,
    Severity,
    Spans,
    Tolerance,
)
from checks.errors import DeclarationError
from checks.findings import Evaluation
from checks.judging import Bands, judge
from tests.checks.kit import NOW

DOC = """Broken.

Why it matters: money.

Usual cause: haste.

How to fix: slowly.

What it is not: chance.
"""
CHECK = Check(
    id="an_example",
    doc=DOC,
    pattern=Pattern.SEQUENCING,
    severity=Severity.S3,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(),
    arithmetic=Arithmetic.of("quantity * unit_price", "billed"),
    tolerance=Tolerance(Decimal("0.01"), Decimal("0.005")),
    absent_from=Need("invoice_lines", "billing"),
    message="{quantity} at {unit_price} is {expected} {currency}, not {actual}: {amount}.",
    find=lambda books, _: books.table("invoices", "billing"),
)
ROW: dict[str, Any] = {
    "system": "billing",
    "entity": "invoices",
    "key": "I1",
    "account_key": "A1",
    "subject": "S1",
    "period_start": date(2026, 11, 1),
    "period_end": date(2026, 12, 1),
    "currency": "USD",
    "invoice_key": "I1",
    "line_key": None,
    "fails_from": None,
    "known_at": NOW - timedelta(days=1),
    "evidence": ["billing/invoices/I1", None, "billing/invoices/I1", "crm/contracts/K/1"],
    "quantity": Decimal(500),
    "unit_price": Decimal(40),
    "billed": Decimal(18_000),
}


def judged(known_until: datetime | None = NOW, check: Check = CHECK, **columns: Any) -> Evaluation:
    return judge(check, [{**ROW, **columns}], known_until, NOW, Bands())


def test_a_finding_is_recomputed_and_told() -> None:
    (finding,) = judged().findings
    assert finding.amount == Decimal("2000.00")
    assert finding.message == "500 at 40 is 20,000.00 USD, not 18,000.00: 2,000.00."
    assert finding.arithmetic == (
        "expected = quantity * unit_price = 500 × 40 = 20,000; actual = billed = 18,000; "
        "amount = expected - actual = 20,000 − 18,000 = 2,000"
    )
    assert [str(e) for e in finding.evidence] == ["billing/invoices/I1", "crm/contracts/K/1"]
    assert finding.fails_from == NOW


@pytest.mark.parametrize(("billed", "outcome"), [("19900", Outcome.PASSED), ("19899.99", Outcome.FAILED)])
def test_exactly_at_the_tolerance_is_no_finding(billed: str, outcome: Outcome) -> None:
    assert judged(billed=Decimal(billed)).outcome is outcome


def test_the_sign_decides_the_kind() -> None:
    (finding,) = judged(billed=Decimal(21_000)).findings
    assert (finding.kind, finding.amount) == (MoneyKind.OVERBILL, Decimal("1000.00"))


def test_a_row_may_bring_its_own_mode_kind_and_severity() -> None:
    (finding,) = judged(mode="warn", kind="timing", severity="S1").findings
    assert (finding.mode, finding.kind, finding.severity) == (Mode.WARN, MoneyKind.TIMING, Severity.S1)
    (finding,) = judged(mode=None, kind=None, severity=None).findings
    assert (finding.mode, finding.kind, finding.severity) == (Mode.BLOCK, MoneyKind.LEAK, Severity.S3)


def test_a_later_instant_is_a_wake_up() -> None:
    later = NOW + timedelta(seconds=1)
    assert judged(fails_from=later).wake_ups == (later,)
    assert judged(fails_from=NOW).outcome is Outcome.FAILED


def test_a_row_waits_for_the_system_that_is_behind() -> None:
    stamp = ROW["known_at"]
    assert judged(known_until=stamp).outcome is Outcome.FAILED
    evaluation = judged(known_until=stamp - timedelta(seconds=1))
    assert evaluation.outcome is Outcome.NOT_EVALUATED
    assert "billing invoices I1 was changed at 2026-11-30 09:30 UTC" in str(evaluation.reason)


def test_a_row_without_a_term_does_not_stop_the_others() -> None:
    rows = [{**ROW, "key": "I0", "billed": None}, ROW]
    evaluation = judge(CHECK, rows, NOW, NOW, Bands())
    assert evaluation.outcome is Outcome.FAILED
    assert [f.record.key for f in evaluation.findings] == ["I1"]
    assert [w.reason for w in evaluation.waiting] == ["an_example: invoices I0 of billing has no billed."]
    assert judge(CHECK, rows[:1], NOW, NOW, Bands()).outcome is Outcome.NOT_EVALUATED


def test_a_division_by_zero_leaves_one_row_unjudged() -> None:
    check = replace(CHECK, arithmetic=Arithmetic.of("quantity / unit_price", "0"))
    assert "divides by zero" in str(judged(check=check, unit_price=Decimal(0)).reason)


def test_a_trillion_yen_to_the_yen() -> None:
    evaluation = judged(currency="JPY", unit_price=Decimal(2_000_000_000), billed=Decimal(10**12 * 99 // 100))
    assert [f.amount for f in evaluation.findings] == [Decimal(10**10)]


@pytest.mark.parametrize(
    ("amount", "severity"),
    [("249.99", Severity.S3), ("2500", Severity.S2), ("25000", Severity.S1), ("24999.99", Severity.S2)],
)
def test_the_amount_may_make_it_more_severe(amount: str, severity: Severity) -> None:
    assert Bands().severity(Severity.S3, Decimal(amount), "USD") is severity


def test_another_currency_counts_at_its_rate_or_not_at_all() -> None:
    bands = Bands(rates={"JPY": Decimal("0.0065")})
    assert bands.severity(Severity.S4, Decimal(400_000), "JPY") is Severity.S2
    assert bands.severity(Severity.S4, Decimal(400_000), "EUR") is Severity.S4


def test_a_docstring_without_advice_is_refused() -> None:
    with pytest.raises(DeclarationError, match="How to fix"):
        replace(CHECK, doc=DOC.replace("How to fix", "What to do"))


def test_a_need_of_an_unknown_role_is_refused() -> None:
    with pytest.raises(DeclarationError, match="accounts"):
        Need("accounts", "marketing")
    assert Need("accounts", "crm").where_filled() == Need("accounts", "crm", may_be_empty=True, optional=True)


def test_what_a_check_needs_twice_is_one_need_the_strictest() -> None:
    lenient, strict = Need("invoices", "billing").where_filled(), Need("invoices", "billing")
    check = replace(CHECK, needs=(lenient, Need("accounts", "crm"), strict, lenient))
    assert check.needs == (strict, Need("accounts", "crm"))
