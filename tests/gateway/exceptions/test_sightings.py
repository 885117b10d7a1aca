"""From findings to sightings, and what a sighting means for a case."""

from dataclasses import replace
from decimal import Decimal

from checks.contract import Severity
from checks.findings import Record
from gateway.exceptions.sightings import EVIDENCE_ROWS, REOPEN_WINDOW, Known, Verdict, sightings, verdict
from gateway.exceptions.states import State
from tests.gateway.exceptions.queue_world import DAY, HOUR, NOW, failed, finding

ONE = next(iter(sightings([failed(finding())]).values()))
ACTIVE_CASE = Known(1, State.OPEN, "S2", Decimal(900), ONE.content, None, None, None, None, False, Decimal(1), None)
CLOSED_CASE = replace(ACTIVE_CASE, state=State.RESOLVED, resolved_at=NOW, resolution="fixed_at_source")


def test_findings_of_one_fingerprint_are_one_sighting() -> None:
    small = finding(amount="100.00", record=Record("zuora", "invoice_lines", "L-1"))
    large = finding(amount="250.00", record=Record("zuora", "invoice_lines", "L-2"), severity=Severity.S1)
    (seen,) = sightings([failed(small), failed(large)]).values()
    assert (seen.amount, seen.severity, seen.finding) == (Decimal("350.00"), Severity.S1, large)
    assert seen.arithmetic == f"{large.arithmetic}; {small.arithmetic}"


def test_amounts_of_two_currencies_are_not_added() -> None:
    (seen,) = sightings([failed(finding(amount="100.00"), finding(amount="90.00", currency="EUR"))]).values()
    assert (seen.amount, seen.finding.currency) == (Decimal("100.00"), "USD")


def test_evidence_is_capped() -> None:
    many = tuple(Record("zuora", "invoice_lines", str(number)) for number in range(EVIDENCE_ROWS + 9))
    (seen,) = sightings([failed(finding(evidence=many))]).values()
    assert seen.evidence == many[:EVIDENCE_ROWS]


def test_content_does_not_change_with_trailing_zeros() -> None:
    more_zeros = next(iter(sightings([failed(finding(amount="900.00", expected=Decimal("900.0000")))]).values()))
    assert more_zeros.content == ONE.content
    assert next(iter(sightings([failed(finding(amount="901.00"))]).values())).content != ONE.content


def test_what_is_not_known_is_new() -> None:
    assert verdict(None, ONE, NOW, NOW) is Verdict.NEW


def test_an_active_case_is_seen_again_or_has_changed() -> None:
    assert verdict(ACTIVE_CASE, ONE, NOW, NOW) is Verdict.AGAIN
    assert verdict(replace(ACTIVE_CASE, content="other"), ONE, NOW, NOW) is Verdict.CHANGED


def test_data_older_than_the_resolution_cannot_know_better() -> None:
    assert verdict(CLOSED_CASE, ONE, NOW, NOW + HOUR) is Verdict.OLD_NEWS
    assert verdict(CLOSED_CASE, ONE, NOW + HOUR, NOW + HOUR) is Verdict.REGRESSED


def test_after_the_window_it_is_a_new_case() -> None:
    inside, outside = NOW + REOPEN_WINDOW, NOW + REOPEN_WINDOW + HOUR
    assert verdict(CLOSED_CASE, ONE, inside, inside) is Verdict.REGRESSED
    assert verdict(CLOSED_CASE, ONE, outside, outside) is Verdict.RECURRED


def test_an_accepted_risk_holds_for_its_time_and_up_to_its_amount() -> None:
    accepted = replace(
        CLOSED_CASE, resolution="accepted_risk", accepted_until=NOW + 10 * DAY, accepted_amount=Decimal(900)
    )
    later = NOW + DAY
    assert verdict(accepted, ONE, later, later) is Verdict.ACCEPTED
    assert verdict(accepted, ONE, later, NOW + 10 * DAY) is Verdict.REGRESSED
    assert verdict(replace(accepted, accepted_amount=Decimal(899)), ONE, later, later) is Verdict.REGRESSED


def test_a_duplicate_holds_while_the_other_case_is_active() -> None:
    duplicate = replace(CLOSED_CASE, resolution="duplicate_of", original_active=True)
    later = NOW + DAY
    assert verdict(duplicate, ONE, later, later) is Verdict.ACCEPTED
    assert verdict(replace(duplicate, original_active=False), ONE, later, later) is Verdict.REGRESSED
