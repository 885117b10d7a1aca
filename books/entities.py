"""The entities of the books and their columns: the vocabulary that mappings write and checks read.

A column that ends in `_key` holds the key of a record *in the same system*, unless its comment says whose it
is. Periods are half-open: an `end_date` or `period_end` is the first day that is no longer covered, so a
mapping turns a vendor's inclusive end into the day after.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import ibis.expr.schema as sch
import pyarrow as pa

from books.columns import Column, columns

COMMON: tuple[Column, ...] = columns(
    system="text",  # the source's name in tieout.yaml
    key="text",  # the source's own id of the record
    account_id="text",  # the source's own id of the customer; null where a parent row names it
    account_key="text",  # the customer across systems (books/accounts.py); null while nobody owns the row
    modified_at="instant",  # the source's stamp
    synced_at="instant",
    deleted="flag",  # a tombstone: the source no longer has the record
    raw="text",  # JSON of the source fields that the mapping keeps
)


@dataclass(frozen=True)
class Entity:
    """One kind of record.

    `parent` is the (entity, column) through which a row without its own `account_id` finds its customer.
    """

    name: str
    own: tuple[Column, ...]
    parent: tuple[str, str] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        return COMMON + self.own

    @property
    def arrow(self) -> pa.Schema:
        return pa.schema([(c.name, c.kind.arrow) for c in self.columns])

    @property
    def ibis(self) -> sch.Schema:
        return sch.Schema({c.name: c.kind.ibis for c in self.columns})


def _catalogue(*entities: Entity) -> Mapping[str, Entity]:
    return {entity.name: entity for entity in entities}


ENTITIES: Mapping[str, Entity] = _catalogue(
    Entity(
        "accounts",
        columns(
            name="text",
            number="text",
            status="text",
            currency="text",
            crm_key="text",  # the CRM's id of the same customer, as this system stores it
            parent_key="text",
            timezone="text",  # IANA name; billing days are days here
            payment_terms="text",
            bill_day="whole",
            batch="text",  # which of the billing platform's runs bill the account, where it groups accounts so
            is_test="flag",
        ),
    ),
    Entity(
        "opportunities",
        columns(
            name="text",
            type="text",
            stage="text",
            is_won="flag",
            is_closed="flag",
            close_date="date",
            amount="money",
            currency="text",
            contract_key="text",  # the contract that the opportunity became
        ),
    ),
    Entity(
        "quotes",
        columns(
            number="text",
            type="text",
            status="text",
            opportunity_key="text",
            contract_key="text",  # the contract that the quote amends or renews
            start_date="date",
            end_date="date",
            currency="text",
            net_amount="money",
        ),
    ),
    Entity(
        "quote_lines",
        columns(
            quote_key="text",
            product_key="text",
            quantity="quantity",
            prior_quantity="quantity",
            unit_price="price",
            start_date="date",
            end_date="date",
            amends_line_key="text",  # the contract line that the quote line changes
        ),
        parent=("quotes", "quote_key"),
    ),
    Entity(
        "contracts",
        columns(
            number="text",
            status="text",  # draft, activated, cancelled, expired, superseded
            start_date="date",
            end_date="date",
            activated_at="instant",
            currency="text",
            opportunity_key="text",
            amends_key="text",  # the contract that this one replaces from its start_date on
            payment_terms="text",
            po_required="flag",
            po_number="text",
            auto_bills_overage="flag",
            cancelled_date="date",  # first day not covered any more
        ),
    ),
    # One row per base line and one per change: a change revises its base line and carries the delta quantity.
    Entity(
        "contract_lines",
        columns(
            contract_key="text",
            product_key="text",
            product_code="text",
            revises_key="text",  # the base line whose quantity this row changes
            quote_line_key="text",
            quantity="quantity",
            unit_price="price",
            price_months="whole",  # unit_price covers this many months (1: per month, 12: per year)
            list_price="price",
            currency="text",
            charge_type="text",  # recurring, one_time, usage
            billing_months="whole",  # how often it is billed: 1 monthly, 3 quarterly, 12 annually
            billing_timing="text",  # advance, arrears
            start_date="date",
            end_date="date",  # null: evergreen
            terminated_date="date",  # first day not covered any more
            free_until="date",  # first day that is billed, where a free period was granted
            included_quantity="quantity",  # seats or units in the price, before overage
            overage_price="price",  # per seat or unit above included_quantity, per month
            overage_measure="text",  # how a month's active seats are counted: peak, average, month_end
            billable="flag",
        ),
        parent=("contracts", "contract_key"),
    ),
    Entity(
        "amendments",
        columns(
            number="text",
            type="text",
            status="text",  # draft, activated, cancelled
            contract_key="text",
            subscription_key="text",
            effective_date="date",
            activated_at="instant",
            currency="text",
            monthly_delta="money",  # change of the recurring amount per month; null: derived from lines
        ),
    ),
    Entity(
        "products",
        columns(name="text", code="text", family="text", charge_type="text", active="flag", rollup_code="text"),
    ),
    Entity(
        "prices",
        columns(
            product_key="text",
            product_code="text",
            unit="text",
            model="text",
            unit_price="price",
            currency="text",
            price_months="whole",
        ),
    ),
    Entity(
        "orders",
        columns(
            number="text",
            type="text",
            status="text",
            contract_key="text",
            opportunity_key="text",
            effective_date="date",
            currency="text",
            amount="money",
        ),
    ),
    Entity(
        "order_lines",
        columns(
            order_key="text",
            contract_line_key="text",
            product_code="text",
            quantity="quantity",
            unit_price="price",
            currency="text",
            start_date="date",
            end_date="date",
        ),
        parent=("orders", "order_key"),
    ),
    Entity(
        "shipments",
        columns(
            order_line_key="text",
            contract_line_key="text",  # the CRM's id
            product_code="text",
            quantity="quantity",
            unit_price="price",
            currency="text",
            shipped_date="date",
            status="text",
        ),
    ),
    # One row per version of a subscription; `number` is what stays.
    Entity(
        "subscriptions",
        columns(
            number="text",
            version="whole",
            status="text",  # draft, active, cancelled, expired, suspended
            contract_key="text",  # the CRM's id of the contract
            start_date="date",
            end_date="date",
            cancelled_date="date",  # first day not covered any more
            term_type="text",  # termed, evergreen
            currency="text",
        ),
    ),
    Entity(
        "subscription_lines",
        columns(
            number="text",
            subscription_key="text",  # of any version of the subscription
            contract_line_key="text",  # the CRM's id of the base line
            product_code="text",
            name="text",
            charge_type="text",
            model="text",
            quantity="quantity",
            unit_price="price",
            price_months="whole",
            currency="text",
            billing_months="whole",
            billing_timing="text",
            unit="text",
            start_date="date",
            end_date="date",
            charged_through="date",  # billed up to this day, exclusive
            free_until="date",
        ),
        parent=("subscriptions", "subscription_key"),
    ),
    # What a line bills from when to when: one row per segment of the line.
    Entity(
        "billing_schedules",
        columns(
            subscription_line_key="text",
            subscription_key="text",
            version="whole",
            segment="whole",
            status="text",
            quantity="quantity",
            unit_price="price",
            price_months="whole",
            currency="text",
            start_date="date",
            end_date="date",
            charged_through="date",
        ),
        parent=("subscriptions", "subscription_key"),
    ),
    Entity(
        "price_tiers",
        columns(
            line_version_key="text",  # the schedule row that the tier prices
            price_key="text",
            tier="whole",
            from_quantity="quantity",
            to_quantity="quantity",
            unit_price="price",
        ),
        parent=("billing_schedules", "line_version_key"),
    ),
    Entity(
        "usage_events",
        columns(
            event_id="text",  # the sender's idempotency key
            meter="text",
            subject="text",  # who used it, as the meter knows them
            subscription_number="text",
            subscription_line_key="text",
            quantity="quantity",
            happened_at="instant",
            received_at="instant",
            batch="text",
            is_test="flag",
        ),
    ),
    Entity(
        "invoice_runs",
        columns(
            number="text",
            status="text",
            batches="text",  # the batches of accounts that the run bills, separated by commas; null: all
            target_date="date",
            invoice_date="date",
            started_at="instant",
            posted_at="instant",
        ),
    ),
    Entity(
        "invoices",
        columns(
            number="text",
            status="text",  # draft, posted, void, error
            run_key="text",
            invoice_date="date",
            due_date="date",
            posted_at="instant",
            total="money",  # tax included
            tax="money",
            balance="money",
            currency="text",
            contract_key="text",  # the CRM's id, where an invoice names its contract
            po_number="text",
            billing_key="text",  # in the ERP: the billing platform's number of the same invoice
        ),
    ),
    Entity(
        "invoice_lines",
        columns(
            invoice_key="text",
            subscription_key="text",
            line_version_key="text",  # the schedule row that was billed
            subscription_line_key="text",
            contract_line_key="text",  # the CRM's id
            billing_key="text",  # in the ERP: the billing platform's id of the same line
            product_code="text",
            name="text",
            charge_type="text",  # recurring, one_time, usage, overage, discount, credit, tax
            quantity="quantity",
            unit_price="price",
            amount="money",  # without tax; negative for a credit
            tax="money",
            tax_code="text",
            currency="text",
            period_start="date",
            period_end="date",
            recognition="text",  # how revenue is earned: over_time, point_in_time, none
        ),
        parent=("invoices", "invoice_key"),
    ),
    Entity(
        "credit_memos",
        columns(
            number="text",
            status="text",
            invoice_key="text",
            contract_key="text",
            amount="money",  # positive
            currency="text",
            memo_date="date",
            reason="text",
        ),
    ),
    Entity(
        "payments",
        columns(
            number="text",
            status="text",
            invoice_key="text",
            amount="money",
            currency="text",
            paid_date="date",
        ),
    ),
    Entity(
        "revenue_schedules",
        columns(
            invoice_line_key="text",  # the ERP's own invoice line
            status="text",
            amount="money",
            recognized="money",
            currency="text",
            start_date="date",
            end_date="date",
        ),
        parent=("invoice_lines", "invoice_line_key"),
    ),
    Entity(
        "ledger_entries",
        columns(document_key="text", ledger_account="text", amount="money", currency="text", posted_date="date"),
    ),
    Entity("accounting_periods", columns(name="text", start_date="date", end_date="date", closed="flag")),
    Entity("fx_rates", columns(from_currency="text", to_currency="text", rate="price", rate_date="date")),
    # What is in use at the customer's: seats of one month, counted as the contract line defines.
    Entity(
        "entitlements",
        columns(
            contract_line_key="text",  # the CRM's id
            product_code="text",
            active_quantity="quantity",
            period_start="date",
            period_end="date",
            measure="text",
            is_trial="flag",
        ),
    ),
    # One run of a flow of an integration platform, as the platform reports it.
    Entity(
        "integration_runs",
        columns(
            flow="text",
            job_id="text",
            trace_key="text",  # what the run was about; a later success with the same one settles an error
            source_system="text",  # in the platform's words, as target_system
            target_system="text",
            object="text",  # what it moves, such as Contract or invoice
            status="text",  # running, success, partial, failed, cancelled
            started_at="instant",
            finished_at="instant",
            read_count="whole",
            written_count="whole",
            rejected_count="whole",
            message="text",
        ),
    ),
    # A record that a flow could not move: an entry of an error queue or a dead-letter queue.
    Entity(
        "integration_errors",
        columns(
            flow="text",
            job_id="text",
            trace_key="text",
            queue="text",
            source_system="text",
            target_system="text",
            object="text",
            record_key="text",  # the source system's id of the record
            code="text",
            message="text",
            status="text",  # open, retrying, resolved, ignored
            retry_state="text",  # the platform's own word for whether it tries again
            attempts="whole",
            owner="text",
            amount="money",  # of the record, where the platform reports it
            currency="text",
            raised_at="instant",  # first seen
            last_seen_at="instant",
            resolved_at="instant",
        ),
    ),
    # What changed in how a source describes itself; written by the gateway, under the source's name.
    Entity(
        "metadata_changes",
        columns(object="text", field="text", change="text", before="text", after="text", seen_at="instant"),
    ),
    # Who wrote what, by which way and in which order: a row per changed field of a source's audit trail.
    Entity(
        "record_changes",
        columns(
            object="text",
            record_key="text",
            field="text",
            before="text",
            after="text",
            changed_at="instant",  # applied
            changed_by="text",
            via="text",  # ui, import, api, integration, script
            client="text",  # the application that wrote, where the source names it
            ticket="text",  # the change that allows it
            sequence="whole",  # the sender's order of events for the record
            effective_date="date",
            amount="money",  # what the change is worth, where the source reports it
            currency="text",
        ),
    ),
    # Snapshots of the system that was migrated from. A successor_key is the id that the billing platform has for the
    # same record; expected_delta is the change of the monthly amount that somebody signed.
    Entity(
        "legacy_accounts",
        columns(
            name="text",
            number="text",
            status="text",
            currency="text",
            parent_key="text",
            payment_terms="text",
            successor_key="text",
            snapshot_date="date",
        ),
    ),
    Entity(
        "legacy_subscriptions",
        columns(
            number="text",
            status="text",
            start_date="date",
            end_date="date",
            cancelled_date="date",
            term_type="text",
            currency="text",
            monthly_amount="money",
            successor_key="text",
            expected_delta="money",
            approved_by="text",
            snapshot_date="date",
        ),
    ),
    Entity(
        "legacy_subscription_lines",
        columns(
            subscription_key="text",
            product_code="text",
            name="text",
            charge_type="text",
            quantity="quantity",
            unit_price="price",
            price_months="whole",
            billing_months="whole",
            currency="text",
            start_date="date",
            end_date="date",
            charged_through="date",
            monthly_amount="money",
            grandfathered="flag",  # the price is kept although the rate card has moved on
            price_until="date",  # first day on which it is not kept any more
            successor_key="text",
            expected_delta="money",
            approved_by="text",
            snapshot_date="date",
        ),
        parent=("legacy_subscriptions", "subscription_key"),
    ),
    Entity(
        "links",
        columns(left_system="text", left_key="text", right_system="text", right_key="text", basis="text"),
    ),
)


def entity(name: str) -> Entity:
    """The entity of that name; ValueError names the ones there are."""
    if name not in ENTITIES:
        raise ValueError(f"The books know no entity {name!r}; they know: {', '.join(ENTITIES)}.")
    return ENTITIES[name]


def names() -> Iterator[str]:
    """Every entity's name, parents before their children."""
    return iter(ENTITIES)
