from decimal import Decimal

import pytest

from tests.checks.kit import findings, only
from tests.checks.master_data.states import TOTAL, known

CHECK = "master_data_drift"


@pytest.mark.parametrize(
    ("attribute", "right", "other", "severity", "mode"),
    [
        ("legal_entity", "UK Ltd", "US Inc", "S2", "block"),
        ("tax_status", "exempt", "taxable", "S2", "warn"),
    ],
)
def test_the_next_invoice_is_at_stake(attribute: str, right: str, other: str, severity: str, mode: str) -> None:
    finding = only(CHECK, known({attribute: right}, **{attribute: other}))
    assert (finding.amount, finding.invoice_key, finding.subject) == (TOTAL, "INV12", f"A1/{attribute}")
    assert (finding.mode, finding.record.system, finding.record.key) == (mode, "billing", "A1")
    assert finding.severity == severity


def test_longer_terms_cost_the_interest_on_the_days() -> None:
    ledger = known({"payment_terms": "Net 30"}, payment_terms="Net 30")
    (billing,) = [row for row in ledger.rows["accounts"] if row["system"] == "billing"]
    billing["payment_terms"] = "75 days"
    finding = only(CHECK, ledger)
    assert finding.amount == Decimal("197.26")  # 20,000 × 45 × 0.08 / 365
    assert (finding.mode, finding.record.system) == ("warn", "billing")


def test_of_the_currency_the_crm_is_right() -> None:
    finding = only(CHECK, known({"currency": "EUR"}, currency="USD"))
    assert (finding.record.system, finding.mode, finding.currency) == ("erp", "block", "USD")


@pytest.mark.parametrize(
    ("erp", "elsewhere"),
    [
        ({"payment_terms": "30 days"}, {"payment_terms": "Net 30"}),
        ({"payment_terms": "2/10 net 30"}, {"payment_terms": "N30"}),
        ({"payment_terms": "Net 0"}, {"payment_terms": "Due Upon Receipt"}),
        ({"legal_entity": "Holding : US, Inc."}, {"legal_entity": "US Inc"}),
        ({"tax_status": "Taxable"}, {"tax_status": "taxable "}),
        ({"legal_entity": None}, {"legal_entity": "US Inc"}),
        ({"legal_entity": "UK Ltd", "status": "inactive"}, {"legal_entity": "US Inc"}),
    ],
)
def test_another_spelling_is_the_same_and_silence_says_nothing(
    erp: dict[str, str | None], elsewhere: dict[str, str]
) -> None:
    assert findings(CHECK, known(erp, **elsewhere)) == ()


def test_contacts_are_compared_by_their_address() -> None:
    ledger = known({}).contact("crm", "P1", email="Ana@Acme.example ")
    (crm,) = [row for row in ledger.rows["accounts"] if row["system"] == "crm"]
    crm["bill_to_key"] = "P1"
    assert findings(CHECK, ledger) == ()
    finding = only(CHECK, ledger.change("contacts", "P1", email="a.na@acme.example"))
    assert (finding.subject, finding.mode) == ("A1/bill_to", "warn")


def test_a_second_account_for_another_currency_is_meant() -> None:
    ledger = known({}).add("accounts", "billing", "A1-EUR", currency="EUR", status="active")
    assert findings(CHECK, ledger) == ()


def test_an_invoice_with_a_date_of_its_own_is_no_drift_and_every_draft_is_held() -> None:
    ledger = known({"legal_entity": "UK Ltd"}, legal_entity="US Inc").change("invoices", "INV11", status="draft")
    found = findings(CHECK, ledger)
    assert [(f.invoice_key, f.subject) for f in found] == [
        ("INV11", "A1/legal_entity"),
        ("INV12", "A1/legal_entity/2"),
    ]
