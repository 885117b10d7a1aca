"""What the reference says of each check: severity, mode, scope, business and technical owner; `-` leaves it open.

A check of one's own need not be here.
"""

from typing import NamedTuple


class Said(NamedTuple):
    severity: str
    mode: str
    scope: str
    business: str
    technical: str


_ROWS = """\
closed_won_not_in_billing             S1 warn    run         revops             it
order_lines_missing_in_billing        S1 block   account     billing_ops        it
amendment_without_billing_schedule    S1 block   account     billing_ops        it
subscription_line_without_schedule    S1 block   account     billing_ops        it
invoice_without_contract_detail       S2 block   invoice     billing_ops        revops
invoice_not_in_erp                    S2 monitor invoice     finance_ops        it
stale_destination_version             S2 warn    -           it                 revops
field_dropped_in_handoff              S2 block   account     it                 billing_ops
broken_amendment_link                 S1 block   account     revops             it
orphan_child_record                   S2 block   invoice     it                 billing_ops
renewal_chain_broken                  S2 warn    -           revops             it
invoice_schedule_version_mismatch     S1 block   invoice     billing_ops        it
field_mapping_drift                   S2 warn    -           it                 revops
contract_value_definition_mismatch    S2 monitor -           revops             it
unreviewed_mapping_change             S3 warn    run         it                 revops
event_out_of_order                    S2 block   account     it                 billing_ops
cancelled_still_billing               S1 block   invoice     billing_ops        revops
active_not_billing                    S1 warn    run         billing_ops        revops
duplicate_invoice_line                S1 block   invoice     billing_ops        it
duplicate_usage_event                 S2 block   account     it                 billing_ops
usage_billed_twice                    S1 block   invoice     billing_ops        it
duplicate_subscription                S2 warn    -           revops             billing_ops
error_queue_unowned                   S2 monitor -           it                 billing_ops
error_queue_blocks_invoice            S1 block   account     billing_ops        it
integration_empty_run                 S2 warn    run         it                 -
source_stale                          S3 block   run         it                 -
orphaned_exception                    S2 monitor -           revops             it
effective_date_mismatch               S2 -       invoice     billing_ops        revops
usage_after_cutoff_unbilled           S2 warn    -           billing_ops        it
invoice_period_gap_or_overlap         S2 block   invoice     billing_ops        revops
close_period_misposting               S2 monitor -           revenue_accounting finance_ops
coterm_proration_error                S3 warn    -           billing_ops        revops
recurring_bill_date_missed            S1 warn    run         billing_ops        it
migration_carryover_defect            S2 block   account     billing_ops        it
legacy_price_without_expiry           S3 monitor -           revops             billing_ops
master_data_drift                     S3 -       invoice     finance_ops        revops
customer_hierarchy_drift              S3 warn    -           revops             it
bill_to_incomplete                    S2 block   invoice     billing_ops        revops
credit_memo_without_contract          S2 block   credit_memo finance_ops        billing_ops
credit_memo_without_revenue_treatment S2 monitor -           revenue_accounting finance_ops
credit_rebill_imbalance               S2 warn    -           billing_ops        finance_ops
credit_memo_spike                     S3 monitor -           finance_ops        billing_ops
revenue_schedule_missing              S2 monitor -           revenue_accounting it
revenue_schedule_mismatch             S2 -       -           revenue_accounting finance_ops
nonstandard_terms_unflagged           S1 warn    invoice     revenue_accounting revops
deferred_rollforward_break            S2 monitor -           revenue_accounting finance_ops
shipped_not_billed                    S1 warn    run         billing_ops        finance_ops
usage_unmatched_account               S1 block   run         it                 billing_ops
usage_vs_invoice_mismatch             S2 block   invoice     billing_ops        it
usage_missing_for_active_meter        S2 warn    account     it                 billing_ops
seat_overage_unbilled                 S2 warn    -           billing_ops        revops
entitlement_exceeds_contract          S3 monitor -           revops             it
unbilled_work                         S2 warn    run         finance_ops        billing_ops
commit_shortfall_unbilled             S2 block   invoice     billing_ops        revops
contract_terms_vs_billing             S1 block   invoice     billing_ops        revops
pricing_drift                         S2 -       -           revops             billing_ops
expired_discount_applied              S2 block   invoice     billing_ops        revops
stacked_discounts                     S2 block   invoice     revops             billing_ops
discount_over_limit_unapproved        S3 warn    -           revops             -
missed_renewal                        S1 warn    run         revops             billing_ops
missed_uplift                         S2 block   invoice     revops             billing_ops
ramp_step_missed                      S2 block   invoice     billing_ops        revops
invoice_math_error                    S1 block   invoice     billing_ops        it
tax_or_currency_mismatch              S2 block   invoice     finance_ops        billing_ops
missing_expected_invoice              S1 block   run         billing_ops        it
run_total_anomaly                     S2 -       -           billing_ops        finance_ops
invoice_variance_unexplained          S3 warn    -           billing_ops        -
payment_failure_no_dunning            S2 monitor -           finance_ops        it
cash_unapplied                        S4 monitor -           finance_ops        -
booked_vs_billed_tieout               S2 warn    run         revops             billing_ops
billed_vs_collected_tieout            S3 monitor -           finance_ops        -
recognized_vs_collected_tieout        S3 monitor -           revenue_accounting finance_ops
realization_rate_low                  S2 monitor -           finance_ops        revops
small_drift_accumulator               S3 monitor -           finance_ops        billing_ops
gate_hold_aged                        S1 monitor -           billing_ops        finance_ops
recurring_override                    S3 warn    -           finance_ops        revops
manual_backdoor_write                 S2 warn    account     it                 billing_ops
"""

REFERENCE = {id_: Said(*said) for id_, *said in map(str.split, _ROWS.splitlines())}
