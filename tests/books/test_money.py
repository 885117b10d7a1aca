"""Money: exact in Decimal, wide enough in SQL."""

from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.engine import Engine, connect
from books.money import cent, product, rounded
from books.snapshots import Reading, Snapshot


@pytest.mark.parametrize(
    ("amount", "currency", "document"),
    [("0.005", "USD", "0.01"), ("-0.005", "USD", "-0.01"), ("0.5", "JPY", "1"), ("1.2345", "KWD", "1.235")],
)
def test_documents_round_half_up_to_the_minor_unit(amount: str, currency: str, document: str) -> None:
    assert rounded(Decimal(amount), currency) == Decimal(document)


@given(st.decimals(-(10**14), 10**14, places=8), st.sampled_from(["USD", "JPY", "KWD"]))
def test_rounding_moves_an_amount_by_at_most_half_a_minor_unit(amount: Decimal, currency: str) -> None:
    assert abs(rounded(amount, currency) - amount) * 2 <= cent(currency)


@pytest.mark.parametrize(
    ("quantity", "price"),
    [("20000", "5000"), ("1", "1000000000000"), ("999999999999", "9999999999.99999999"), ("-3.5", "0.00065")],
)
def test_products_do_not_overflow_in_sql(quantity: str, price: str) -> None:
    table = ibis.table({"quantity": "decimal(18,6)", "price": "decimal(24,8)"}, name="t")
    sql = str(ibis.to_sql(table.select(value=product(table.quantity, table.price)), dialect="duckdb"))
    engine = Engine(connect())
    schema = pa.schema([("quantity", pa.decimal128(18, 6)), ("price", pa.decimal128(24, 8))])
    engine.hold("t", pa.Table.from_pylist([{"quantity": Decimal(quantity), "price": Decimal(price)}], schema))
    exact = Context(prec=50).multiply(Decimal(quantity), Decimal(price))
    assert Context(prec=50).subtract(engine.rows(sql)[0]["value"], exact).copy_abs() < Decimal("0.00000001")


def test_products_of_products_do_not_overflow_either() -> None:
    table = ibis.table({"quantity": "decimal(18,6)", "price": "decimal(24,8)"}, name="t")
    nested = product(product(product(table.quantity, table.price), ibis.literal(365)), table.quantity)
    sql = str(ibis.to_sql(table.select(value=nested), dialect="duckdb"))
    engine = Engine(connect())
    schema = pa.schema([("quantity", pa.decimal128(18, 6)), ("price", pa.decimal128(24, 8))])
    engine.hold("t", pa.Table.from_pylist([{"quantity": Decimal(3), "price": Decimal(10**12)}], schema))
    assert engine.rows(sql)[0]["value"] == Decimal(3 * 10**12 * 365 * 3)


def test_as_of_is_the_oldest_watermark_of_each_system() -> None:
    early, late = datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 9, tzinfo=UTC)
    readings = {
        ("a", "accounts"): Reading(late, late - early),
        ("a", "invoices"): Reading(early, late - early),
        ("b", "accounts"): Reading(late, late - early),
        ("b", "invoices"): Reading(None, late - early),
    }
    assert Snapshot("s", late, {}, readings).as_of() == {"a": early, "b": None}


@pytest.mark.parametrize(("age_minutes", "usable"), [(0, True), (60, True), (61, False)])
def test_a_reading_older_than_its_target_may_not_be_relied_on(age_minutes: int, usable: bool) -> None:
    now = datetime(2026, 12, 1, 9, tzinfo=UTC)
    reading = Reading(now - timedelta(minutes=age_minutes), timedelta(hours=1))
    assert (reading.trouble(now) is None) is usable
