"""Which column of which entity names a record of another, and the customers who hang together by such names.

Most references stay within one customer. Some do not: an account pays for another one, a contract was filed under
the wrong account, an ERP knows an invoice under a customer that nobody has matched. Whoever looks at some customers'
rows has to see what these name, and what names these.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

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
LINKING = frozenset({"links", "accounts"})
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

    @property
    def tables(self) -> frozenset[str]:
        return frozenset((self.entity, self.target))

    def touches(self, written: Collection[str] | None) -> bool:
        """Whether it is from or to one of these tables; None is any."""
        return written is None or not self.tables.isdisjoint(written)

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


def beside(engine: Engine, tables: Collection[str], written: Collection[str] | None = None) -> set[tuple[str, str]]:
    """The pairs of accounts that are joined by a link, or by a reference among these tables; few references are so.

    `written`: only by references from or to one of these.
    """
    asked = [one for one in REFERENCES if one.tables <= set(tables) and one.touches(written)]
    linked = [_LINKED] if written is None or not LINKING.isdisjoint(written) else []
    pairs = [*(one.pairs() for one in asked), *linked]
    if not pairs:
        return set()
    rows = engine.rows(" UNION ".join(f"SELECT one, other FROM ({pair}) WHERE one <> other" for pair in pairs))
    return {(row["one"], row["other"]) for row in rows}


def companions(accounts: Collection[str], pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    """These accounts and all that hang together with them by these pairs."""
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        neighbours[one].add(other)
        neighbours[other].add(one)
    found, fresh = set(accounts), list(accounts)
    while fresh:
        beyond = neighbours.get(fresh.pop(), set()) - found
        found |= beyond
        fresh += beyond
    return frozenset(found)
