from tests.checks.kit import findings, only
from tests.checks.master_data.states import TOTAL, owned

CHECK = "customer_hierarchy_drift"


def test_another_parent_or_none_in_the_erp_is_drift() -> None:
    finding = only(CHECK, owned("erp-P2"))
    assert (finding.amount, finding.record.system, finding.record.key) == (TOTAL, "erp", "E1")
    assert "P2" in finding.message
    assert only(CHECK, owned(None)).subject == "A1/erp"
    assert findings(CHECK, owned("erp-P1")) == ()


def test_billing_without_a_parent_says_nothing() -> None:
    assert findings(CHECK, owned("erp-P1")) == ()
    assert only(CHECK, owned("erp-P1", parent_key="billing-P2")).record.system == "billing"


def test_a_payer_is_not_a_legal_parent() -> None:
    paid = owned("erp-P1", parent_key="billing-P2", invoice_owner_key="billing-P2")
    assert findings(CHECK, paid) == ()
    assert findings(CHECK, owned("erp-P2", invoice_owner_key="billing-P2")) == ()
