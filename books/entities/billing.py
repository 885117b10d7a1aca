"""What is billed: subscriptions with their schedules, invoices, credits and payments."""

from books.columns import columns
from books.entities.entity import Entity

ENTITIES = (
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
            source_version="whole",  # the version of the contract that billing has applied
            previous_key="text",  # the version that this one replaced
            renews_key="text",  # the subscription that this one continues
            legal_entity="text",
            po_number="text",
            term_months="whole",
            contract_value="money",
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
            discount_rate="price",
            tax_code="text",
            list_price="price",
            included_quantity="quantity",
            package_size="quantity",  # usage is sold in packages of so many, rounded up
            minimum_amount="money",
            maximum_amount="money",
            is_trial="flag",
            price_until="date",  # first day on which a price kept from before is not kept any more
            price_approved_by="text",
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
            flat_amount="price",  # beside the price per unit, once the tier is reached
        ),
        parent=("billing_schedules", "line_version_key"),
    ),
    # A reduction that was granted for a time, beyond what is in the price; several may apply to one line.
    Entity(
        "discounts",
        columns(
            name="text",
            contract_line_key="text",  # the CRM's id
            subscription_line_key="text",
            rate="price",  # a fraction, or
            amount="money",  # so much for each billing period
            currency="text",
            start_date="date",
            end_date="date",
            stackable="flag",
            approved_by="text",
        ),
        parent=("subscription_lines", "subscription_line_key"),
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
            payment_terms="text",
            legal_entity="text",
            disputed_amount="money",
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
            schedule_version="whole",  # the version of the schedule that the line was made from
            tax_rate="price",
        ),
        parent=("invoices", "invoice_key"),
    ),
    # Which usage an invoice line has billed.
    Entity(
        "billed_usage",
        columns(usage_key="text", event_id="text", invoice_line_key="text", quantity="quantity"),
        parent=("invoice_lines", "invoice_line_key"),
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
            tax="money",
            reason_code="text",
            approved_by="text",
            campaign="text",  # a planned credit to many customers
            rebill_key="text",  # the invoice that bills again what the memo takes back
            billing_key="text",  # in the ERP: the billing platform's number of the same memo
        ),
    ),
    # Every attempt to collect is a row of its own; what it settled stands in payment_applications.
    Entity(
        "payments",
        columns(
            number="text",
            status="text",  # pending, processed, failed, void
            invoice_key="text",  # what was to be paid, where the system names one invoice
            amount="money",
            refunded_amount="money",
            currency="text",
            paid_date="date",
            attempted_at="instant",
            failure="text",
            method="text",
            provider_state="text",  # the payment provider's word for what it does next
        ),
    ),
    # How much of a payment went to which invoice. Where a system does not say, the payment's own invoice has all of it.
    Entity(
        "payment_applications",
        columns(payment_key="text", invoice_key="text", amount="money"),
        parent=("payments", "payment_key"),
    ),
    # What was done about a payment that failed or an invoice that is late.
    Entity(
        "dunning_steps",
        columns(
            payment_key="text",  # the billing platform's id, as invoice_key
            invoice_key="text",
            kind="text",  # retry, reminder, call, write_off
            status="text",  # scheduled, done, failed
            happened_at="instant",
        ),
        parent=("invoices", "invoice_key"),
    ),
)
