"""Which column of which entity names a record of another, and the customers who hang together by such names.

Most references stay within one customer. Some do not: an account pays for another one, a contract was filed under
the wrong account, an ERP knows an invoice under a customer that nobody has matched. Whoever looks at some customers'
rows has to see what these name, and what names these.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pyarrow as pa

from books.engine import Engine
from books.entities import ENTITIES

# What a column of this name holds, wherever it stands.
_NAMED = {
    "contract_key": "contracts",
    "opportunity_key": "opportunities",
    "quote_key": "quotes",
    "quote_line_key": "quote_lines",
    "contract_line_key": "contract_lines",
    "amends_line_key": "contract_lines",
    "revises_key": "contract_lines",
    "order_key": "orders",
    "order_line_key": "order_lines",
    "subscription_key": "subscriptions",
    "previous_key": "subscriptions",
    "subscription_line_key": "subscription_lines",
    "line_version_key": "billing_schedules",
    "invoice_key": "invoices",
    "rebill_key": "invoices",
    "invoice_line_key": "invoice_lines",
    "credit_memo_key": "credit_memos",
    "payment_key": "payments",
    "usage_key": "usage_events",
    "invoice_owner_key": "accounts",
}
# Where the name alone does not say it, or not whether the record is one of the same system.
_OTHERWISE = {
    ("accounts", "parent_key"): ("accounts", "key", True),
    ("contracts", "amends_key"): ("contracts", "key", True),
    ("contracts", "renews_key"): ("contracts", "key", True),
    ("amendments", "subscription_key"): ("subscriptions", "key", False),
    ("subscriptions", "contract_key"): ("contracts", "key", False),
    ("subscriptions", "renews_key"): ("subscriptions", "key", True),
    ("subscription_lines", "contract_line_key"): ("contract_lines", "key", False),
    ("discounts", "contract_line_key"): ("contract_lines", "key", False),
    ("invoices", "contract_key"): ("contracts", "key", False),
    ("invoices", "billing_key"): ("invoices", "number", False),
    ("invoice_lines", "contract_line_key"): ("contract_lines", "key", False),
    ("invoice_lines", "billing_key"): ("invoice_lines", "key", False),
    ("credit_memos", "contract_key"): ("contracts", "key", False),
    ("credit_memos", "billing_key"): ("credit_memos", "number", False),
    ("usage_events", "subscription_number"): ("subscriptions", "number", False),
    ("usage_events", "subscription_line_key"): ("subscription_lines", "key", False),
    ("entitlements", "contract_line_key"): ("contract_lines", "key", False),
    ("shipments", "order_line_key"): ("order_lines", "key", False),
    ("shipments", "contract_line_key"): ("contract_lines", "key", False),
    ("work_items", "contract_key"): ("contracts", "key", False),
    ("work_items", "contract_line_key"): ("contract_lines", "key", False),
    ("work_items", "invoice_line_key"): ("invoice_lines", "key", False),
    ("legacy_accounts", "successor_key"): ("accounts", "key", False),
    ("legacy_subscriptions", "successor_key"): ("subscriptions", "key", False),
    ("legacy_subscription_lines", "subscription_key"): ("legacy_subscriptions", "key", True),
    ("legacy_subscription_lines", "successor_key"): ("subscription_lines", "key", False),
    ("holds", "invoice_key"): ("invoices", "key", False),
    ("overrides", "invoice_key"): ("invoices", "key", False),
}
_LINKED = """
    SELECT x.account_key AS one, y.account_key AS other FROM links l
    JOIN accounts x ON x.system = l.left_system AND x.key = l.left_key
    JOIN accounts y ON y.system = l.right_system AND y.key = l.right_key
"""


@dataclass(frozen=True)
class Reference:
    """`entity.column` holds the `field` of a record of `target`; `within`: one of the same system."""

    entity: str
    column: str
    target: str
    field: str
    within: bool

    def pairs(self) -> str:
        """SQL for the accounts of the two records."""
        within = " AND y.system = x.system" if self.within else ""
        return (
            f'SELECT x.account_key AS one, y.account_key AS other FROM "{self.entity}" x '
            f'JOIN "{self.target}" y ON y."{self.field}" = x."{self.column}"{within}'
        )


def _references() -> Iterator[Reference]:
    for entity in ENTITIES.values():
        for column in (c.name for c in entity.own):
            if (entity.name, column) in _OTHERWISE:
                yield Reference(entity.name, column, *_OTHERWISE[entity.name, column])
            elif column in _NAMED:
                yield Reference(entity.name, column, _NAMED[column], "key", within=True)


REFERENCES = tuple(_references())


def companions(engine: Engine, accounts: Collection[str], tables: Collection[str]) -> frozenset[str]:
    """These accounts and all that hang together with them by references among these tables, or by a link."""
    pairs = [reference.pairs() for reference in REFERENCES if {reference.entity, reference.target} <= set(tables)]
    found, fresh = frozenset[str](), frozenset(accounts)
    while fresh:
        found |= fresh
        engine.hold("fresh", pa.table({"account_key": pa.array(sorted(fresh), pa.string())}))
        fresh = frozenset(row["account_key"] for row in engine.rows(_beside([*pairs, _LINKED]))) - found
    return found


def _beside(pairs: Collection[str]) -> str:
    """The accounts that stand in a pair with a fresh one."""
    sides = [
        f"SELECT {other} AS account_key FROM ({pair}) WHERE {one} IN (FROM fresh) AND {other} <> {one}"
        for pair in pairs
        for one, other in (("one", "other"), ("other", "one"))
    ]
    return " UNION ".join(sides)
