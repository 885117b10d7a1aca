from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind
from tests.checks.kit import Ledger, findings, only
from tests.checks.ledger import booked

CHECK = "close_period_misposting"
LATE = datetime(2026, 3, 7, 8, tzinfo=UTC)  # February was closed on the sixth


def invoice(**columns: object) -> Ledger:
    """The three entries of the invoice of February, changed."""
    ledger = booked()
    for key in ("G1", "G2", "G3"):
        ledger.change("ledger_entries", key, **columns)
    return ledger


def test_a_document_in_another_period_than_its_date() -> None:
    finding = only(CHECK, invoice(period_key="P1"))
    assert str(finding.record) == "erp/ledger_entries/G1"
    assert (finding.amount, finding.kind) == (Decimal("13200.00"), MoneyKind.TIMING)
    assert finding.message == "Document E1 of 13,200.00 USD stands in Jan 2026, and its date lies in another period."
    assert len(finding.evidence) == 3


def test_a_document_that_was_written_after_the_close() -> None:
    finding = only(CHECK, invoice(modified_at=LATE))
    assert finding.message.endswith("stands in Feb 2026, and the period was closed before.")


def test_revenue_before_its_service() -> None:
    ledger = booked()
    for key in ("D5", "V5"):
        ledger.change("ledger_entries", key, posted_date=date(2026, 4, 30), period_key="P4")
    finding = only(CHECK, ledger)
    assert (finding.amount, finding.subject) == (Decimal("1000.00"), "RJ5")
    assert finding.message.endswith("its service begins later.")


def looks_alike() -> dict[str, Ledger]:
    approved = {"kind": "posting", "status": "approved", "record_key": "E1"}
    override = {"check": CHECK, "invoice_key": "E1", "approved_by": "maria"}
    return {
        "as it should be": booked(),
        "on the day of the close": invoice(modified_at=LATE.replace(day=6)),
        "a period that is open": booked().change("ledger_entries", "D10", period_key="P10", modified_at=LATE),
        "approved": invoice(modified_at=LATE).add("approvals", "erp", "AP", **approved),
        "overridden": invoice(modified_at=LATE).add("overrides", "controls", "OV", **override),
        "by the period's name": invoice(period_key="Feb 2026"),
        "a test account": invoice(period_key="P1").change_account(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
