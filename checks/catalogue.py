"""The shipped checks, by id. A new check is a module and a line here."""

from collections.abc import Mapping

from checks import (
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
    shipped_not_billed,
    source_stale,
    subscription_line_without_schedule,
    usage_unmatched_account,
)
from checks.contract import Check

_SHIPPED: tuple[Check, ...] = (
    closed_won_not_in_billing.CHECK,
    order_lines_missing_in_billing.CHECK,
    amendment_without_billing_schedule.CHECK,
    subscription_line_without_schedule.CHECK,
    invoice_without_contract_detail.CHECK,
    invoice_not_in_erp.CHECK,
    broken_amendment_link.CHECK,
    cancelled_still_billing.CHECK,
    duplicate_invoice_line.CHECK,
    duplicate_usage_event.CHECK,
    source_stale.CHECK,
    revenue_schedule_missing.CHECK,
    shipped_not_billed.CHECK,
    usage_unmatched_account.CHECK,
    seat_overage_unbilled.CHECK,
    contract_terms_vs_billing.CHECK,
    invoice_math_error.CHECK,
    missing_expected_invoice.CHECK,
)

CATALOGUE: Mapping[str, Check] = {check.id: check for check in _SHIPPED}
