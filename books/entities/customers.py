"""Customers: who buys, and whom to write to."""

from books.columns import columns
from books.entities.entity import Entity

ENTITIES = (
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
            segment="text",  # how the business divides its customers
            legal_entity="text",  # which of our companies sells to the customer
            country="text",  # ISO 3166, of the place that is taxed
            tax_status="text",  # taxable, exempt, reverse_charge
            tax_id="text",
            bill_to_key="text",  # the contact who gets the invoices
            sold_to_key="text",
            invoice_owner_key="text",  # the account that pays, where it is another one: not the legal parent
        ),
    ),
    Entity(
        "contacts",
        columns(
            name="text",
            email="text",
            street="text",
            city="text",
            postal_code="text",
            country="text",
            role="text",  # bill_to, sold_to
        ),
    ),
)
