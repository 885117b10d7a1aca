"""What explains a finding, and what does not."""

from checks.catalogue import CATALOGUE
from checks.findings import Evaluation
from gateway.demo.score import score
from sandbox.company.labels import CRM, SUMMING, Consequence, LookAlike, Planted
from tests.gateway.exceptions.queue_world import failed, finding

TERMS, DRIFT = "contract_terms_vs_billing", "pricing_drift"
SUM = "realization_rate_low"
PLACE = (CRM, "contract_lines", "CL-1")
CUSTOMER = "A-CL-1"


def found(check: str) -> Evaluation:
    """A finding of a check, of CL-1 and its customer."""
    of = CATALOGUE[check]
    return failed(finding("CL-1", of=of), of=of)


def planted(check: str, *also: Consequence) -> Planted:
    return Planted(check, *PLACE, None, None, "too dear", also=also)


def test_what_was_planted_for_another_check_explains_a_finding_and_is_not_missed() -> None:
    drift = planted(DRIFT, Consequence(TERMS, *PLACE))
    marks = score([drift], [], (), [found(TERMS)], only=(TERMS,)).checks
    assert marks.keys() == {TERMS}
    assert (marks[TERMS].planted, marks[TERMS].missed, marks[TERMS].false_alarms) == (0, (), ())
    assert len(score([drift], [], (), [found(TERMS)]).checks[DRIFT].missed) == 1


def test_a_check_that_sums_may_find_any_disturbed_customer_but_no_look_alike() -> None:
    assert SUM in SUMMING
    assert score([], [], (), [found(SUM)]).total.false_alarms
    assert score([], [], {CUSTOMER}, [found(SUM)]).total.false_alarms == ()
    (alarm,) = score([], [LookAlike(SUM, *PLACE, "not due yet")], {CUSTOMER}, [found(SUM)]).total.false_alarms
    assert alarm["looks_like"] == "not due yet"


def test_what_adds_to_one_total_is_found_with_any_part_of_it() -> None:
    large, small = (
        Planted(TERMS, CRM, "contract_lines", key, None, None, "", adds_to="USD") for key in ("CL-1", "CL-2")
    )
    marks = score([large, small], [], (), [found(TERMS)]).total
    assert (marks.planted, marks.findings, marks.missed, marks.false_alarms) == (1, 1, (), ())
    assert len(score([large, small], [], (), [found(DRIFT)]).total.missed) == 1


def test_a_check_of_single_records_is_not_excused_by_its_customer() -> None:
    assert score([], [], {CUSTOMER}, [found(TERMS)]).total.false_alarms
