"""Snapshots of the system that was migrated from."""

from books.columns import columns
from books.entities.entity import Entity

ENTITIES = (
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
)
