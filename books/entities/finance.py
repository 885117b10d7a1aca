"""What finance made of it: revenue schedules, the ledger, its periods and rates."""

from books.columns import columns
from books.entities.entity import Entity

ENTITIES = (
    Entity(
        "revenue_schedules",
        columns(
            invoice_line_key="text",  # the ERP's own invoice line
            status="text",
            amount="money",  # what the schedule spreads
            allocated="money",  # the price that was allocated to the line, where the source says it
            recognized="money",
            currency="text",
            start_date="date",
            end_date="date",
            credit_memo_key="text",  # what reduces the schedule, where a credit does
            recognized_through="date",
        ),
        parent=("invoice_lines", "invoice_line_key"),
    ),
    Entity(
        "ledger_entries",
        columns(
            document_key="text",
            ledger_account="text",
            kind="text",  # receivable, cash, revenue, deferred_revenue, tax, fx_revaluation
            origin="text",  # invoice, credit_memo, payment, recognition, revaluation, manual
            amount="money",  # debit positive, credit negative
            currency="text",
            posted_date="date",
            period_key="text",
            service_date="date",  # the first day of the service that the entry is about
        ),
    ),
    Entity(
        "accounting_periods",
        columns(name="text", start_date="date", end_date="date", closed="flag", closed_on="date"),
    ),
    Entity("fx_rates", columns(from_currency="text", to_currency="text", rate="price", rate_date="date")),
)
