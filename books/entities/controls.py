"""Tieout's own: what its models expect, and its cases, holds and overrides."""

from books.columns import columns
from books.entities.entity import Entity

# What the gateway publishes of itself. These rows name the customer across systems: nothing is to be resolved.
PUBLISHED = ("cases", "holds", "overrides", "expected_bands")

ENTITIES = (
    # What the models expect: a check reads the band, it does not fit one.
    Entity(
        "expected_bands",
        columns(
            metric="text",
            subject="text",
            period_start="date",
            period_end="date",
            expected="money",
            low="money",
            high="money",
            currency="text",
            model="text",
            fitted_at="instant",
        ),
    ),
    # Tieout's own controls, published by the gateway as the system tieout.
    Entity(
        "cases",
        columns(
            number="text",
            check="text",
            fingerprint="text",
            state="text",
            severity="text",
            owner="text",
            owner_active="flag",
            deputy="text",
            amount="money",
            currency="text",
            opened_at="instant",
            touched_at="instant",
            due_at="instant",  # until when it was to be resolved
            untouched_until="instant",  # twice its time to resolve, counted from the last touch
        ),
    ),
    Entity(
        "holds",
        columns(
            run_key="text",
            invoice_key="text",
            owner="text",
            reason="text",
            amount="money",
            currency="text",
            held_at="instant",
            due_at="instant",
            until_at="instant",  # a hold that was planned says until when
            released_at="instant",
        ),
    ),
    Entity(
        "overrides",
        columns(
            check="text",
            run_key="text",
            invoice_key="text",
            reason="text",
            requested_by="text",
            approved_by="text",
            approved_at="instant",
            expires_at="instant",
            amount="money",
            currency="text",
        ),
    ),
)
