"""The planted defects: one module for each check, named after it."""

from sandbox.company.defects import (
    amendment_without_billing_schedule,
    broken_amendment_link,
    cancelled_still_billing,
    closed_won_not_in_billing,
    contract_terms_vs_billing,
    duplicate_invoice_line,
    duplicate_usage_event,
    invoice_math_error,
    invoice_not_in_erp,
    invoice_without_contract_detail,
    missing_expected_invoice,
    order_lines_missing_in_billing,
    revenue_schedule_missing,
    seat_overage_unbilled,
    subscription_line_without_schedule,
    usage_unmatched_account,
)
from sandbox.company.stories import Tale

DEFECTS: tuple[Tale, ...] = (
    *closed_won_not_in_billing.TALES,
    *order_lines_missing_in_billing.TALES,
    *amendment_without_billing_schedule.TALES,
    *broken_amendment_link.TALES,
    *subscription_line_without_schedule.TALES,
    *invoice_without_contract_detail.TALES,
    *invoice_not_in_erp.TALES,
    *usage_unmatched_account.TALES,
    *duplicate_usage_event.TALES,
    *seat_overage_unbilled.TALES,
    *contract_terms_vs_billing.TALES,
    *duplicate_invoice_line.TALES,
    *cancelled_still_billing.TALES,
    *missing_expected_invoice.TALES,
    *invoice_math_error.TALES,
    *revenue_schedule_missing.TALES,
)
