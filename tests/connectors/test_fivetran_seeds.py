"""Records that others published, through the files connector: every row lands, or is a reject that says why."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.files.connector import Files, FilesConfig
from connectors.mapping import Mapping
from connectors.mapping_file import load
from connectors.tables import booked

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / ".." / "shared" / "data"
MAPPINGS = ROOT / "tests" / "data" / "mappings"
NOW = datetime(2035, 1, 1, tzinfo=UTC)
FOLDERS = ("fivetran_zuora", "fivetran_salesforce", "fivetran_netsuite", "fivetran_stripe")
# Tables that hold nothing for which the books have an entity.
NO_ENTITY = {
    "fivetran_zuora": "contact credit_balance_adjustment invoice_payment payment_method product_rate_plan rate_plan"
    " refund refund_invoice_payment taxation_item",
    "fivetran_salesforce": "contact contact_history event lead opportunity_line_item task user user_role",
    "fivetran_netsuite": "account account_type accounting_book accounting_book_sub accounting_period_fiscal_cal"
    " classification currency customer_subsidiary_relationship department employee entities entity_address"
    " fiscal_calendar job location location_main_address nexus subsidiary vendor vendor_category"
    " vendor_subsidiary_relationship accounting_books accounts classes currencies departments expense_accounts"
    " income_accounts locations subsidiaries vendor_types vendors",
    "fivetran_stripe": "account balance_transaction card coupon credit_note_line_item discount discount_data_postgres"
    " discount_data_snowflake dispute fee payment_intent payment_method payment_method_card payout"
    " payout_balance_transaction refund subscription_discount subscription_discount_data_postgres"
    " subscription_discount_data_snowflake subscription_history transfer",
}

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason="the published records of ../shared are not here")


def _rows(path: Path) -> int:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


def _table_of(path: Path) -> str:
    """The name of a table from its file's; those of Stripe do not name the system first."""
    stem = path.name.removesuffix(".csv").removesuffix("_data")
    return stem if path.parent.name == "fivetran_stripe" else stem.split("_", 1)[1]


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = SEEDS / request.param
    return found


@pytest.fixture
def mapping(folder: Path) -> Mapping:
    return load(MAPPINGS / f"{folder.name}.yaml")


def test_every_table_is_mapped_or_known_to_have_no_entity(folder: Path, mapping: Mapping) -> None:
    mapped = {str(o.options["pattern"]) for o in mapping.objects.values()}
    left = {_table_of(path) for path in folder.glob("*.csv") if path.name not in mapped}
    assert left == set(NO_ENTITY[folder.name].split())


def test_every_row_lands_or_is_rejected_with_a_reason(folder: Path, mapping: Mapping) -> None:
    connector = Files(FilesConfig(folder), mapping, lambda: NOW)
    for name, mapped in mapping.objects.items():
        records = [record for page in connector.changes(name, None) for record in page.records]
        result = mapped.book(records, "seeds", NOW)
        assert len(records) == _rows(folder / mapped.options["pattern"])
        assert all(reject.reason.endswith(".") for reject in result.rejects)
        for _, rows in result.rows:
            assert len(rows) + len(result.rejects) == len(records), name


def test_column_by_column_gives_the_same_rows(folder: Path, mapping: Mapping) -> None:
    connector = Files(FilesConfig(folder), mapping, lambda: NOW)
    for name, mapped in mapping.objects.items():
        records = [record for page in connector.changes(name, None) for record in page.records]
        singly, together = mapped.book(records, "seeds", NOW), booked(mapped, records, "seeds", NOW)
        expected = [pa.Table.from_pylist(list(rows), target.entity.arrow) for target, rows in singly.rows if rows]
        assert [table for _, table in together.tables] == expected
        assert together.rejects == singly.rejects


def test_hours_of_one_digit_are_the_only_rejects() -> None:
    reasons = []
    for name in FOLDERS:
        mapping = load(MAPPINGS / f"{name}.yaml")
        connector = Files(FilesConfig(SEEDS / name), mapping, lambda: NOW)
        for object_name, mapped in mapping.objects.items():
            for page in connector.changes(object_name, None):
                reasons += [reject.reason for reject in mapped.book(page.records, "seeds", NOW).rejects]
    assert reasons
    assert all("is not an instant such as" in reason for reason in reasons), reasons
