"""Verdicts over HTTP: scopes, modes, and what blocks because nobody could judge it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest
from sqlalchemy import func, select

from books.reading import Books
from checks.contract import Arithmetic, Check, Mode, Need, Params, Scope
from gateway.errors import ConfigError
from gateway.exceptions.tables import Case
from gateway.prebill.opening import open_gate
from gateway.prebill.tables import Validation
from tests.gateway.prebill.prebill_fixtures import Serve, Worlds
from tests.gateway.prebill.prebill_world import (
    ACCOUNTS,
    DAY,
    LINES,
    MINUTE,
    NEVER_BILLED,
    NOW,
    ON_HOLD,
    OWED,
    SOLD,
    STALE,
    WRONG_PRICE,
    Caller,
    World,
    account,
    amount,
    brills,
    check,
    invoice,
    line,
    merged,
    owing,
    question,
    sold,
    stored_invoice,
)

Answer = dict[str, Any]
Find = Callable[[Books, Params], ir.Table]


def _ask(caller: Caller, *invoices: dict[str, Any], **changes: Any) -> Answer:
    reply = caller.ask(question(*invoices, **changes))
    assert reply.status_code == 200, reply.text
    answer: Answer = reply.json()
    return answer


def _verdicts(answer: Answer) -> dict[str, str]:
    return {one["id"]: one["verdict"] for one in answer["invoices"]}


def _reasons(answer: Answer, invoice_id: str | None = None) -> list[tuple[str, str, str]]:
    of = answer["run_reasons"]
    if invoice_id is not None:
        of = next(one["reasons"] for one in answer["invoices"] if one["id"] == invoice_id)
    return [(reason["check"], reason["outcome"], reason["mode"]) for reason in of]


def _cases(world: World) -> int:
    with world.database.session() as session:
        return session.scalar(select(func.count()).select_from(Case)) or 0


def _dear(id_: str = "INV-1", account_id: str = "ZA-1", charge: str = "C-1") -> dict[str, Any]:
    """An invoice that bills 41.00 for what is agreed at another price."""
    return invoice(id_, account_id, line(f"{id_}-L", charge, unit_price="41.00", amount="20500.00"), total="20500.00")


def test_a_clean_run_passes_and_says_so_in_every_field(world: World, caller: Caller) -> None:
    answer = _ask(caller, invoice())
    assert answer == {
        "validation_id": answer["validation_id"],
        "run": {"system": "zuora", "id": "BR-1", "target_date": "2026-11-30"},
        "mode": "enforce",
        "verdict": "pass",
        "proceed": True,
        "would_proceed": True,
        "evaluated_at": "2026-12-01T09:30:00Z",
        "expires_at": "2026-12-01T10:30:00Z",
        "content_hash": answer["content_hash"],
        "ruleset": world.installed.ruleset.digest,
        "as_of": dict.fromkeys(("reference", "salesforce", "zuora"), "2026-12-01T09:29:00Z"),
        "snapshot": world.installed.ledger.latest_id(),
        "counts": {"invoices": 1, "pass": 1, "warn": 0, "block": 0},
        "amounts": [
            {
                "currency": "USD",
                "billed": "20000.00",
                "held": "0.00",
                "leak": "0.00",
                "overbill": "0.00",
                "timing": "0.00",
                "exposure": "0.00",
            }
        ],
        "invoices": [{"id": "INV-1", "account_id": "ZA-1", "verdict": "pass", "reasons": []}],
        "run_reasons": [],
        "not_applicable": [],
    }
    assert answer["validation_id"].startswith("val_")
    assert answer["content_hash"].startswith("sha256:")
    assert _cases(world) == 0


def test_a_blocked_invoice_carries_its_reason_and_its_case(world: World, caller: Caller) -> None:
    answer = _ask(caller, _dear(), {**brills(), "total": "1000.5"})
    assert (answer["verdict"], answer["proceed"], answer["would_proceed"]) == ("block", False, False)
    assert _verdicts(answer) == {"INV-1": "block", "INV-2": "pass"}
    assert answer["invoices"][0]["reasons"] == [
        {
            "check": "wrong_price",
            "outcome": "failed",
            "mode": "block",
            "scope": "invoice",
            "line_id": "INV-1-L",
            "message": "INV-1-L bills 41 for what is agreed at 40.",
            "expected": "20000.00",
            "actual": "20500.00",
            "impact": {"kind": "overbill", "amount": "500.00", "currency": "USD"},
            "confidence": "1.00",
            "confidence_reasons": ["rows joined by declared keys"],
            "exception_id": "EXC-1",
        }
    ]
    assert answer["counts"] == {"invoices": 2, "pass": 1, "warn": 0, "block": 1}
    amounts = answer["amounts"][0]
    assert (amounts["billed"], amounts["held"]) == ("21500.50", "20500.00")
    assert (amounts["overbill"], amounts["leak"]) == ("500.00", "0.00")
    with world.database.session() as session:
        case = session.scalars(select(Case)).one()
    assert (case.account_key, case.account_name, case.invoice_key) == ("SF-1", "Acme", "INV-1")
    assert [row["fields"]["unit_price"] for row in case.evidence] == ["41", "40"]


def test_a_dry_run_says_what_enforcing_would_and_does_nothing(world: World, caller: Caller) -> None:
    clean = _ask(caller, invoice(), mode="dry_run")
    assert (clean["mode"], clean["verdict"], clean["proceed"], clean["would_proceed"]) == (
        "dry_run",
        "pass",
        False,
        True,
    )
    bad = _ask(caller, _dear(), mode="dry_run")
    assert (bad["verdict"], bad["proceed"], bad["would_proceed"]) == ("block", False, False)
    assert bad["invoices"][0]["reasons"][0]["exception_id"] is None
    assert _cases(world) == 0


def test_a_dry_run_names_the_case_that_exists(caller: Caller) -> None:
    opened = _ask(caller, _dear())["invoices"][0]["reasons"][0]["exception_id"]
    assert _ask(caller, _dear(), mode="dry_run")["invoices"][0]["reasons"][0]["exception_id"] == opened
    assert _ask(caller, _dear())["invoices"][0]["reasons"][0]["exception_id"] == opened


@pytest.mark.parametrize(
    ("mode", "verdict", "proceed"), [("block", "block", False), ("warn", "warn", True), ("monitor", "pass", True)]
)
def test_a_warning_proceeds_and_a_block_does_not(
    worlds: Worlds, serve: Serve, mode: str, verdict: str, proceed: bool
) -> None:
    answer = _ask(serve(worlds(WRONG_PRICE, checks={"wrong_price": {"mode": mode}})), _dear())
    assert (answer["verdict"], answer["proceed"]) == (verdict, proceed)
    assert answer["amounts"][0]["held"] == ("20500.00" if verdict == "block" else "0.00")


def test_an_account_reason_holds_every_draft_of_that_account_and_no_other(worlds: Worlds, serve: Serve) -> None:
    world = worlds(ON_HOLD)
    world.publish({"accounts": account(1, status="on_hold")})
    answer = _ask(serve(world), invoice("INV-1"), invoice("INV-2", "A-001"), brills("INV-3"))
    assert _verdicts(answer) == {"INV-1": "block", "INV-2": "block", "INV-3": "pass"}
    assert answer["amounts"][0]["exposure"] == "250.00", "one finding on two invoices counts once"
    assert _cases(world) == 1


def test_a_finding_about_somebody_elses_account_holds_nothing(worlds: Worlds, serve: Serve) -> None:
    world = worlds(ON_HOLD)
    world.publish({"accounts": account(2, status="on_hold")})
    answer = _ask(serve(world), invoice())
    assert (answer["verdict"], answer["amounts"][0]["exposure"]) == ("pass", "0.00")
    assert _cases(world) == 0


def test_a_finding_about_an_invoice_outside_the_run_holds_nothing(worlds: Worlds, serve: Serve) -> None:
    world = worlds(WRONG_PRICE)
    posted = stored_invoice("INV-9")
    dear = [{**row, "unit_price": Decimal(99), "quantity": Decimal(1)} for row in posted["invoice_lines"]]
    world.publish(merged({"invoices": posted["invoices"], "invoice_lines": dear}))
    assert _ask(serve(world), invoice())["verdict"] == "pass"
    assert _cases(world) == 0


def test_a_run_wide_check_is_not_applicable_to_a_part_of_a_run(worlds: Worlds, serve: Serve) -> None:
    world = worlds(WRONG_PRICE, NEVER_BILLED)
    caller = serve(world)
    part = _ask(caller, invoice())
    assert (part["verdict"], part["not_applicable"], part["run_reasons"]) == ("pass", ["never_billed"], [])
    whole = _ask(caller, invoice(), complete=True)
    assert (whole["verdict"], whole["proceed"], whole["not_applicable"]) == ("block", False, [])
    assert _reasons(whole) == [("never_billed", "failed", "block")]
    assert _verdicts(whole) == {"INV-1": "pass"}
    assert (whole["amounts"][0]["held"], whole["amounts"][0]["timing"]) == ("20000.00", "1000.00")
    named = _ask(caller, invoice(), brills(), complete=True)
    assert named["verdict"] == "pass", "a draft of the run is billed"


def test_a_check_without_a_mapped_source_is_not_applicable(worlds: Worlds, serve: Serve) -> None:
    unmapped = replace(WRONG_PRICE, id="shipped", needs=(Need("shipments", "shipping"),))
    answer = _ask(serve(worlds(WRONG_PRICE, unmapped)), invoice())
    assert (answer["verdict"], answer["not_applicable"]) == ("pass", ["shipped"])


@pytest.mark.parametrize(
    ("watermark", "said"),
    [
        (NOW - 61 * MINUTE, "subscription_lines of zuora was last read at 2026-12-01 08:29 UTC"),
        ("HTTP 503", "could not be read: HTTP 503"),
        (None, "has not been read completely yet"),
    ],
)
def test_a_blocking_check_whose_source_cannot_be_relied_on_blocks(
    unpublished: Worlds, serve: Serve, watermark: datetime | str | None, said: str
) -> None:
    world = unpublished(replace(WRONG_PRICE, needs=(SOLD,)))
    world.publish(marks={"zuora": watermark})
    answer = _ask(serve(world), invoice())
    assert (answer["verdict"], answer["proceed"]) == ("block", False)
    assert _verdicts(answer) == {"INV-1": "block"}
    assert _reasons(answer) == [("wrong_price", "not_evaluated", "block")]
    assert said in answer["run_reasons"][0]["message"]
    assert answer["run_reasons"][0]["impact"] is None
    assert answer["amounts"][0]["held"] == "20000.00"


def test_freshness_is_judged_when_the_question_is_put(world: World, caller: Caller) -> None:
    assert _ask(caller, invoice())["proceed"]
    world.now += 60 * MINUTE
    answer = _ask(caller, invoice())
    assert (answer["verdict"], answer["proceed"]) == ("block", False)


def test_as_of_is_null_for_a_system_that_was_never_read(unpublished: Worlds, serve: Serve) -> None:
    world = unpublished()
    world.publish(marks={"salesforce": None, "reference": NOW - DAY})
    as_of = _ask(serve(world), invoice())["as_of"]
    assert as_of == {"reference": "2026-11-30T09:30:00Z", "salesforce": None, "zuora": "2026-12-01T09:29:00Z"}


def test_a_warning_check_that_cannot_be_evaluated_warns(unpublished: Worlds, serve: Serve) -> None:
    world = unpublished(checks={"wrong_price": {"mode": "warn"}})
    world.publish(marks={"zuora": None})
    answer = _ask(serve(world), invoice())
    assert (answer["verdict"], answer["proceed"]) == ("warn", True)
    assert _reasons(answer) == [("wrong_price", "not_evaluated", "warn")]


def test_an_entity_that_is_mapped_and_empty_is_no_pass(worlds: Worlds, serve: Serve) -> None:
    needs = (Need("credit_memos", "billing"), LINES)
    answer = _ask(serve(worlds(replace(WRONG_PRICE, needs=needs))), invoice())
    assert _reasons(answer) == [("wrong_price", "not_evaluated", "block")]
    assert "hold no credit_memos" in answer["run_reasons"][0]["message"]


def test_a_check_of_credit_memos_says_nothing_about_a_run(worlds: Worlds, serve: Serve) -> None:
    needs = (Need("credit_memos", "billing"), LINES)
    answer = _ask(serve(worlds(replace(WRONG_PRICE, needs=needs, scope=Scope.CREDIT_MEMO))), invoice())
    assert (answer["verdict"], _reasons(answer)) == ("pass", [])


def test_rows_that_only_others_have_do_not_make_the_books_empty(unpublished: Worlds, serve: Serve) -> None:
    """Brill has no posted invoice, so its share of the books holds none; the books do."""
    world = unpublished(replace(NEVER_BILLED, scope=Scope.ACCOUNT))
    world.publish()
    assert _ask(serve(world), brills())["verdict"] == "pass"


def _candidates(find: Find, **changes: Any) -> Check:
    return check("odd", find, **{**OWED, "needs": (ACCOUNTS,), "scope": Scope.ACCOUNT, **changes})


def _owing(expression: Callable[[ir.Table], ir.Value]) -> Find:
    """Every account of the CRM owes what the expression says."""

    def find(books: Books, _: Params) -> ir.Table:
        rows = books.table("accounts", "crm")
        return owing(rows, expression(rows))

    return find


def test_a_row_that_cannot_be_computed_holds_its_own_account(worlds: Worlds, serve: Serve) -> None:
    def unknown_for_acme(rows: ir.Table) -> ir.Value:
        return (rows.key == "SF-1").ifelse(ibis.null("decimal(18, 4)"), amount("1"))

    odd = _candidates(_owing(unknown_for_acme), arithmetic=Arithmetic.of("100 / (owed + 1)", "100"))
    other = brills()
    answer = _ask(serve(worlds(replace(odd, mode=Mode.BLOCK))), invoice(), other)
    assert _reasons(answer, "INV-1") == [("odd", "not_evaluated", "block")]
    assert "has no owed" in answer["invoices"][0]["reasons"][0]["message"]
    assert _verdicts(answer)["INV-1"] == "block"
    assert answer["run_reasons"] == []


def test_a_division_by_zero_is_not_evaluated(worlds: Worlds, serve: Serve) -> None:
    odd = _candidates(_owing(lambda _: amount("0")), arithmetic=Arithmetic.of("1 / owed", "0"))
    answer = _ask(serve(worlds(odd)), invoice())
    assert _reasons(answer, "INV-1") == [("odd", "not_evaluated", "block")]
    assert answer["proceed"] is False


def test_a_check_that_the_engine_refuses_is_not_evaluated(worlds: Worlds, serve: Serve) -> None:
    def overflows(rows: ir.Table) -> ir.Value:
        return (rows.key.length().cast("int64") + 9_223_372_036_854_775_800).cast("int32")

    answer = _ask(serve(worlds(WRONG_PRICE, _candidates(_owing(overflows)))), _dear())
    assert _reasons(answer) == [("odd", "not_evaluated", "block")]
    assert _reasons(answer, "INV-1") == [("wrong_price", "failed", "block")], "the others are asked all the same"


def test_an_amount_that_no_queue_can_hold_is_not_evaluated(worlds: Worlds, serve: Serve) -> None:
    huge = invoice("INV-1", "ZA-1", line(quantity="999999999999", unit_price="9999999999999999.99"))
    answer = _ask(serve(worlds()), huge)
    assert _reasons(answer) == [("wrong_price", "not_evaluated", "block")]


def test_rows_that_wait_for_the_other_source_hold_their_own_account(unpublished: Worlds, serve: Serve) -> None:
    """Acme's account was changed after the moment up to which the CRM is known; Brill's was not."""

    def waiting(books: Books, _: Params) -> ir.Table:
        rows = books.table("accounts", "crm")
        return owing(rows, amount("5"), known_at=rows.modified_at)

    world = unpublished(_candidates(waiting, absent_from=ACCOUNTS, mode=Mode.BLOCK))
    fresh = [{**row, "modified_at": NOW} for row in account(1)]
    world.publish({"accounts": fresh})
    answer = _ask(serve(world), invoice(), brills())
    assert _reasons(answer, "INV-1") == [("odd", "not_evaluated", "block")]
    assert _reasons(answer, "INV-2") == [("odd", "failed", "block")]
    assert answer["amounts"][0]["leak"] == "5.00"


def test_failing_open_warns_and_names_who_answers_for_it(unpublished: Worlds, serve: Serve) -> None:
    world = unpublished(WRONG_PRICE, STALE, checks={"wrong_price": {"fail_open": "eve"}})
    world.publish(marks={"zuora": NOW - 2 * DAY})
    answer = _ask(serve(world), invoice(), complete=True)
    assert (answer["verdict"], answer["proceed"]) == ("warn", True)
    assert _reasons(answer) == [("wrong_price", "not_evaluated", "warn"), ("source_stale", "failed", "warn")]
    assert "eve answers for that" in answer["run_reasons"][0]["message"]


def test_failing_open_lets_no_finding_pass(worlds: Worlds, serve: Serve) -> None:
    world = worlds(WRONG_PRICE, checks={"wrong_price": {"fail_open": "eve"}})
    assert _ask(serve(world), _dear())["verdict"] == "block"


def test_nobody_can_be_made_to_answer_for_failing_open_who_is_not_known(worlds: Worlds) -> None:
    world = worlds(WRONG_PRICE, checks={"wrong_price": {"fail_open": "nobody"}})
    with pytest.raises(ConfigError, match="nobody"):
        open_gate(world.installed)


@pytest.mark.parametrize(
    ("stale", "verdict", "mode"),
    [("zuora", "block", "block"), ("salesforce", "warn", "warn"), ("reference", "warn", "warn")],
)
def test_a_stale_source_blocks_only_where_a_blocking_check_reads_it(
    unpublished: Worlds, serve: Serve, stale: str, verdict: str, mode: str
) -> None:
    world = unpublished(WRONG_PRICE, replace(ON_HOLD, mode=Mode.WARN), STALE)
    world.publish(marks={stale: NOW - 2 * DAY})
    answer = _ask(serve(world), invoice(), complete=True)
    assert answer["verdict"] == verdict
    assert ("source_stale", "failed", mode) in _reasons(answer)


def test_an_empty_run_blocks(caller: Caller) -> None:
    answer = _ask(caller, complete=True)
    assert (answer["verdict"], answer["proceed"], answer["invoices"]) == ("block", False, [])
    assert _reasons(answer) == [("empty_run", "not_evaluated", "block")]
    assert answer["amounts"] == []
    assert answer["counts"] == {"invoices": 0, "pass": 0, "warn": 0, "block": 0}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (invoice("INV-1", "ZA-404"), ("unknown_account", "not_evaluated", "block")),
        (invoice("INV-1", currency="XTS"), ("unknown_currency", "not_evaluated", "block")),
        ({**invoice("INV-1"), "lines": []}, ("empty_invoice", "not_evaluated", "block")),
        (invoice("INV-OLD-1"), ("already_posted", "failed", "block")),
        (invoice("INV-1", number="INV-OLD-1"), ("already_posted", "failed", "block")),
        (invoice("INV-1", "ZA-1", line(quantity="-500")), ("negative_quantity", "failed", "block")),
    ],
)
def test_what_no_check_could_release_blocks_its_invoice_alone(
    caller: Caller, bad: dict[str, Any], reason: tuple[str, str, str]
) -> None:
    answer = _ask(caller, bad, brills())
    assert reason in _reasons(answer, bad["id"])
    assert _verdicts(answer) == {bad["id"]: "block", "INV-2": "pass"}
    assert answer["proceed"] is False


def test_a_credit_may_take_back_a_quantity(caller: Caller) -> None:
    credit = line("L-2", quantity="-5", amount="-200.00")
    assert _ask(caller, invoice("INV-1", "ZA-1", line(), credit, total="19800.00"))["verdict"] == "pass"


def test_a_billion_billion_is_exact_in_yen(worlds: Worlds, serve: Serve) -> None:
    world = worlds()
    world.publish(merged({"accounts": account(3, currency="JPY")}, sold(3, "1000000", "1000000")))
    dear = line("L-3", "C-3", quantity="1000000", unit_price="1000001", amount="1000001000000", tax="0")
    answer = _ask(serve(world), invoice("INV-3", "ZA-3", dear, currency="JPY", total="1000001000000"))
    assert answer["invoices"][0]["reasons"][0]["expected"] == "1000000000000.00"
    amounts = answer["amounts"][0]
    assert (amounts["currency"], amounts["billed"]) == ("JPY", "1000001000000.00")
    assert (amounts["held"], amounts["overbill"]) == ("1000001000000.00", "1000000.00")


def test_currencies_are_never_added_together(worlds: Worlds, serve: Serve) -> None:
    world = worlds()
    world.publish(merged({"accounts": account(3, currency="EUR")}, sold(3, "1", "5")))
    euros = invoice("INV-3", "ZA-3", line("L-3", "C-3", quantity="1", unit_price="6"), currency="EUR", total="6")
    amounts = {one["currency"]: one for one in _ask(serve(world), _dear(), euros)["amounts"]}
    assert {name: (one["billed"], one["overbill"]) for name, one in amounts.items()} == {
        "EUR": ("6.00", "1.00"),
        "USD": ("20500.00", "500.00"),
    }


def test_two_lines_of_one_subject_are_one_case_and_two_amounts(world: World, caller: Caller) -> None:
    lines = [line(f"L-{n}", quantity="1", unit_price="41", amount="41") for n in (1, 2)]
    answer = _ask(caller, invoice("INV-1", "ZA-1", *lines, total="82"))
    assert answer["amounts"][0]["overbill"] == "2.00"
    assert {reason["exception_id"] for reason in answer["invoices"][0]["reasons"]} == {"EXC-1"}
    assert _cases(world) == 1


def test_the_answer_lists_invoices_in_the_order_in_which_they_were_asked_about(caller: Caller) -> None:
    ids = [f"INV-{n}" for n in (7, 3, 9, 1, 5)]
    answer = _ask(caller, *(invoice(id_) for id_ in ids))
    assert [one["id"] for one in answer["invoices"]] == ids


def test_a_decision_is_kept_with_what_was_asked(world: World, caller: Caller) -> None:
    answer = _ask(caller, _dear())
    with world.database.session() as session:
        row = session.scalars(select(Validation)).one()
    assert (row.id, row.verdict, row.run_id, row.snapshot_id) == (
        answer["validation_id"],
        "block",
        "BR-1",
        answer["snapshot"],
    )
    assert b'"unit_price": "41.00"' in row.request
    assert row.answer == answer
