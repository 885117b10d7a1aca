"""What the customer received: usage, seats, goods, work."""

from books.columns import columns
from books.entities.entity import Entity

ENTITIES = (
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
            is_heartbeat="flag",  # says that the meter works and counts nothing
        ),
    ),
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
            tag="text",  # why it was granted beside a contract: trial, beta, goodwill
            expires_date="date",
        ),
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
    # Approved work that a contract pays for: time, milestones, change orders, expenses.
    Entity(
        "work_items",
        columns(
            contract_key="text",  # the CRM's id
            contract_line_key="text",  # the CRM's id
            kind="text",  # time, milestone, change_order, expense
            status="text",  # draft, submitted, approved, rejected
            quantity="quantity",
            unit_price="price",
            amount="money",  # of expenses and milestones
            currency="text",
            worked_date="date",
            approved_at="instant",
            invoice_line_key="text",  # the billing platform's line, where the source knows it
        ),
    ),
)
