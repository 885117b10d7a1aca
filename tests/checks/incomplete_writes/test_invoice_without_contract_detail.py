from datetime import date, timedelta
from decimal import Decimal

import pytest

from checks.contract import MoneyKind, Outcome
from tests.checks.broken import lost_line
from tests.checks.kit import Ledger, ask, clean, findings, only, seats

CHECK = "invoice_without_contract_detail"


def test_a_line_that_names_no_contract() -> None:
    finding = only(CHECK, lost_line())
    assert str(finding.record) == "billing/invoice_lines/INVX-1"
    assert (finding.amount, finding.kind) == (Decimal("15000.00"), MoneyKind.EXPOSURE)
    assert finding.message == "A line of 15,000 USD on invoice INVX lacks: contract reference."
    assert (finding.invoice_key, finding.line_key) == ("INVX", "INVX-1")


def po_required() -> Ledger:
    return clean().change("contracts", "K1", po_required=True)


def numbered(ledger: Ledger) -> Ledger:
    for row in ledger.rows["invoices"]:
        row["po_number"] = "PO-1"
    return ledger


def test_everything_that_is_lacking_is_named() -> None:
    ledger = numbered(po_required()).invoice(
        "INVX", date(2026, 12, 1), seats(12, tax=Decimal(400)), status="draft", due_date=None
    )
    ledger.change("contracts", "K1", payment_terms=None)
    finding = only(CHECK, ledger)
    assert "lacks: payment terms, purchase order, tax code" in finding.message
    assert finding.subject == "SL1"


def looks_alike() -> dict[str, Ledger]:
    return {
        "the contract stands on the invoice": clean().invoice(
            "INVX", date(2026, 11, 10), {"line_version_key": None, "amount": Decimal(5)}, contract_key="K1"
        ),
        "a credit": lost_line(charge_type="credit", amount=Decimal(-50)),
        "a discount": lost_line(charge_type="discount"),
        "void": lost_line().change("invoices", "INVX", status="void"),
        "a purchase order that is there": numbered(po_required()),
        "terms of the account": clean()
        .change("contracts", "K1", payment_terms=None)
        .change_account(payment_terms="Net 30"),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_contract_that_the_crm_does_not_have() -> None:
    ledger = lost_line(contract_line_key="gone")
    assert "lacks: contract in the CRM" in only(CHECK, ledger).message
    evaluation = ask(CHECK, ledger, behind={"crm": timedelta(days=11)})
    assert (evaluation.outcome, evaluation.findings) == (Outcome.NOT_EVALUATED, ())


def test_the_fingerprint_outlives_the_draft() -> None:
    one = only(CHECK, lost_line().change("invoices", "INVX", status="draft"))
    again = lost_line().remove("invoices", "INVX").remove("invoice_lines", "INVX-1")
    again.invoice(
        "INVY", date(2026, 11, 10), {"line_version_key": None, "product_code": "EXTRA", "amount": Decimal(15_000)}
    )
    assert only(CHECK, again).fingerprint == one.fingerprint
