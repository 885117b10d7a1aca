"""The body of `POST /v1/prebill/validations`, and what is refused before any check is asked."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.errors import Refused

# PostgreSQL stores no NUL, and no id has one.
Text = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
# What fits the books' columns: digits after the point per field, and twelve before it.
PLACES = {"total": 4, "amount": 4, "tax": 4, "quantity": 6, "unit_price": 8}
LIMIT = Decimal(10) ** 12


class Run(Struct, frozen=True, forbid_unknown_fields=True):
    """The invoice run that is asked about, in the billing platform's words."""

    system: Text
    id: Text
    target_date: date | None = None


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a draft invoice; the period is half-open; `amount` is without tax."""

    id: Text
    amount: Decimal
    subscription_id: Text | None = None
    charge_id: Text | None = None
    product_code: Text | None = None
    name: Text | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    tax: Decimal | None = None
    tax_code: Text | None = None
    period_start: date | None = None
    period_end: date | None = None


class Invoice(Struct, frozen=True, forbid_unknown_fields=True):
    """One draft invoice; `total` includes tax."""

    id: Text
    account_id: Text
    currency: CurrencyCode
    invoice_date: date
    total: Decimal
    lines: Annotated[tuple[Line, ...], Meta(max_length=100_000)]
    number: Text | None = None
    due_date: date | None = None
    po_number: Text | None = None


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """A request for a verdict. `invoices` absent: the run's drafts are pulled from the billing platform."""

    run: Run
    mode: Literal["enforce", "dry_run"] = "enforce"
    complete: bool = False
    invoices: tuple[Invoice, ...] | None = None


_DECODER = msgspec.json.Decoder(Question, strict=True)


def parse(body: bytes) -> Question:
    """The question. Raises Refused (kind `malformed-request`) that says which field is wrong and why."""
    try:
        question = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(f"The body is not a validation request: {error}.", "malformed-request") from error
    for invoice in question.invoices or ():
        _check_numbers(invoice)
    _check_ids(question.invoices or ())
    return question


def _check_numbers(invoice: Invoice) -> None:
    _check_number(invoice.total, "total", f"invoice {invoice.id}")
    for line in invoice.lines:
        where = f"line {line.id} of invoice {invoice.id}"
        if line.period_start and line.period_end and line.period_end < line.period_start:
            raise Refused(f"The period of {where} ends before it starts.", "malformed-request")
        for field in ("amount", "tax", "quantity", "unit_price"):
            _check_number(getattr(line, field), field, where)


def _check_number(number: Decimal | None, field: str, where: str) -> None:
    if number is None:
        return
    if not number.is_finite() or abs(number) >= LIMIT:
        raise Refused(f"The {field} of {where} is not a usable number: {number}.", "malformed-request")
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > PLACES[field]:
        raise Refused(f"The {field} of {where} has more than {PLACES[field]} decimals: {number}.", "malformed-request")


def _check_ids(invoices: Sequence[Invoice]) -> None:
    seen: set[str] = set()
    for invoice in invoices:
        if invoice.id in seen:
            raise Refused(f"The invoice {invoice.id} is given twice.", "malformed-request")
        seen.add(invoice.id)


def body_hash(body: bytes) -> str:
    """Tells whether two requests with one Idempotency-Key are the same; the order of JSON keys is no difference."""
    canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def content_hash(invoices: Sequence[Invoice]) -> str:
    """`sha256:…` over the drafts.

    One changed cent, date or line changes it; the order of invoices and lines, and `20.0` for `20.00`, do not.
    """
    digest = hashlib.sha256()
    for invoice in sorted(invoices, key=lambda invoice: invoice.id):
        digest.update(_canonical(invoice, without=("lines",)))
        for line in sorted(invoice.lines, key=lambda line: line.id):
            digest.update(_canonical(line))
    return "sha256:" + digest.hexdigest()


def _canonical(part: Struct, without: tuple[str, ...] = ()) -> bytes:
    said = []
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if value is not None and name not in without:
            said.append([name, f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)])
    return json.dumps(said).encode()
