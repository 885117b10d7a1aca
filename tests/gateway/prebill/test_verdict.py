"""Laws of the verdict, whatever the checks found."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from checks.contract import Mode, MoneyKind, Outcome, Scope
from checks.findings import Evaluation, Finding, Record, Waiting
from gateway.prebill.verdict import Draft, Judgement, Reason, Verdict, judge_run, worst
from tests.gateway.exceptions.queue_world import finding
from tests.gateway.prebill.prebill_world import WRONG_PRICE

ACCOUNTS = ("SF-1", "SF-2", "SF-3")
INVOICES = tuple(f"INV-{n}" for n in range(6))
ORDER = [Verdict.PASS, Verdict.WARN, Verdict.BLOCK]
AMOUNTS = st.decimals(0, 10**12, places=2)


@st.composite
def drafts(draw: st.DrawFn) -> list[Draft]:
    ids = draw(st.lists(st.sampled_from(INVOICES), unique=True, max_size=5))
    accounts = st.none() | st.sampled_from(ACCOUNTS)
    return [Draft(id_, "ZA", draw(accounts), draw(st.sampled_from(["USD", "EUR"])), draw(AMOUNTS)) for id_ in ids]


@st.composite
def evaluations(draw: st.DrawFn) -> list[Evaluation]:
    made = []
    for n in range(draw(st.integers(0, 4))):
        check = replace(
            WRONG_PRICE, id=f"check_{n}", mode=draw(st.sampled_from(Mode)), scope=draw(st.sampled_from(Scope))
        )
        found = [draw(_findings(check)) for _ in range(draw(st.integers(0, 3)))]
        waiting = [
            Waiting(draw(_account()), Record("zuora", "invoices", "x"), draw(_invoice()), "It waits.")
            for _ in range(draw(st.integers(0, 2)))
        ]
        outcome = Outcome.FAILED if found else draw(st.sampled_from([o for o in Outcome if o is not Outcome.FAILED]))
        if outcome is Outcome.NOT_APPLICABLE:
            waiting = []
        made.append(Evaluation(check, outcome, "The reason.", tuple(found), tuple(waiting)))
    return made


def _account() -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from([*ACCOUNTS, "SF-elsewhere"])


def _invoice() -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from([*INVOICES, "INV-elsewhere"])


@st.composite
def _findings(draw: st.DrawFn, check: Any) -> Finding:
    return replace(
        finding(draw(st.sampled_from(["CL-1", "CL-2"])), of=check),
        mode=draw(st.sampled_from(Mode)),
        kind=draw(st.sampled_from(MoneyKind)),
        account_key=draw(_account()),
        invoice_key=draw(_invoice()),
        amount=draw(AMOUNTS),
        currency=draw(st.sampled_from(["USD", "EUR", "JPY", None])),
    )


def _judged(run: Sequence[Draft], found: Sequence[Evaluation], fail_open: Sequence[str] = ()) -> Judgement:
    return judge_run(run, found, [], dict.fromkeys(fail_open, "eve"))


@given(drafts(), evaluations())
def test_another_invoice_changes_no_other_invoices_verdict(run: list[Draft], found: list[Evaluation]) -> None:
    assume(run)
    *rest, added = run
    with_it, without = _judged(run, found), _judged(rest, found)
    for draft in rest:
        assert with_it.invoices[draft.id] == without.invoices[draft.id]
        assert with_it.reasons[draft.id] == without.reasons[draft.id]
    assert with_it.run_reasons == without.run_reasons
    assert ORDER.index(with_it.verdict) >= ORDER.index(without.verdict)
    assert with_it.invoices.keys() - without.invoices.keys() == {added.id}


@given(drafts(), evaluations())
def test_the_worst_reason_wins(run: list[Draft], found: list[Evaluation]) -> None:
    judged = _judged(run, found)
    for draft in run:
        own = [reason.verdict for reason in judged.reasons[draft.id]]
        unjudged = [r.verdict for r in judged.run_reasons if r.outcome is Outcome.NOT_EVALUATED]
        assert judged.invoices[draft.id] == max([Verdict.PASS, *own, *unjudged], key=ORDER.index)
    everything = [*judged.invoices.values(), *(reason.verdict for reason in judged.run_reasons)]
    assert judged.verdict == max([Verdict.PASS, *everything], key=ORDER.index)


@given(drafts(), evaluations())
def test_money_adds_up_and_kinds_stay_apart(run: list[Draft], found: list[Evaluation]) -> None:
    judged = _judged(run, found)
    run_is_held = worst(reason.verdict for reason in judged.run_reasons) is Verdict.BLOCK
    for currency, sums in judged.sums.items():
        ours = [draft for draft in run if draft.currency == currency]
        assert sums.billed == sum((draft.total for draft in ours), Decimal(0))
        held = [d for d in ours if run_is_held or judged.invoices[d.id] is Verdict.BLOCK]
        assert sums.held == sum((draft.total for draft in held), Decimal(0))
        for kind in MoneyKind:
            theirs = [f.amount for f in judged.findings if (f.kind, f.currency) == (kind, currency)]
            assert sums.kinds[kind] == sum(theirs, Decimal(0))
    assert {draft.currency for draft in run} <= judged.sums.keys()


@given(drafts(), evaluations())
def test_a_reason_stands_only_where_its_scope_puts_it(run: list[Draft], found: list[Evaluation]) -> None:
    judged = _judged(run, found)
    for draft in run:
        for reason in judged.reasons[draft.id]:
            assert reason.scope is not Scope.RUN
            if reason.finding is not None and reason.scope is Scope.ACCOUNT:
                assert reason.finding.account_key == draft.account_key is not None
            elif reason.finding is not None:
                assert reason.finding.invoice_key == draft.id
    for reason in judged.run_reasons:
        assert reason.scope is Scope.RUN or reason.outcome is Outcome.NOT_EVALUATED
    said = [
        id(reason.finding) for of in (*judged.reasons.values(), judged.run_reasons) for reason in of if reason.finding
    ]
    assert {id(one) for one in judged.findings} == set(said)
    assert len(judged.findings) == len({id(one) for one in judged.findings})


@given(drafts(), evaluations())
def test_a_blocking_check_that_is_not_evaluated_never_passes(run: list[Draft], found: list[Evaluation]) -> None:
    blind = [e for e in found if e.outcome is Outcome.NOT_EVALUATED and not e.waiting and e.check.mode is Mode.BLOCK]
    judged = _judged(run, found)
    if blind:
        assert judged.verdict is Verdict.BLOCK
        assert set(judged.invoices.values()) <= {Verdict.BLOCK}
        assert {e.check.id for e in blind} <= {reason.check for reason in judged.run_reasons}


@given(drafts(), evaluations())
def test_failing_open_never_blocks_and_never_hides_a_finding(run: list[Draft], found: list[Evaluation]) -> None:
    judged = _judged(run, found, [e.check.id for e in found])
    reasons = [reason for of in (*judged.reasons.values(), judged.run_reasons) for reason in of]
    assert all(r.mode is not Mode.BLOCK for r in reasons if r.outcome is Outcome.NOT_EVALUATED)
    assert judged.findings == _judged(run, found).findings
    assert all(
        "eve" in r.message for r in reasons if r.outcome is Outcome.NOT_EVALUATED and r.mode is Mode.WARN
    ) or any(e.check.mode is Mode.WARN for e in found)


@given(drafts())
def test_a_refusal_of_the_run_blocks_it_and_one_of_an_invoice_that_invoice(run: list[Draft]) -> None:
    reason = Reason("refused", Outcome.FAILED, Mode.BLOCK, Scope.INVOICE, "No.")
    assert judge_run(run, [], [(None, reason)], {}).verdict is Verdict.BLOCK
    for draft in run:
        judged = judge_run(run, [], [(draft.id, reason)], {})
        assert [id_ for id_, verdict in judged.invoices.items() if verdict is Verdict.BLOCK] == [draft.id]


def test_nothing_found_about_nothing_passes() -> None:
    assert _judged([], []).verdict is Verdict.PASS
