"""Which system is right about what: the attributes that several systems hold, and what each of them means by it.

A check asks `params.attribute("payment_terms")`: `right` is the copy that counts, `others` follow in the order in which
they would count where the first is not connected. The section `system_of_record` of tieout.yaml says otherwise where a
company keeps its books otherwise. What is not declared here follows from the entity: contracts belong to the CRM,
invoices to billing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from checks.contract import Attribute, Attributes, Basis, Compared, Copy, Mode, Owner, Severity
from checks.errors import DeclarationError

# Who is right about an entity's columns where no attribute is declared, then the others in order. What was sold, and to
# whom, is the CRM's.
_SOLD = ("crm", "billing", "erp")
_BILLED = ("billing", "erp", "crm")
_BOOKED = ("erp", "billing")
_HOMES: Mapping[str, tuple[str, ...]] = {
    "subscriptions": _BILLED,
    "subscription_lines": _BILLED,
    "billing_schedules": _BILLED,
    "price_tiers": _BILLED,
    "invoice_runs": _BILLED,
    "invoices": _BILLED,
    "invoice_lines": _BILLED,
    "credit_memos": _BILLED,
    "payments": _BILLED,
    "revenue_schedules": _BOOKED,
    "ledger_entries": _BOOKED,
    "accounting_periods": _BOOKED,
    "usage_events": ("usage", "billing"),
    "entitlements": ("seats", "crm", "billing"),
    "shipments": ("shipping", "erp"),
    "fx_rates": ("reference", "erp"),
}
# Who answers for what a role is right about.
_KEEPERS: Mapping[str, Owner] = {
    "crm": Owner.REVOPS,
    "billing": Owner.BILLING_OPS,
    "erp": Owner.FINANCE_OPS,
    "reference": Owner.FINANCE_OPS,
}


_crm, _billing, _erp, _usage, _seats = (partial(Copy.at, role) for role in ("crm", "billing", "erp", "usage", "seats"))
_NET_OF_CHANGES = "what is in force after all amendments"
_BASE = "the base line; changes are rows of their own, to be added"

DECLARED: Sequence[Attribute] = (
    Attribute.of(
        "account_name",
        "The customer's legal name.",
        Owner.REVOPS,
        _crm("accounts.name"),
        _billing("accounts.name", "the name that invoices are made out to"),
        _erp("accounts.name", "the debtor"),
        severity=Severity.S4,
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "account_currency",
        "The currency in which the customer is invoiced.",
        Owner.FINANCE_OPS,
        _crm("accounts.currency", "what was agreed"),
        _billing("accounts.currency", "what invoices are written in"),
        _erp("accounts.currency", "the primary currency of the receivable"),
        severity=Severity.S2,
        mode=Mode.BLOCK,
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "payment_terms",
        "How long the customer has to pay, where no contract says otherwise.",
        Owner.FINANCE_OPS,
        _erp("accounts.payment_terms", "granted by Finance after the credit check"),
        _billing("accounts.payment_terms", "makes the due date of invoices"),
        _crm("accounts.payment_terms", "what was offered"),
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "tax_status",
        "Whether the customer is charged tax: taxable, exempt, reverse charge.",
        Owner.FINANCE_OPS,
        _erp("accounts.tax_status", "as the certificate on file proves"),
        _billing("accounts.tax_status", "what invoices are taxed by"),
        _crm("accounts.tax_status"),
        severity=Severity.S2,
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "tax_id",
        "The customer's number at its tax office.",
        Owner.FINANCE_OPS,
        _erp("accounts.tax_id"),
        _billing("accounts.tax_id", "as printed"),
        _crm("accounts.tax_id"),
        severity=Severity.S2,
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "legal_entity",
        "Which of our companies sells to the customer.",
        Owner.FINANCE_OPS,
        _erp("accounts.legal_entity", "the subsidiary that books the revenue"),
        _billing("accounts.legal_entity", "whose name is on the invoice"),
        _crm("accounts.legal_entity", "who signed"),
        severity=Severity.S2,
        mode=Mode.BLOCK,
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "tax_country",
        "The country whose tax applies.",
        Owner.FINANCE_OPS,
        _crm("accounts.country"),
        _billing("accounts.country"),
        _erp("accounts.country"),
        severity=Severity.S2,
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "bill_to",
        "Who gets the invoices, by e-mail address.",
        Owner.BILLING_OPS,
        _crm("contacts.email", "of the account's bill_to_key"),
        _billing("contacts.email", "of the account's bill_to_key: where invoices are sent"),
        _erp("contacts.email", "of the account's bill_to_key: where reminders are sent"),
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "sold_to",
        "Who receives what was bought, by e-mail address.",
        Owner.REVOPS,
        _crm("contacts.email", "of the account's sold_to_key"),
        _billing("contacts.email", "of the account's sold_to_key"),
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "parent_account",
        "The company that the customer belongs to.",
        Owner.REVOPS,
        _crm("accounts.parent_key", "legal ownership"),
        _billing("accounts.parent_key", "who is invoiced, where that is another account"),
        _erp("accounts.parent_key", "the debtor above this one"),
    ),
    Attribute.of(
        "billing_time_zone",
        "Where the customer's days begin and end.",
        Owner.BILLING_OPS,
        _billing("accounts.timezone"),
        _crm("accounts.timezone"),
        severity=Severity.S4,
    ),
    Attribute.of(
        "test_account",
        "Whether the account is only for testing.",
        Owner.REVOPS,
        _crm("accounts.is_test"),
        _billing("accounts.is_test"),
        severity=Severity.S4,
    ),
    Attribute.of(
        "contract_value",
        "What a contract is worth. Two figures agree only after they are brought to the same basis.",
        Owner.REVOPS,
        _crm("contracts.contract_value", "total contract value: the whole term, one-time charges included", Basis.TCV),
        _billing("subscriptions.contract_value", "what recurs in a month", Basis.MRR),
        _erp("revenue_schedules.amount", "allocated to an invoice line, for its service period", Basis.INVOICED),
        severity=Severity.S2,
    ),
    Attribute.of(
        "contract_start",
        "The first day of the term.",
        Owner.REVOPS,
        _crm("contracts.start_date"),
        _billing("subscriptions.start_date"),
        _erp("subscriptions.start_date"),
        severity=Severity.S2,
        mode=Mode.BLOCK,
    ),
    Attribute.of(
        "contract_end",
        "The end of the term; null where it has none. In the books the first day that is no longer covered.",
        Owner.REVOPS,
        _crm("contracts.end_date"),
        _billing("subscriptions.end_date"),
        _erp("subscriptions.end_date"),
        severity=Severity.S2,
        mode=Mode.BLOCK,
    ),
    Attribute.of(
        "contract_cancelled",
        "The first day that a cancelled contract does not cover any more.",
        Owner.REVOPS,
        _crm("contracts.cancelled_date", "as the customer gave notice"),
        _billing("subscriptions.cancelled_date", "from when on nothing is billed"),
        severity=Severity.S2,
        mode=Mode.BLOCK,
    ),
    Attribute.of(
        "contract_currency",
        "The currency of the agreed prices.",
        Owner.REVOPS,
        _crm("contracts.currency"),
        _billing("subscriptions.currency"),
        _erp("subscriptions.currency"),
        severity=Severity.S2,
        mode=Mode.BLOCK,
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "contract_payment_terms",
        "How long the customer has to pay what this contract brings; it goes before the account's terms.",
        Owner.FINANCE_OPS,
        _crm("contracts.payment_terms"),
        _billing("accounts.payment_terms", "of the account: billing keeps none per contract"),
        _erp("accounts.payment_terms", "of the account: the ERP keeps none per contract"),
        compared=Compared.FOLDED,
    ),
    Attribute.of(
        "purchase_order",
        "The customer's order number, which an invoice must bear where the contract asks for it.",
        Owner.BILLING_OPS,
        _crm("contracts.po_number"),
        _billing("invoices.po_number", "as printed"),
    ),
    Attribute.of(
        "contract_term",
        "How many months the term has.",
        Owner.REVOPS,
        _crm("contracts.term_months"),
        _billing("subscriptions.term_months"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "line_product",
        "What is sold.",
        Owner.REVOPS,
        _crm("contract_lines.product_code"),
        _billing("subscription_lines.product_code"),
        _erp("invoice_lines.product_code", "the item"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "line_quantity",
        "How many were sold.",
        Owner.REVOPS,
        _crm("contract_lines.quantity", _BASE),
        _billing("subscription_lines.quantity", _NET_OF_CHANGES),
        _erp("subscription_lines.quantity", _NET_OF_CHANGES),
        severity=Severity.S1,
        mode=Mode.BLOCK,
    ),
    Attribute.of(
        "line_price",
        "What one unit costs for `price_months`, after discounts, without tax.",
        Owner.REVOPS,
        _crm("contract_lines.unit_price", "net"),
        _billing("subscription_lines.unit_price", "of the first tier, where the price has tiers"),
        severity=Severity.S1,
        mode=Mode.BLOCK,
    ),
    Attribute.of(
        "line_charge_type",
        "Whether a line recurs, is billed once, or by usage.",
        Owner.REVOPS,
        _crm("contract_lines.charge_type"),
        _billing("subscription_lines.charge_type"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "billing_frequency",
        "How often a line is billed, in months.",
        Owner.BILLING_OPS,
        _crm("contract_lines.billing_months"),
        _billing("subscription_lines.billing_months"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "billing_timing",
        "Whether a line is billed before or after its period.",
        Owner.BILLING_OPS,
        _crm("contract_lines.billing_timing"),
        _billing("subscription_lines.billing_timing"),
    ),
    Attribute.of(
        "line_discount",
        "The reduction of a line, as a fraction of its list price.",
        Owner.REVOPS,
        _crm("contract_lines.discount_rate"),
        _billing("subscription_lines.discount_rate"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "line_list_price",
        "What one unit costs before any reduction.",
        Owner.REVOPS,
        _crm("contract_lines.list_price"),
        _billing("subscription_lines.list_price"),
        severity=Severity.S4,
    ),
    Attribute.of(
        "line_included",
        "Seats or units that are in the price, before overage.",
        Owner.REVOPS,
        _crm("contract_lines.included_quantity"),
        _billing("subscription_lines.included_quantity"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "line_tax_code",
        "How a line is taxed.",
        Owner.FINANCE_OPS,
        _crm("contract_lines.tax_code"),
        _billing("subscription_lines.tax_code"),
        _erp("invoice_lines.tax_code", "as booked"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "line_start",
        "The first day of a line.",
        Owner.REVOPS,
        _crm("contract_lines.start_date"),
        _billing("subscription_lines.start_date"),
        _erp("subscription_lines.start_date"),
        severity=Severity.S2,
        mode=Mode.BLOCK,
    ),
    Attribute.of(
        "line_end",
        "The first day that a line does not cover any more; null where it has no end.",
        Owner.REVOPS,
        _crm("contract_lines.end_date"),
        _billing("subscription_lines.end_date"),
        _erp("subscription_lines.end_date"),
        severity=Severity.S2,
        mode=Mode.BLOCK,
    ),
    Attribute.of(
        "free_until",
        "The first day that is billed, where a free period was granted.",
        Owner.REVOPS,
        _crm("contract_lines.free_until"),
        _billing("subscription_lines.free_until"),
    ),
    Attribute.of(
        "seats_in_use",
        "Seats in a month, against those that are licensed.",
        Owner.REVOPS,
        _seats("entitlements.active_quantity", "counted as the contract line's overage_measure says"),
        _crm("contract_lines.included_quantity", "licensed"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "usage_quantity",
        "What was used.",
        Owner.IT,
        _usage("usage_events.quantity", "as metered"),
        _billing("usage_events.quantity", "as loaded to be rated"),
        severity=Severity.S2,
        mode=Mode.BLOCK,
    ),
    Attribute.of(
        "invoice_total",
        "What an invoice asks for, tax included.",
        Owner.FINANCE_OPS,
        _billing("invoices.total"),
        _erp("invoices.total", "in the currency of the document"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "invoice_tax",
        "The tax of an invoice.",
        Owner.FINANCE_OPS,
        _billing("invoices.tax"),
        _erp("invoices.tax"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "invoice_date",
        "The day of an invoice.",
        Owner.FINANCE_OPS,
        _billing("invoices.invoice_date"),
        _erp("invoices.invoice_date"),
    ),
    Attribute.of(
        "invoice_due_date",
        "The last day on which an invoice is paid in time.",
        Owner.FINANCE_OPS,
        _billing("invoices.due_date"),
        _erp("invoices.due_date"),
    ),
    Attribute.of(
        "invoice_number",
        "What an invoice is called.",
        Owner.FINANCE_OPS,
        _billing("invoices.number"),
        _erp("invoices.billing_key", "billing's number on the ERP's document"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "invoice_line_amount",
        "What a line of an invoice asks for, without tax; negative for a credit.",
        Owner.FINANCE_OPS,
        _billing("invoice_lines.amount"),
        _erp("invoice_lines.amount"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "service_start",
        "The first day that an invoice line pays for.",
        Owner.REVENUE_ACCOUNTING,
        _billing("invoice_lines.period_start"),
        _erp("invoice_lines.period_start", "where revenue begins"),
        severity=Severity.S2,
    ),
    Attribute.of(
        "service_end",
        "The first day that an invoice line does not pay for any more.",
        Owner.REVENUE_ACCOUNTING,
        _billing("invoice_lines.period_end"),
        _erp("invoice_lines.period_end", "where revenue ends"),
        severity=Severity.S2,
    ),
)


@dataclass(frozen=True)
class Change:
    """What tieout.yaml says about one attribute. Only what is given replaces the declaration.

    `places` are role to `entity.column`: copies that are added, or stand elsewhere. `then` is the order after `right`.
    """

    about: str | None = None
    right: str | None = None
    then: tuple[str, ...] = ()
    owner: Owner | None = None
    severity: Severity | None = None
    mode: Mode | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    means: Mapping[str, str] = field(default_factory=dict)
    basis: Mapping[str, Basis] = field(default_factory=dict)


def in_force(changes: Mapping[str, Change]) -> Attributes:
    """The declared attributes with what tieout.yaml says, by name. Raises DeclarationError for what does not fit."""
    found = {one.name: one for one in DECLARED}
    for name, change in changes.items():
        found[name] = _changed(found.get(name) or _new(name, change), change)
    return Attributes(found)


def implied(name: str, column: str, roles: Iterable[str]) -> Attribute:
    """An undeclared column that the roles hold: who is right follows from the entity's home, else from their order."""
    held = list(dict.fromkeys(roles))
    home = _HOMES.get(name, _SOLD)
    ranked = sorted(held, key=lambda role: home.index(role) if role in home else len(home) + held.index(role))
    copies = tuple(Copy.at(role, f"{name}.{column}") for role in ranked)
    return Attribute(f"{name}.{column}", "", copies, _KEEPERS.get(ranked[0], Owner.IT), Severity.S4, Mode.MONITOR)


