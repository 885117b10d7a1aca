"""The planted defects: one module for each check, named after it."""

from sandbox.company.defects.agreed_terms import contract_terms_vs_billing
from sandbox.company.defects.broken_links import broken_amendment_link
from sandbox.company.defects.cash import cash_unapplied, payment_failure_no_dunning
from sandbox.company.defects.credits import credit_memo_spike, credit_memo_without_contract, credit_rebill_imbalance
from sandbox.company.defects.delivered_not_billed import seat_overage_unbilled, usage_unmatched_account
from sandbox.company.defects.draft_integrity import invoice_math_error, missing_expected_invoice
from sandbox.company.defects.duplicates import duplicate_invoice_line, duplicate_subscription, duplicate_usage_event
from sandbox.company.defects.incomplete_writes import (
    amendment_without_billing_schedule,
    closed_won_not_in_billing,
    invoice_not_in_erp,
    invoice_without_contract_detail,
    order_lines_missing_in_billing,
    subscription_line_without_schedule,
)
from sandbox.company.defects.revenue import revenue_schedule_missing
from sandbox.company.defects.sequencing import active_not_billing, cancelled_still_billing, event_out_of_order
from sandbox.company.defects.silent_failures import (
    error_queue_blocks_invoice,
    error_queue_unowned,
    integration_empty_run,
from sandbox.company.defects.tie_outs import (
    billed_vs_collected_tieout,
    booked_vs_billed_tieout,
    realization_rate_low,
    small_drift_accumulator,
)
from sandbox.company.defects.time_boundaries import invoice_period_gap_or_overlap
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
    *duplicate_subscription.TALES,
    *cancelled_still_billing.TALES,
    *active_not_billing.TALES,
    *event_out_of_order.TALES,
    *missing_expected_invoice.TALES,
    *invoice_math_error.TALES,
    *revenue_schedule_missing.TALES,
    *payment_failure_no_dunning.TALES,
    *cash_unapplied.TALES,
    *error_queue_unowned.TALES,
    *error_queue_blocks_invoice.TALES,
    *integration_empty_run.TALES,
    *invoice_period_gap_or_overlap.TALES,
    *credit_memo_without_contract.TALES,
    *credit_rebill_imbalance.TALES,
    *credit_memo_spike.TALES,
    *booked_vs_billed_tieout.TALES,
    *billed_vs_collected_tieout.TALES,
    *realization_rate_low.TALES,
    *small_drift_accumulator.TALES,
)
