"""The body of `POST /v1/prebill/validations`: its shape, and what of it is refused.

Amounts are text, `"20000.00"`, because a JSON number passes through a float on too many ways.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.errors import Refused

# A pattern in `extra_json_schema` only describes: it is matched for whole columns, or the whole body, at once.
Text = Annotated[str, Meta(min_length=1, max_length=255, extra_json_schema={"pattern": r"^[^\x00]*$"})]
CurrencyCode = Annotated[str, Meta(max_length=3, pattern="^[A-Z]{3}$")]
# What fits the books' columns.
MONEY = r"^-?[0-9]{1,14}(\.[0-9]{1,4})?$"
QUANTITY = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"
PRICE = r"^-?[0-9]{1,16}(\.[0-9]{1,8})?$"
Money = Annotated[str, Meta(extra_json_schema={"pattern": MONEY})]
Quantity = Annotated[str, Meta(extra_json_schema={"pattern": QUANTITY})]
Price = Annotated[str, Meta(extra_json_schema={"pattern": PRICE})]
ChargeType = Literal["recurring", "one_time", "usage", "overage", "discount", "credit", "tax"]


class Run(Struct, frozen=True, forbid_unknown_fields=True):
    """The invoice run that is asked about, in the billing platform's words."""

    system: Text
    id: Text
    target_date: date | None = None


class Line(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One line of a draft invoice; the period is half-open; `amount` is without tax.

    `subscription_id` and `charge_id` may be ids of any version, or numbers.
    """

    id: Text
    amount: Money
    subscription_id: Text | None = None
    charge_id: Text | None = None
    charge_type: ChargeType | None = None
    product_code: Text | None = None
    name: Text | None = None
    quantity: Quantity | None = None
    unit_price: Price | None = None
    tax: Money | None = None
    tax_code: Text | None = None
    period_start: date | None = None
    period_end: date | None = None


class Invoice(Struct, frozen=True, forbid_unknown_fields=True):
    """One draft invoice; `total` includes tax, `contract_id` is the CRM's."""

    id: Text
    account_id: Text
    currency: CurrencyCode
    invoice_date: date
    total: Money
    lines: tuple[Line, ...]
    number: Text | None = None
    due_date: date | None = None
    po_number: Text | None = None
    contract_id: Text | None = None


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """A request for a verdict. `invoices` absent: the run's drafts are pulled from the billing platform."""

    run: Run
    mode: Literal["enforce", "dry_run"] = "enforce"
    complete: bool = False
    invoices: tuple[Invoice, ...] | None = None


_DECODER = msgspec.json.Decoder(Question, strict=True)
# An escaped NUL, the only way in which JSON can hold one: `\u0000` after an even number of backslashes.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def parse(body: bytes) -> Question:
    """The question. Raises Refused (kind `malformed-request`) that says which field is wrong and why."""
    try:
        question = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(f"The body is not a validation request: {error}.") from error
    if rb"\u0000" in body and _NUL.search(body):
        raise malformed("The body holds a NUL character, which no id or name has.")
    invoices = question.invoices or ()
    _check_once((invoice.id for invoice in invoices), "invoice")
    _check_once((line.id for invoice in invoices for line in invoice.lines), "line")
    return question


def _check_once(ids: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            raise malformed(f"The {what} {id_} is given twice; in one run every {what} has an id of its own.")
        seen.add(id_)


def malformed(message: str) -> Refused:
    return Refused(message, "malformed-request")


def fingerprint(question: Question) -> str:
    """Tells whether two requests ask the same; order of JSON keys, white space and nulls make no difference."""
    return hashlib.sha256(msgspec.json.encode(question)).hexdigest()
