"""Stripe as the contract test drives it: customers, lines of drafts, and products that are read in full each time."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.types import Message

from sandbox.faults import Exchange, Faults, Reply
from sandbox.stripe import StripeAccount, StripeServer
from tests.connectors.contract.source import Place, Said

KEY = "sk_test_contract_hush"
MAPPING = """
connector: stripe
objects:
  customer:
    key: id
    modified: instant(created)
    targets:
      - {entity: accounts, account: id, columns: {name: name}}
  line_item:
    key: id
    modified: instant(_parent.created)
    targets:
      - {entity: invoice_lines, account: _parent.customer, columns: {name: description, invoice_key: invoice}}
  product:
    key: id
    targets:
      - {entity: products, columns: {name: name}}
"""
_ENTITIES = ("accounts", "invoice_lines", "products")
_KINDS = ("customer", "line_item", "product")
_TEXTS = ("name", "description", "name")


def _error(status: int, code: str) -> Reply:
    body = {"error": {"type": "invalid_request_error", "code": code, "message": "Try again."}}
    return Reply(status, json.dumps(body), "application/json")


class PageAgain:
    """A page of a list that is not the first comes once as it is, and then again in the place of those after it."""

    def __init__(self) -> None:
        self._page: list[Message] = []

    async def __call__(self, exchange: Exchange) -> None:
        later = b"starting_after" in exchange.scope["query_string"]
        messages = self._page if later and self._page else await exchange.answer()
        if later:
            self._page = messages
        for message in messages:
            await exchange.send(message)


class StripeSource:
    """A ContractSource. The record with number n is a customer, a line or a product, in turns."""

    kind = "stripe"
    mapping = MAPPING

    def __init__(self, clock: Callable[[], datetime], *, per_s: int = 1_000) -> None:
        self._account = StripeAccount(clock, nested=2)
        self._per_s = per_s
        self._server = StripeServer(self._account, api_key=KEY, per_s=per_s)
        self._server.start()
        self.faults: Faults = self._server.faults
        self._truth: dict[Place, Said] = {}

    def settings(self) -> Mapping[str, Any]:
        return {"base_url": self._server.url, "page_size": 2, "requests_per_s": self._per_s * 0.9}

    def secrets(self) -> Mapping[str, str]:
        return {"api_key": KEY}

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        turn, key = number % 3, _key(number)
        said: Said = {"name": text}
        fields: dict[str, Any] = {"id": key, _TEXTS[turn]: text}
        if _KINDS[turn] == "line_item":
            # Six lines share a draft, so that a draft has more than its own answer shows.
            invoice = f"in_{number // 18}"
            if self._account.get("invoice", invoice) is None:
                self._account.put("invoice", {"id": invoice, "customer": "cus_0"}, late=late)
            fields["invoice"] = said["invoice_key"] = invoice
        self._account.put(_KINDS[turn], fields, late=late)
        self._truth[_ENTITIES[turn], key] = said

    def remove(self, number: int) -> None:
        self._account.remove(_KINDS[number % 3], _key(number))
        del self._truth[_ENTITIES[number % 3], _key(number)]

    def purge(self, number: int) -> None:
        self._account.purge(_KINDS[number % 3], _key(number))
        del self._truth[_ENTITIES[number % 3], _key(number)]

    def truth(self) -> Mapping[Place, Said]:
        return dict(self._truth)

    def mishaps(self) -> Mapping[str, Callable[[], None]]:
        """A page that comes again leads round in a circle; locks and conflicts say when to try again, or nothing."""
        return {
            "a page comes again": lambda: self.faults.add(PageAgain(), path="/v1/customers", times=3),
            "a locked object": lambda: self.faults.add(_error(429, "lock_timeout")),
            "a conflict": lambda: self.faults.add(_error(409, "lock_timeout"), path="/v1/"),
            "an error that Stripe takes back": lambda: self.faults.add(
                Reply(400, "{}", "application/json", {"stripe-should-retry": "true"})
            ),
        }

    def over_limit(self) -> int:
        return self._server.over_limit

    def close(self) -> None:
        self._server.stop()


def _key(number: int) -> str:
    return f"{('cus', 'il', 'prod')[number % 3]}_{number}"
