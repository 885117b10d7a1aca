from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import Mode, MoneyKind, Outcome
from tests.checks.credits.states import credited
from tests.checks.kit import Ledger, ask, clean, findings, only

CHECK = "credit_memo_without_contract"


def test_a_memo_that_nobody_approved() -> None:
    finding = only(CHECK, credited(approved_by=None))
    assert str(finding.record) == "billing/credit_memos/CM1"
    assert (finding.amount, finding.kind, finding.mode) == (Decimal("1200.00"), MoneyKind.EXPOSURE, Mode.BLOCK)
    assert finding.message == "Credit memo N-CM1 of 1,200 USD lacks: approver."


def test_all_that_it_lacks_is_said() -> None:
    bare = credited(approved_by=None, reason=None, reason_code=None, invoice_key=None)
    assert only(CHECK, bare).message.endswith("lacks: invoice or contract, reason, approver.")
    by_contract = credited(invoice_key=None, contract_key="K1")
    assert findings(CHECK, by_contract) == ()


@pytest.mark.parametrize(
    ("amount", "code", "mode"),
    [("250", "goodwill", None), ("250.01", "goodwill", Mode.BLOCK), ("250", None, Mode.WARN)],
)
def test_goodwill_up_to_the_limit_needs_a_code_alone(amount: str, code: str | None, mode: Mode | None) -> None:
    small = credited(amount=Decimal(amount), reason=None, reason_code=code, approved_by=None, invoice_key=None)
    assert [finding.mode for finding in findings(CHECK, small)] == ([mode] if mode else [])


def test_the_limit_is_converted_on_the_day_of_the_memo() -> None:
    yen: dict[str, Any] = {"amount": Decimal(35_000), "currency": "JPY", "approved_by": None}
    rate = {"from_currency": "JPY", "to_currency": "USD", "rate_date": date(2026, 11, 1), "account_key": None}
    known = credited(**yen).add("fx_rates", "reference", "1", rate=Decimal("0.0067"), **rate)
    assert findings(CHECK, known) == ()
    assert only(CHECK, credited(**yen)).mode is Mode.BLOCK, "an unknown rate makes nothing small"


def looks_alike() -> dict[str, Ledger]:
    bare: dict[str, Any] = {"approved_by": None, "reason": None, "reason_code": None}
    approval = {"status": "approved", "kind": "credit"}
    return {
        "approved elsewhere": credited(approved_by=None).add("approvals", "crm", "AP", record_key="N-CM1", **approval),
        "approved in the tool for approvals": credited(approved_by=None).add(
            "approvals", "audit", "AP", record_key="CM1", **{**approval, "kind": None}, until_date=date(2026, 11, 13)
        ),
        "a copy in the ERP": credited(credited(), "E1", "erp", billing_key="N-CM1", **bare),
        "a copy that names no memo": credited(credited(), "E1", "erp", **bare),
        "void": credited(status="void", **bare),
        "a test account": credited(clean().change_account(is_test=True), **bare),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_memo_of_the_erp_alone_is_judged_too() -> None:
    assert str(only(CHECK, credited(key="E1", role="erp", approved_by=None)).record) == "erp/credit_memos/E1"


def test_approvals_that_are_not_read_that_far_leave_it_open() -> None:
    evaluation = ask(CHECK, credited(approved_by=None), behind={"crm": timedelta(days=11)})
    assert evaluation.outcome is Outcome.NOT_EVALUATED


@pytest.mark.parametrize(
    "columns", [{"status": "pending"}, {"kind": "discount"}, {"until_date": date(2026, 11, 12)}, {"record_key": "CM2"}]
)
def test_an_approval_that_does_not_cover_it(columns: dict[str, Any]) -> None:
    approval = {"status": "approved", "kind": "credit", "record_key": "CM1", **columns}
    assert only(CHECK, credited(approved_by=None).add("approvals", "erp", "AP", **approval))
