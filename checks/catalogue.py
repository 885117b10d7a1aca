"""The shipped checks, by id. A new check is a module and a line here."""

from collections.abc import Mapping

from checks.agreed_terms import (
    contract_terms_vs_billing,
    discount_over_limit_unapproved,
    expired_discount_applied,
    missed_renewal,
    missed_uplift,
    pricing_drift,
    ramp_step_missed,
    stacked_discounts,
)
from checks.broken_links import (
    broken_amendment_link,
    invoice_schedule_version_mismatch,
    orphan_child_record,
    renewal_chain_broken,
)
from checks.cash import cash_unapplied, payment_failure_no_dunning
from checks.contract import Check
from checks.control_health import gate_hold_aged, manual_backdoor_write, recurring_override
from checks.credits import (
    credit_memo_spike,
    credit_memo_without_contract,
    credit_memo_without_revenue_treatment,
    credit_rebill_imbalance,
)
from checks.delivered_not_billed import (
    commit_shortfall_unbilled,
    entitlement_exceeds_contract,
    seat_overage_unbilled,
    shipped_not_billed,
    unbilled_work,
    usage_missing_for_active_meter,
    usage_unmatched_account,
    usage_vs_invoice_mismatch,
)
from checks.draft_integrity import (
    invoice_math_error,
    invoice_variance_unexplained,
    missing_expected_invoice,
    run_total_anomaly,
    tax_or_currency_mismatch,
)
from checks.duplicates import (
    duplicate_invoice_line,
    duplicate_subscription,
    duplicate_usage_event,
    usage_billed_twice,
)
from checks.incomplete_writes import (
    amendment_without_billing_schedule,
    closed_won_not_in_billing,
    field_dropped_in_handoff,
    invoice_not_in_erp,
    invoice_without_contract_detail,
    order_lines_missing_in_billing,
    stale_destination_version,
    subscription_line_without_schedule,
)
from checks.mapping_drift import contract_value_definition_mismatch, field_mapping_drift, unreviewed_mapping_change
from checks.master_data import bill_to_incomplete, customer_hierarchy_drift, master_data_drift
from checks.migration import legacy_price_without_expiry, migration_carryover_defect
from checks.revenue import (
    deferred_rollforward_break,
    nonstandard_terms_unflagged,
    revenue_schedule_mismatch,
    revenue_schedule_missing,
)
from checks.sequencing import active_not_billing, cancelled_still_billing, event_out_of_order
from checks.silent_failures import (
    error_queue_blocks_invoice,
    error_queue_unowned,
    integration_empty_run,
    orphaned_exception,
    source_stale,
)
from checks.tie_outs import (
    billed_vs_collected_tieout,
    booked_vs_billed_tieout,
    realization_rate_low,
    recognized_vs_collected_tieout,
    small_drift_accumulator,
)
from checks.time_boundaries import (
    close_period_misposting,
    coterm_proration_error,
    effective_date_mismatch,
    invoice_period_gap_or_overlap,
    recurring_bill_date_missed,
    usage_after_cutoff_unbilled,
)

_SHIPPED: tuple[Check, ...] = (
    closed_won_not_in_billing.CHECK,
    order_lines_missing_in_billing.CHECK,
    amendment_without_billing_schedule.CHECK,
    subscription_line_without_schedule.CHECK,
    invoice_without_contract_detail.CHECK,
    invoice_not_in_erp.CHECK,
    field_dropped_in_handoff.CHECK,
    stale_destination_version.CHECK,
    broken_amendment_link.CHECK,
    orphan_child_record.CHECK,
    field_mapping_drift.CHECK,
    unreviewed_mapping_change.CHECK,
    renewal_chain_broken.CHECK,
    invoice_schedule_version_mismatch.CHECK,
    event_out_of_order.CHECK,
    contract_value_definition_mismatch.CHECK,
    cancelled_still_billing.CHECK,
    active_not_billing.CHECK,
    duplicate_invoice_line.CHECK,
    duplicate_usage_event.CHECK,
    usage_billed_twice.CHECK,
    error_queue_unowned.CHECK,
    error_queue_blocks_invoice.CHECK,
    integration_empty_run.CHECK,
    duplicate_subscription.CHECK,
    source_stale.CHECK,
    orphaned_exception.CHECK,
    effective_date_mismatch.CHECK,
    usage_after_cutoff_unbilled.CHECK,
    invoice_period_gap_or_overlap.CHECK,
    close_period_misposting.CHECK,
    migration_carryover_defect.CHECK,
    legacy_price_without_expiry.CHECK,
    master_data_drift.CHECK,
    customer_hierarchy_drift.CHECK,
    bill_to_incomplete.CHECK,
    coterm_proration_error.CHECK,
    credit_memo_without_contract.CHECK,
    credit_memo_without_revenue_treatment.CHECK,
    credit_rebill_imbalance.CHECK,
    credit_memo_spike.CHECK,
    recurring_bill_date_missed.CHECK,
    revenue_schedule_missing.CHECK,
    revenue_schedule_mismatch.CHECK,
    nonstandard_terms_unflagged.CHECK,
    deferred_rollforward_break.CHECK,
    shipped_not_billed.CHECK,
    usage_unmatched_account.CHECK,
    usage_vs_invoice_mismatch.CHECK,
    usage_missing_for_active_meter.CHECK,
    seat_overage_unbilled.CHECK,
    entitlement_exceeds_contract.CHECK,
    unbilled_work.CHECK,
    commit_shortfall_unbilled.CHECK,
    contract_terms_vs_billing.CHECK,
    pricing_drift.CHECK,
    expired_discount_applied.CHECK,
    stacked_discounts.CHECK,
    discount_over_limit_unapproved.CHECK,
    missed_renewal.CHECK,
    missed_uplift.CHECK,
    ramp_step_missed.CHECK,
    invoice_math_error.CHECK,
    tax_or_currency_mismatch.CHECK,
    missing_expected_invoice.CHECK,
    run_total_anomaly.CHECK,
    invoice_variance_unexplained.CHECK,
    payment_failure_no_dunning.CHECK,
    cash_unapplied.CHECK,
    booked_vs_billed_tieout.CHECK,
    billed_vs_collected_tieout.CHECK,
    realization_rate_low.CHECK,
    small_drift_accumulator.CHECK,
    gate_hold_aged.CHECK,
    recurring_override.CHECK,
    manual_backdoor_write.CHECK,
    recognized_vs_collected_tieout.CHECK,
)

CATALOGUE: Mapping[str, Check] = {check.id: check for check in _SHIPPED}
