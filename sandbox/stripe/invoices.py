"""What can be done to an invoice: drafts are made, changed, finalised and deleted, open ones paid and voided."""

from collections.abc import Mapping
from typing import Any

from sandbox.stripe.account import Object, StripeAccount
from sandbox.stripe.errors import Refusal, lacking, missing, unknown
from sandbox.stripe.params import flag, whole

# An invoice that advances by itself does so about this long after it was made.
AUTO_S = 3_600
_CREATE = frozenset(
    ("customer", "auto_advance", "collection_method", "currency", "days_until_due", "description", "metadata")
)
_UPDATE = frozenset(("auto_advance", "automatically_finalizes_at", "description", "metadata", "due_date"))


class Invoices:
    """The invoice endpoints of an account. Every method raises Refusal where Stripe refuses."""

    def __init__(self, account: StripeAccount) -> None:
        self._account = account

    def create(self, params: Mapping[str, Any]) -> str:
        """A draft with the customer's pending invoice items."""
        _known(params, _CREATE)
        customer = params.get("customer")
        if not customer:
            raise lacking("customer")
        if self._account.get("customer", customer) is None:
            raise missing("customer", customer, "customer")
        now = self._account.now()
        advances = flag(params, "auto_advance") is True
        fields = {
            **params,
            "auto_advance": advances,
            "automatically_finalizes_at": now + AUTO_S if advances else None,
            "period_start": now,
            "period_end": now,
        }
        invoice = self._account.put("invoice", fields)
        self._take_pending(invoice, customer)
        return invoice

    def update(self, identity: str, params: Mapping[str, Any]) -> str:
        _known(params, _UPDATE)
        invoice = self._one(identity)
        fields: Object = {"id": identity, **params}
        advances = flag(params, "auto_advance")
        if advances is not None:
            due = self._account.now() + AUTO_S if advances and invoice["status"] == "draft" else None
            fields |= {"auto_advance": advances, "automatically_finalizes_at": due}
        if "automatically_finalizes_at" in params:
            self._only(invoice, "draft", "updated so")
            fields["automatically_finalizes_at"] = whole(params, "automatically_finalizes_at")
        if "metadata" in params:
            fields["metadata"] = {**invoice["metadata"], **params["metadata"]}
        return self._account.put("invoice", fields)

    def finalize(self, identity: str, params: Mapping[str, Any]) -> str:
        _known(params, frozenset(("auto_advance",)))
        invoice = self._one(identity)
        if invoice["status"] != "draft":
            raise Refusal(
                400,
                "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
                code="invoice_not_editable",
            )
        advances = flag(params, "auto_advance")
        now = self._account.now()
        self._account.put(
            "invoice",
            {
                "id": identity,
                "status": "open",
                "number": invoice["number"] or f"7FE1103-{identity[-4:]}",
                "auto_advance": invoice["auto_advance"] if advances is None else advances,
                "automatically_finalizes_at": None,
                "effective_at": now,
                "status_transitions": {**invoice["status_transitions"], "finalized_at": now},
            },
        )
        self._account.emit("invoice.finalized", "invoice", identity)
        return identity

    def void(self, identity: str, params: Mapping[str, Any]) -> str:
        _known(params, frozenset())
        return self._end(identity, "void", "voided_at", "invoice.voided", "voided")

    def write_off(self, identity: str, params: Mapping[str, Any]) -> str:
        _known(params, frozenset())
        moment, event = "marked_uncollectible_at", "invoice.marked_uncollectible"
        return self._end(identity, "uncollectible", moment, event, "marked uncollectible")

    def pay(self, identity: str, params: Mapping[str, Any]) -> str:
        _known(params, frozenset(("paid_out_of_band",)))
        invoice = self._end(identity, "paid", "paid_at", "invoice.paid", "paid")
        due = (self._account.get("invoice", identity) or {})["amount_due"]
        self._account.put("invoice", {"id": identity, "amount_paid": due, "amount_remaining": 0})
        return invoice

    def delete(self, identity: str) -> None:
        if self._one(identity)["status"] != "draft":
            raise Refusal(400, "You can only delete draft invoices.", code="invoice_not_editable")
        self._account.remove("invoice", identity)

    def advance(self) -> None:
        """Finalise the drafts whose hour has come."""
        for invoice in self._account.all("invoice", {"status": "draft"}):
            due = invoice["automatically_finalizes_at"]
            if invoice["auto_advance"] and due is not None and due <= self._account.now():
                self.finalize(invoice["id"], {})

    def _take_pending(self, invoice: str, customer: str) -> None:
        for item in self._account.all("invoiceitem", {"customer": customer, "invoice": None}):
            self._account.put("invoiceitem", {"id": item["id"], "invoice": invoice})
            of_item = {"invoice_item_details": {"invoice_item": item["id"]}, "type": "invoice_item_details"}
            same = {name: item[name] for name in ("amount", "currency", "description", "period", "pricing", "quantity")}
            self._account.put("line_item", {**same, "invoice": invoice, "parent": of_item}, quiet=True)
        lines = self._account.all("line_item", {"invoice": invoice})
        total = sum(line["amount"] for line in lines)
        amounts = dict.fromkeys(("subtotal", "total", "amount_due", "amount_remaining"), total)
        currency = {"currency": lines[0]["currency"]} if lines else {}
        self._account.put("invoice", {"id": invoice, **amounts, **currency})

    def _end(self, identity: str, status: str, stamp: str, event: str, done: str) -> str:
        invoice = self._one(identity)
        self._only(invoice, "open", done)
        moments = {**invoice["status_transitions"], stamp: self._account.now()}
        self._account.put("invoice", {"id": identity, "status": status, "status_transitions": moments})
        self._account.emit(event, "invoice", identity)
        return identity

    def _only(self, invoice: Object, status: str, done: str) -> None:
        if invoice["status"] != status:
            raise Refusal(400, f"This invoice isn't {status}, so it can't be {done}.", code="invoice_not_editable")

    def _one(self, identity: str) -> Object:
        invoice = self._account.get("invoice", identity)
        if invoice is None:
            raise missing("invoice", identity)
        return invoice


def _known(params: Mapping[str, Any], names: frozenset[str]) -> None:
    for name in params:
        if name not in names | {"expand"}:
            raise unknown(name)
