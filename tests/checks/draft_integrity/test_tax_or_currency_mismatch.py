from decimal import Decimal

import pytest

from tests.checks.draft_integrity.states import in_euro, one_line_without_tax, taxed
from tests.checks.kit import Ledger, clean, findings, only

CHECK = "tax_or_currency_mismatch"


def test_a_line_without_the_tax_that_its_code_had_before() -> None:
    finding = only(CHECK, one_line_without_tax())
    assert (finding.line_key, finding.amount) == ("INV12-1", Decimal("3800.00"))


def test_tax_for_a_customer_that_is_exempt_as_the_erp_says() -> None:
    ledger = taxed().add("accounts", "erp", "E1", tax_status="exempt").change_account(tax_status="taxable")
    ledger.change("accounts", "E1", tax_status="exempt")
    found = findings(CHECK, ledger)
    assert {(f.line_key, f.amount) for f in found} >= {("INV12-1", Decimal("3800.00"))}
    assert len(found) == 12


def test_another_code_than_was_agreed_is_worth_the_difference() -> None:
    ledger = taxed(tax_code="REDUCED", tax=Decimal(1_400)).change("contract_lines", "CL1", tax_code="VAT")
    finding = only(CHECK, ledger)
    assert (finding.amount, finding.expected) == (Decimal("2400.00"), Decimal("3800.00"))
    assert "taxed by REDUCED and not by VAT" in finding.message


def test_an_invoice_in_a_currency_that_nobody_agreed_on() -> None:
    finding = only(CHECK, in_euro())
    assert (str(finding.record), finding.amount, finding.currency) == (
        "billing/invoices/INV12",
        Decimal("2000.00"),
        "USD",
    )


def looks_alike() -> dict[str, Ledger]:
    return {
        "taxed every month": taxed(),
        "not calculated yet": taxed(12),
        "exempt, and no tax": clean().change_account(tax_status="exempt"),
        "another rate of the same code": taxed(tax=Decimal(3_200)),
        "rounded": taxed(tax=Decimal("3799.99")).change("contract_lines", "CL1", tax_code="VAT"),
        "the contract is in that currency": in_euro().change("contract_lines", "CL1", currency="EUR"),
        "the account is in that currency": in_euro().change_account(currency="EUR"),
        "void": one_line_without_tax().change("invoices", "INV12", status="void"),
        "a test account": one_line_without_tax().change_account(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
