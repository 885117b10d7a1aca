"""What a body may say, and what is refused before any check is asked."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.prebill.drafts import from_body
from gateway.prebill.request import fingerprint, parse
from tests.gateway.prebill.prebill_world import NOW, invoice, line, question


def _refused(body: object) -> str:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Refused) as refused:
        _drafts(said)
    assert refused.value.kind == "malformed-request"
    return str(refused.value)


def _drafts(body: bytes) -> Any:
    asked = parse(body)
    return from_body(asked.run, asked.invoices or (), NOW)


def _with_line(**changes: Any) -> dict[str, Any]:
    return question(invoice("INV-1", "ZA-1", line(**changes)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"run": {"system": "zuora", "id": "BR-1"}} trailing',
        b"[" * 100_000,
        b'{"run":' * 50_000,
        b'{"run": {"system": "zuora", "id": "\\ud800"}}',
        b'{"run": {"system": "zuora", "id": "\xed\xa0\x80"}}',
        b'{"run": {"system": "zuora", "id": "a\x00"}}',
        '{"run": {"system": "zuora", "id": "BR-1"}}'.encode("utf-16"),
    ],
)
def test_what_is_no_request_in_json_is_refused(body: bytes) -> None:
    _refused(body)


@pytest.mark.parametrize("place", ["run", "account", "line", "name"])
def test_an_escaped_nul_is_refused_wherever_it_stands(place: str) -> None:
    bad = "a\x00b"
    bodies: dict[str, Any] = {
        "run": question(run={"system": "zuora", "id": bad}),
        "account": question(invoice(account=bad)),
        "line": question(invoice("INV-1", "ZA-1", line(bad))),
        "name": _with_line(name=bad),
    }
    assert "NUL" in _refused(bodies[place])


def test_a_backslash_before_u0000_is_no_nul() -> None:
    body = json.dumps(_with_line(name="\\u0000")).encode()
    assert _drafts(body).lines["name"].to_pylist() == ["\\u0000"]


NO_AMOUNTS = (
    *("", " 1", "1 ", "+1", "--1", ".5", "5.", "20.00\n", "1_000", "1,000", "0x10", "٢٠", "1e400", "1E5"),
    *("NaN", "sNaN", "Infinity", "-inf", "100000000000000", "-100000000000000.00", "1.00001", "0" * 400),
)


@pytest.mark.parametrize("amount", NO_AMOUNTS)
@pytest.mark.parametrize("field", ["amount", "tax"])
def test_an_amount_is_a_plain_decimal_that_the_books_can_hold(field: str, amount: str) -> None:
    assert "line L-1 of invoice INV-1" in _refused(_with_line(**{field: amount}))


@pytest.mark.parametrize("amount", [20000.0, 20000, 1e400, float("nan"), True, ["1"], {"amount": "1"}])
def test_an_amount_is_text(amount: object) -> None:
    _refused(_with_line(amount=amount))


@pytest.mark.parametrize(
    ("field", "number"),
    [("quantity", "1.0000001"), ("quantity", "1000000000000"), ("unit_price", "0.000000001"), ("total", "0.00001")],
)
def test_every_number_has_the_places_of_its_column(field: str, number: str) -> None:
    body = question(invoice(total=number)) if field == "total" else _with_line(**{field: number})
    assert field in _refused(body)


def test_the_largest_numbers_arrive_exactly() -> None:
    largest = {"amount": "99999999999999.9999", "quantity": "-999999999999.999999"}
    drafts = _drafts(json.dumps(_with_line(**largest, unit_price="9999999999999999.99999999")).encode())
    said = drafts.lines.select(["amount", "quantity", "unit_price"]).to_pylist()[0]
    assert {name: str(number) for name, number in said.items()} == {
        **largest,
        "unit_price": "9999999999999999.99999999",
    }


def test_taxes_that_add_up_to_more_than_an_invoice_can_hold_are_refused() -> None:
    lines = [line(f"L-{n}", tax="99999999999999.0000") for n in range(2)]
    assert "taxes" in _refused(question(invoice("INV-1", "ZA-1", *lines)))


@pytest.mark.parametrize("currency", ["usd", "US", "USDX", "USD\n", "US$", "", "ÜSD"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    _refused(question(invoice(currency=currency)))


@pytest.mark.parametrize(
    "changes",
    [
        {"run": {"id": "BR-1"}},
        {"run": "BR-1"},
        {"mode": "enforced"},
        {"mode": None},
        {"complete": "true"},
        {"invoices": {}},
        {"invoices": [[]]},
        {"surprise": 1},
        {"run": {"system": "zuora", "id": ""}},
        {"run": {"system": "zuora", "id": "x" * 256}},
        {"run": {"system": "zuora", "id": "BR-1", "target_date": "2026-13-01"}},
        {"run": {"system": "zuora", "id": "BR-1", "target_date": "30.11.2026"}},
    ],
)
def test_wrong_types_and_unknown_fields_are_refused(changes: dict[str, Any]) -> None:
    _refused(question(invoice(), **changes))


@pytest.mark.parametrize("field", ["id", "account_id", "currency", "invoice_date", "total", "lines"])
def test_an_invoice_without_a_needed_field_is_refused(field: str) -> None:
    said = invoice()
    del said[field]
    assert field in _refused(question(said))


def test_an_invoice_or_a_line_that_is_given_twice_is_refused() -> None:
    assert "INV-1" in _refused(question(invoice("INV-1"), invoice("INV-1", "ZA-2", line("other"))))
    assert "L-1" in _refused(question(invoice("INV-1", "ZA-1", line()), invoice("INV-2", "ZA-2", line())))


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    said = _refused(_with_line(period_start="2026-12-02", period_end="2026-12-01"))
    assert "The period of line L-1 of invoice INV-1 ends before it starts." in said
    _drafts(json.dumps(_with_line(period_start="2026-12-01", period_end="2026-12-01")).encode())


def test_white_space_key_order_and_nulls_are_no_other_question() -> None:
    said = question(invoice(number=None))
    backwards = dict(reversed(said.items()))
    assert fingerprint(parse(json.dumps(said).encode())) == fingerprint(parse(json.dumps(backwards, indent=3).encode()))
    without = question(invoice())
    assert fingerprint(parse(json.dumps(said).encode())) == fingerprint(parse(json.dumps(without).encode()))


@given(st.sampled_from(["mode", "complete", "invoices", "run", "total"]))
def test_whatever_is_said_otherwise_is_another_question(field: str) -> None:
    other: dict[str, Any] = {
        "mode": question(invoice(), mode="dry_run"),
        "complete": question(invoice(), complete=True),
        "invoices": question(),
        "run": question(invoice(), run={"system": "zuora", "id": "BR-2"}),
        "total": question(invoice(total="20000.01")),
    }
    asked = parse(json.dumps(question(invoice())).encode())
    assert fingerprint(asked) != fingerprint(parse(json.dumps(other[field]).encode()))


def test_absent_invoices_are_not_an_empty_run() -> None:
    absent = question()
    del absent["invoices"]
    assert parse(json.dumps(absent).encode()).invoices is None
    assert parse(json.dumps(question()).encode()).invoices == ()
    assert fingerprint(parse(json.dumps(absent).encode())) != fingerprint(parse(json.dumps(question()).encode()))
