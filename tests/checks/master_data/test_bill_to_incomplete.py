import pytest

from tests.checks.kit import ask, findings, only
from tests.checks.master_data.states import TOTAL, drafted, ordered, without

CHECK = "bill_to_incomplete"


@pytest.mark.parametrize("column", ["email", "street", "city", "country"])
def test_what_a_contact_lacks_holds_the_draft(column: str) -> None:
    finding = only(CHECK, without(**{column: " "}))
    assert (finding.amount, finding.invoice_key, finding.kind, finding.mode) == (TOTAL, "INV12", "timing", "block")
    assert finding.subject == "A1"
    assert findings(CHECK, without(postal_code=None, name=None)) == ()


def test_a_purchase_order_is_needed_only_where_the_contract_asks_for_one() -> None:
    assert "purchase order" in only(CHECK, ordered()).message
    assert findings(CHECK, ordered(required=False)) == ()
    assert findings(CHECK, ordered("PO-7")) == ()
    assert findings(CHECK, ordered().change("contracts", "K1", po_number="PO-7")) == ()


def test_the_payer_gets_the_invoice() -> None:
    ledger = without(email=None).account("B1")
    (own,) = [row for row in ledger.rows["accounts"] if (row["system"], row["key"]) == ("billing", "A1")]
    own["invoice_owner_key"] = "B1"
    assert findings(CHECK, ledger) == ()


def test_without_a_draft_nothing_waits() -> None:
    ledger = without(email=None).change("invoices", "INV12", status="posted")
    assert ask(CHECK, ledger).outcome == "passed"
    assert drafted().rows["contacts"]
