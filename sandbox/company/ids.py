"""Record ids, counted per kind, in the form of each vendor and rising in the order in which they are given."""

from collections import Counter

from sandbox.salesforce import make_id

# Key prefixes of Salesforce ids; those of custom objects follow the order in which the company defines them.
_CRM_PREFIX = {
    "account": "001",
    "contact": "003",
    "opportunity": "006",
    "product": "01t",
    "contract": "800",
    "quote": "a00",
    "quote_line": "a01",
    "subscription": "a02",
    "clause": "a03",
    "discount": "a04",
    "approval": "a05",
}
_BILLING_KIND = {
    "account": "acc0",
    "contact": "c0c0",
    "subscription": "5b50",
    "rate_plan": "4a90",
    "charge": "c4a0",
    "tier": "71e0",
    "amendment": "a3d0",
    "run": "b110",
    "invoice": "1f00",
    "item": "1f17",
    "adjustment": "ad10",
    "payment": "9a10",
    "invoice_payment": "9a11",
}


class Ids:
    """One counter per kind of record, each beginning behind `after`."""

    def __init__(self, after: int = 0) -> None:
        self._after = after
        self._given: Counter[str] = Counter()

    def number(self, kind: str) -> int:
        """1, 2, 3, ..., behind `after`."""
        self._given[kind] += 1
        return self._after + self._given[kind]

    def crm(self, kind: str) -> str:
        """An 18-character Salesforce id."""
        return make_id(_CRM_PREFIX[kind], self.number(f"crm {kind}") + 1000)

    def billing(self, kind: str) -> str:
        """32 hexadecimal digits, as Zuora's ids have."""
        return f"8ad0{_BILLING_KIND[kind]}{self.number(f'billing {kind}'):024x}"

    def erp(self, kind: str, first: int = 1) -> int:
        """A NetSuite internal id; each table counts from its own `first`."""
        return first - 1 + self.number(f"erp {kind}")
