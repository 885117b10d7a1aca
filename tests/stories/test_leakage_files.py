"""A customer who has nothing but files: contracts, invoices, credit memos and rates, mapped by YAML and checked.

The figures are a published case (tests/data/leakage_case/SOURCE.md) whose answers are known.
"""

import os
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from books.engine import Engine
from checks.contract import MoneyKind, Outcome
from checks.findings import Evaluation
from gateway.config import parse
from gateway.db.session import Database
from gateway.installation import Installation
from gateway.sweep import evaluate
from gateway.sync.run import sync_now

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2025, 10, 31, 12, tzinfo=UTC)
SOURCES = {
    "plans": ("crm", "leakage_plans"),
    "ledger": ("billing", "leakage_ledger"),
    "rates": ("reference", "leakage_rates"),
}


@pytest.fixture
def installed(tmp_path: Path, database: Database) -> Installation:
    shutil.copytree(DATA / "leakage_case", tmp_path / "case")
    for file in (tmp_path / "case").iterdir():
        os.utime(file, (NOW.timestamp() - 3_600,) * 2)
    sources = {
        name: {
            "connector": "files",
            "roles": [role],
            "mapping": str(DATA / "mappings" / f"{mapping}.yaml"),
            "settings": {"folder": str(tmp_path / "case")},
        }
        for name, (role, mapping) in SOURCES.items()
    }
    config = parse({"sources": sources, "books": str(tmp_path / "books")}, tmp_path)
    installation = Installation(config, lambda: NOW)
    installation.database = database
    return installation


def checked(installed: Installation) -> dict[str, Evaluation]:
    report = sync_now(installed)
    assert {name: (found.failure, found.rejects) for name, found in report.sources.items()} == dict.fromkeys(
        SOURCES, (None, 0)
    )
    snapshot = installed.ledger.latest()
    assert snapshot is not None
    with Engine.over(installed.store, snapshot) as engine:
        return {e.check.id: e for e in evaluate(installed, engine, snapshot, NOW)}


def test_the_known_leaks_are_found_and_the_cleared_difference_is_not(installed: Installation) -> None:
    evaluations = checked(installed)
    found = {
        (f.check, f.record.key, f.period[0], f.amount, f.kind)
        for evaluation in evaluations.values()
        for f in evaluation.findings
    }
    assert found == {
        # The September invoice between those of August and October.
        ("missing_expected_invoice", "C-1001", date(2025, 9, 1), Decimal("8000.00"), MoneyKind.LEAK),
        # A quarter of 90,000 a year is 22,500; 20,000 were billed.
        ("contract_terms_vs_billing", "I-9110", date(2025, 3, 1), Decimal("2500.00"), MoneyKind.LEAK),
        # 120,000 a year, 100,000 billed.
        ("contract_terms_vs_billing", "I-9201", date(2025, 1, 15), Decimal("20000.00"), MoneyKind.LEAK),
        # It names no contract; it is dated after the day on which we look, and reported all the same.
        ("invoice_without_contract_detail", "I-9202", None, Decimal("15000.00"), MoneyKind.EXPOSURE),
        # Further: the quarter from June was cut by the amendment of July. Its 30 of 92 days are on no invoice.
        ("missing_expected_invoice", "C-1007", date(2025, 6, 1), Decimal("7336.96"), MoneyKind.LEAK),
        # The sums say the same, by the month in which each period fell due; the wrong currency is cleared here too.
        ("booked_vs_billed_tieout", "C-1010", date(2025, 1, 1), Decimal("20000.00"), MoneyKind.LEAK),
        ("booked_vs_billed_tieout", "C-1007", date(2025, 6, 1), Decimal("2500.00"), MoneyKind.LEAK),
        ("booked_vs_billed_tieout", "C-1007", date(2025, 7, 1), Decimal("7336.96"), MoneyKind.LEAK),
        ("booked_vs_billed_tieout", "C-1001", date(2025, 9, 1), Decimal("8000.00"), MoneyKind.LEAK),
        # The line that was billed in euro although dollars were agreed, whatever came of it.
        ("tax_or_currency_mismatch", "I-9123", date(2025, 9, 12), Decimal("2000.00"), MoneyKind.EXPOSURE),
        # The memo that clears it says neither why nor by whom.
        ("credit_memo_without_contract", "M-300", None, Decimal("2000.00"), MoneyKind.EXPOSURE),
    }
    assert evaluations["contract_terms_vs_billing"].outcome is Outcome.FAILED


def test_without_the_credit_memo_the_wrong_currency_shows(installed: Installation, tmp_path: Path) -> None:
    memos = tmp_path / "case" / "credit_memos.json"
    memos.write_text(
        '[{"memo_id": "M-1", "plan_id": "C-1001", "invoice_id": "I-9001", "amount": 0, "currency": "USD"}]'
    )
    os.utime(memos, (NOW.timestamp() - 3_600,) * 2)
    over = [f for f in checked(installed)["contract_terms_vs_billing"].findings if f.record.key == "I-9123"]
    assert [(f.amount, f.kind) for f in over] == [(Decimal("2000.00"), MoneyKind.OVERBILL)]


def test_what_no_source_fills_is_not_applicable(installed: Installation) -> None:
    evaluations = checked(installed)
    for check in ("shipped_not_billed", "invoice_not_in_erp", "usage_unmatched_account", "closed_won_not_in_billing"):
        assert evaluations[check].outcome is Outcome.NOT_APPLICABLE, check
