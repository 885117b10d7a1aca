"""What was sold: opportunities, quotes, contracts with what changes them, products and prices."""

from books.columns import columns
from books.entities.entity import Entity

ENTITIES = (
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
            renews_key="text",  # the contract that it would continue
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
            discount_rate="price",  # a fraction of the list price, over all lines
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
            list_price="price",
            discount_rate="price",  # a fraction of the list price
        ),
        parent=("quotes", "quote_key"),
    ),
    # Who agreed to what: a discount, a price, an override.
    Entity(
        "approvals",
        columns(
            object="text",  # what the approval is about, such as quote
            record_key="text",
            kind="text",  # discount, stacking, price, mapping, credit
            status="text",  # approved, rejected, pending
            approver="text",
            decided_at="instant",
            rate="price",  # up to which discount, as a fraction
            unit_price="price",  # the price that was agreed to
            until_date="date",
        ),
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
            version="whole",  # counts up with every change that billing must follow
            contract_value="money",  # as the system states it; what it means there, the data dictionary says
            term_months="whole",
            renews_key="text",  # the contract that this one continues
            auto_renews="flag",
            holds_over="flag",  # after its end the terms go on until somebody signs
            notice_days="whole",  # a cancellation takes effect so many days after it was given
            allows_stacking="flag",  # several discounts at a time are agreed
            nonstandard_terms="flag",  # finance has been told of terms that change when revenue is earned
            billing_rule="text",  # of services: time_and_materials, fixed_fee, capped, retainer
            cap_amount="money",
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
            discount_rate="price",
            tax_code="text",
            uplift_rate="price",  # a fraction by which the price rises
            uplift_months="whole",  # every so many months; null: once
            uplift_from="date",  # the first rise, where it is not uplift_months (else a year) after the start
            uplift_index="text",  # the index that the rate follows, such as CPI-U
            uplift_known_on="date",  # of an index: the day on which the rate was fixed; nothing rises before
            uplift_floor="price",  # the least and the most that an index makes of the rate
            uplift_cap="price",
            uplift_waived="flag",
            segment_key="text",  # what the steps of a ramp have in common
            segment="whole",  # which step of the ramp, from 1
            commit_amount="money",  # the least that is billed in each window
            commit_months="whole",  # how long a window is, from the start of the line; null: the whole term
            commit_rolls_over="flag",  # what lacks in one window may be made up in a later one: the term counts
        ),
        parent=("contracts", "contract_key"),
    ),
    # What was read out of the signed text, by a person or by a machine that says how sure it is.
    Entity(
        "contract_clauses",
        columns(
            contract_key="text",
            kind="text",  # extended_terms, acceptance, termination, refund, most_favoured
            text="text",
            confidence="price",  # 0 to 1; null where a person read it
            confirmed_by="text",
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
            sequence="whole",  # the order in which the CRM changed the contract
            subscription_version="whole",  # the version that the change was made to
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
            start_date="date",
            end_date="date",
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
)
