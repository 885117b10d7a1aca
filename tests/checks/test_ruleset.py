from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from books.engine import Engine, Request, connect, source_rows
from books.entities import ENTITIES
from books.reading import ROLES, Books
from books.snapshots import Reading, Snapshot
from books.store import table_from
from checks.catalogue import CATALOGUE
from checks.contract import Arithmetic, Mode, Need, Outcome, Tolerance
from checks.errors import DeclarationError
from checks.judging import Bands
from checks.ruleset import Override, Ruleset
from tests.checks.broken import underpriced, unscheduled_revenue
from tests.checks.kit import EVERYTHING, NOW, Ledger

BOOKS = Books({role: (role,) for role in ROLES}, dict.fromkeys(ROLES, EVERYTHING))
CHECK = CATALOGUE["revenue_schedule_missing"]


def of(override: Override = Override()) -> Ruleset:  # noqa: B008
    return Ruleset([CHECK], BOOKS, {CHECK.id: override})


def engine_with(ledger: Ledger) -> Engine:
    engine = Engine(connect())
    for name in ENTITIES:
        engine.hold(name, table_from(name, ledger.rows.get(name, [])))
    snapshot = fresh()
    engine.hold("sources", source_rows(snapshot))
    engine.ask(Request(NOW, NOW.date()))
    return engine


def fresh() -> Snapshot:
    readings = {(role, entity): Reading(NOW, timedelta(hours=1)) for role in ROLES for entity in EVERYTHING}
    return Snapshot("test", NOW, {}, readings)


def test_an_override_replaces_only_what_it_names() -> None:
    rule = of(Override(mode=Mode.WARN)).rules[CHECK.id]
    assert rule.check == replace(CHECK, mode=Mode.WARN, mode_is_set=True)
    rule = of(Override(tolerance=Tolerance(Decimal(5)), lag_minutes=60)).rules[CHECK.id]
    assert (rule.check.tolerance, rule.check.lag_minutes, rule.check.mode) == (Tolerance(Decimal(5)), 60, CHECK.mode)


def test_the_digest_changes_with_every_setting() -> None:
    digests = {
        of().digest,
        of(Override(mode=Mode.WARN)).digest,
        of(Override(tolerance=Tolerance(Decimal(5)))).digest,
        of(Override(settings={"close_days": 8})).digest,
    }
    assert len(digests) == 4
    assert of().digest == of(Override(settings={"close_days": 7})).digest


def test_unknown_checks_and_settings_are_refused() -> None:
    with pytest.raises(DeclarationError, match="no_such_check"):
        Ruleset([CHECK], BOOKS, {"no_such_check": Override()})
    with pytest.raises(DeclarationError, match="it has: close_days"):
        of(Override(settings={"closing": 1}))


def test_a_check_whose_rows_lack_a_term_is_refused() -> None:
    check = replace(CHECK, arithmetic=Arithmetic.of("line_amount * rate", "0"))
    rules = Ruleset([check], BOOKS)
    with pytest.raises(DeclarationError, match="lack the columns rate"):
        rules.prepare([check.id])
    with engine_with(Ledger()) as engine:
        evaluation = rules.evaluate(CHECK.id, engine, fresh(), NOW, whole_run=True, bands=Bands(), empty=())
    assert evaluation.outcome is Outcome.NOT_EVALUATED
    assert "lack the columns rate" in str(evaluation.reason)


def test_a_setting_of_the_wrong_kind_is_refused_at_start() -> None:
    with pytest.raises(DeclarationError, match=r"close_days is set to .next week."):
        of(Override(settings={"close_days": "next week"}))


def test_rulesets_over_the_same_books_and_settings_share_their_sql() -> None:
    elsewhere = Books({**BOOKS.roles, "erp": ("netsuite",)}, {**BOOKS.mapped, "netsuite": EVERYTHING})
    first, again = of().rules[CHECK.id], of().rules[CHECK.id]
    later = of(Override(settings={"close_days": 8})).rules[CHECK.id]
    assert again.compiled is first.compiled
    assert later.compiled.sql != first.compiled.sql
    assert Ruleset([CHECK], elsewhere).rules[CHECK.id].compiled.sql != first.compiled.sql
    assert Ruleset([CHECK], elsewhere).digest != of().digest


def test_what_checks_share_is_worked_out_once_per_engine() -> None:
    rules = Ruleset([CATALOGUE["contract_terms_vs_billing"], CATALOGUE["duplicate_invoice_line"]], BOOKS)
    with engine_with(underpriced()) as engine, engine_with(Ledger()) as other:
        for held, count in ((engine, 1), (engine, 1), (other, 0)):
            evaluation = rules.evaluate(
                "contract_terms_vs_billing", held, fresh(), NOW, whole_run=True, bands=Bands(), empty=()
            )
            assert len(evaluation.findings) == count
        engine.connection.execute("DELETE FROM billed_lines")
        assert engine.rows("SELECT count(*) AS n FROM billed_periods") == [{"n": 12}]


def test_a_share_of_the_books_may_be_empty_where_the_whole_is_not() -> None:
    rules = of()
    with engine_with(Ledger()) as share, engine_with(unscheduled_revenue()) as whole:
        empty = rules.empty_needs(whole)
        assert empty == {Need("revenue_schedules", "erp")}
        assert rules.empty_needs(share) >= empty

        def asked(known: frozenset[Need] | None) -> Outcome:
            return rules.evaluate(CHECK.id, share, fresh(), NOW, whole_run=True, bands=Bands(), empty=known).outcome

        assert asked(frozenset()) is Outcome.PASSED
        assert asked(empty) is Outcome.NOT_EVALUATED
        assert asked(None) is Outcome.NOT_EVALUATED


def test_an_entity_that_was_never_read_is_not_evaluated() -> None:
    rules = of()
    readings = {at: reading for at, reading in fresh().readings.items() if at != ("erp", "invoice_lines")}
    with engine_with(Ledger()) as engine:
        evaluation = rules.evaluate(
            CHECK.id, engine, replace(fresh(), readings=readings), NOW, whole_run=True, bands=Bands(), empty=()
        )
    assert (evaluation.outcome, evaluation.reason) == (
        Outcome.NOT_EVALUATED,
        "invoice_lines of erp has not been read yet.",
    )