def _new(name: str, change: Change) -> Attribute:
    if not change.about or not change.places or change.owner is None:
        known = ", ".join(one.name for one in DECLARED)
        raise DeclarationError(
            f"system_of_record.{name} is not declared. A new attribute needs about, owner and columns; declared are "
            f"{known}."
        )
    copies = tuple(Copy.at(role, place) for role, place in change.places.items())
    return Attribute(name, change.about, copies, change.owner)


def _changed(attribute: Attribute, change: Change) -> Attribute:
    copies = {copy.role: copy for copy in attribute.copies}
    for role, place in change.places.items():
        before = copies.get(role)
        copies[role] = Copy.at(role, place, before.means if before else "", before.basis if before else None)
    order = [*([change.right] if change.right else []), *change.then]
    for role in (*order, *change.means, *change.basis):
        if role not in copies:
            raise DeclarationError(
                f"system_of_record.{attribute.name} names the role {role}, which has no copy of it; there are copies "
                f"in {', '.join(copies)}. Say in columns where it stands."
            )
    ranked = list(dict.fromkeys([*order, *copies]))
    told = [
        replace(
            copies[role],
            means=change.means.get(role, copies[role].means),
            basis=change.basis.get(role, copies[role].basis),
        )
        for role in ranked
    ]
    return replace(
        attribute,
        about=change.about or attribute.about,
        copies=tuple(told),
        owner=change.owner or attribute.owner,
        severity=change.severity or attribute.severity,
        mode=change.mode or attribute.mode,
    )
