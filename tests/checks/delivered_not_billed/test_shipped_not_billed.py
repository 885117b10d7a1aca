from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind
from tests.checks.broken import shipped
from tests.checks.kit import Ledger, ask, findings, only

CHECK = "shipped_not_billed"


def invoiced(ledger: Ledger, amount: str, key: str = "INVS") -> Ledger:
    line = {"line_version_key": "SL5", "product_code": "ROUTER", "quantity": Decimal(10), "amount": Decimal(amount)}
    return ledger.invoice(key, date(2026, 11, 15), line)


def test_what_left_and_was_never_invoiced() -> None:
    finding = only(CHECK, shipped())
    assert str(finding.record) == "shipping/shipments/SH1"
    assert (finding.amount, finding.kind) == (Decimal("1200.00"), MoneyKind.LEAK)


@pytest.mark.parametrize(("billed", "short"), [("1200", None), ("1199.99", None), ("1199.98", "0.02"), ("900", "300")])
def test_invoiced_for_less_than_the_contract_price(billed: str, short: str | None) -> None:
    found = findings(CHECK, invoiced(shipped(), billed))
    assert [f.amount for f in found] == ([Decimal(short)] if short else [])


def test_what_was_invoiced_pays_for_the_earliest_shipment() -> None:
    ledger = invoiced(shipped(), "1500")
    said = {"contract_line_key": "CL5", "product_code": "ROUTER", "quantity": Decimal(10), "currency": "USD"}
    ledger.add("shipments", "shipping", "SH2", shipped_date=date(2026, 11, 12), status="shipped", **said)
    finding = only(CHECK, ledger)
    assert (finding.record.key, finding.actual, finding.amount) == ("SH2", Decimal("300.00"), Decimal("900.00"))


def test_five_days_to_settle() -> None:
    assert only(CHECK, shipped(shipped_date=date(2026, 11, 26))).record.key == "SH1"
    assert ask(CHECK, shipped(shipped_date=date(2026, 11, 27))).wake_ups == (datetime(2026, 12, 2, tzinfo=UTC),)


def by_order() -> Ledger:
    """The shipment names its order line only; the order line names the contract line."""
    ledger = shipped(contract_line_key=None, order_line_key="OL1")
    return ledger.add("order_lines", "shipping", "OL1", contract_line_key="CL5", unit_price=Decimal(1))


def looks_alike() -> dict[str, Ledger]:
    bare = shipped(contract_line_key=None, unit_price=Decimal(120))
    return {
        "invoiced": invoiced(shipped(), "1200"),
        "invoiced in two parts": invoiced(invoiced(shipped(), "700"), "500", "INVT"),
        "a replacement": shipped(status="Replacement"),
        "consignment": shipped(status="consignment"),
        "returned": shipped(status="returned"),
        "a test account": shipped().change_account(is_test=True),
        "invoiced for the product": invoiced(bare, "1200"),
        "through the order": invoiced(by_order(), "1200"),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_the_contract_price_comes_before_the_orders() -> None:
    assert only(CHECK, by_order()).terms["unit_price"] == 120


def test_goods_without_any_price_are_left_unjudged() -> None:
    ledger = shipped(contract_line_key=None)
    assert [w.record.key for w in ask(CHECK, ledger).waiting] == ["SH1"]
