"""What must not change a verdict: other names, another order, a clean transaction more, an amount in two parts."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from checks.catalogue import CATALOGUE
from checks.findings import Finding
from tests.checks.broken import BROKEN, found
from tests.checks.kit import ACCOUNT, Ledger, clean, findings

WITH_ROWS = sorted(BROKEN)
Row = Mapping[str, Any]
# These look at all that there is, of which one transaction more is a part; the ledger has no entries of this one.
OF_THE_WHOLE = {
    "run_total_anomaly",
    "field_mapping_drift",
    "realization_rate_low",
    "small_drift_accumulator",
    "recognized_vs_collected_tieout",
    "deferred_rollforward_break",
}
# Usage has no agreed quantity by which two equal parts could be told from the same thing twice, and what is charged
# for a part of a period is judged line by line.
OF_USAGE = {"usage_billed_twice", "usage_vs_invoice_mismatch", "coterm_proration_error"}


def renamed(ledger: Ledger, rename: Callable[[str], str], *, products: bool = False) -> Ledger:
    """The same books with other keys; what only looks like a key, such as a person's name, stays."""

    def value(name: str, said: Any) -> Any:
        is_key = name in ("key", "number", "subscription_number", "account_id") or name.endswith("_key")
        is_product = name in ("product_code", "code") and products
        return rename(said) if (is_key or is_product) and isinstance(said, str) else said

    return Ledger({e: [{n: value(n, v) for n, v in row.items()} for row in rows] for e, rows in ledger.rows.items()})


def verdicts(seen: tuple[Finding, ...]) -> list[tuple[Any, ...]]:
    """What was found, without the names of the records."""
    return sorted((f.severity, f.mode, f.kind, f.amount, f.currency or "", str(f.period)) for f in seen)


@pytest.mark.parametrize("check", WITH_ROWS)
def test_other_names_and_another_order_change_nothing(check: str) -> None:
    other = renamed(BROKEN[check](), lambda name: f"x{name[::-1]}").turned()
    assert verdicts(findings(check, other)) == verdicts(found(check))


@pytest.mark.parametrize("check", [check for check in WITH_ROWS if check not in OF_THE_WHOLE])
def test_a_clean_transaction_of_the_same_customer_changes_nothing(check: str) -> None:
    more = renamed(clean(), lambda name: name if name == ACCOUNT else f"more-{name}", products=True)
    more.rows.pop("accounts")
    if CATALOGUE[check].id == "invoice_not_in_erp":
        more.rows.pop("invoices")
    assert verdicts(findings(check, BROKEN[check]().join(more))) == verdicts(found(check))


@pytest.mark.parametrize("check", [check for check in WITH_ROWS if check not in OF_USAGE])
def test_a_line_in_two_equal_parts_has_the_same_total(check: str) -> None:
    ledger = BROKEN[check]()
    halved = Ledger({entity: list(rows) for entity, rows in ledger.rows.items()})
    halved.rows["invoice_lines"] = [part for row in ledger.rows.get("invoice_lines", []) for part in _halves(row)]
    assert _total(findings(check, halved)) == _total(found(check))


def _halves(row: Row) -> list[dict[str, Any]]:
    """Both parts of a line of billing. What other systems hold of it still names the first."""
    if row["system"] != "billing" or row.get("amount") is None:
        return [dict(row)]
    parts: dict[str, Decimal] = {n: row[n] / 2 for n in ("amount", "tax", "quantity") if row.get(n) is not None}
    return [{**row, **parts}, {**row, **parts, "key": f"{row['key']}-b"}]


def _total(seen: tuple[Finding, ...]) -> dict[tuple[str, str], Decimal]:
    sums: dict[tuple[str, str], Decimal] = {}
    for finding in seen:
        of = (finding.kind.value, finding.currency or "")
        sums[of] = sums.get(of, Decimal(0)) + finding.amount
    return sums
