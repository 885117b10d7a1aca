"""A mapping against its source: fields that are gone or new, types and values that do not fit, changed meanings."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.engine import Engine
from connectors.contract import SourceField
from connectors.mapping_file import parse
from gateway.cli.mappings import remarks_on
from gateway.db.session import Database
from gateway.sync.mapping_diff import About, of_object
from gateway.sync.profile import Bands, Profile, moved
from gateway.sync.profiling import Profiles
from tests.gateway.sync.memory import FIELDS, MAPPING, MemoryInstallation, filled, is_down, is_hidden

BILL = parse(MAPPING).objects["Bill"]
DESCRIBED = [SourceField(name, kind) for name, kind in FIELDS["Bill"].items()]
BANDS = Bands()


def said(now: list[SourceField], before: list[SourceField] | None = None) -> list[tuple[str, str, str]]:
    found = of_object("mem", BILL, DESCRIBED if before is None else before, now)
    return [(remark.field, remark.about.value, remark.text) for remark in found]


def with_field(name: str, **changed: Any) -> list[SourceField]:
    kept = [field for field in DESCRIBED if field.name != name]
    return [*kept, replace(SourceField(name, "string"), **changed)]


def test_a_mapping_that_fits_says_nothing() -> None:
    assert said(DESCRIBED) == []
    assert said(DESCRIBED, before=[]) == [], "the first description differs from nothing"


def test_a_field_that_is_gone_is_a_mistake_with_a_guess() -> None:
    renamed = [field for field in DESCRIBED if field.name != "Total"] + [SourceField("Total_Net", "currency")]
    first, *news = said(renamed)
    assert first == (
        "Total",
        "missing",
        "is not there any more, and may be called Total_Net now; it fills invoices.total, credit_memos.amount",
    )
    assert [about for _, about, _ in news] == ["changed"] * 3


def test_a_new_field_is_news() -> None:
    assert said([*DESCRIBED, SourceField("Discount", "double")]) == [("Discount", "changed", "is new (double)")]


def test_a_type_that_no_value_of_the_column_can_have() -> None:
    assert ("Total", "type", "is a date, and invoices.total needs a money") in said(with_field("Total", type="date"))
    assert not any(about == "type" for _, about, _ in said(with_field("Total", type="string"))), "text may hold numbers"


def test_values_that_the_mapping_does_not_know_and_values_that_never_come() -> None:
    closed = with_field("Kind", type="picklist", values=("Invoice", "Credit", "Refund"))
    remarks = [(field, text) for field, about, text in said(closed, closed) if about == "values"]
    assert remarks == [("Kind", "never is 'Draft', which invoices asks for")]


def test_a_choice_names_the_values_that_reach_it() -> None:
    mapping = parse(MAPPING.replace("where: {Kind: [Invoice, Draft]}", "where: {Kind: [Invoice, Draft, Void]}"))
    closed = with_field("Kind", type="picklist", values=("Invoice", "Draft", "Void", "Credit"))
    (remark,) = of_object("mem", mapping.objects["Bill"], closed, closed)
    assert remark.text == (
        "may be 'Void', which invoices.status does not know: such records are rejected or left empty"
    )


def profile(rows: int = 100, filled: int = 100, **said: Any) -> Profile:
    return replace(Profile(rows, filled, {"text": filled}), **said)


@pytest.mark.parametrize(
    ("before", "now", "sentences"),
    [
        (profile(), profile(), []),
        (profile(), profile(100, 91), []),
        (profile(), profile(100, 60), ["is empty in 40% of the records; it was in 0%"]),
        (profile(49, 49), profile(100, 0), []),
        (
            profile(),
            profile(100, 100, shapes={"number": 100}),
            ["looks like a number in 100% of the records; it did in 0%"],
        ),
        (profile(values={"a": 60, "b": 40}), profile(values={"a": 96, "c": 4}), ["has the values 'b' no more"]),
        (profile(values={"a": 96, "b": 4}), profile(values={"a": 95, "c": 5}), ["has the new values 'c'"]),
        (
            profile(shapes={"number": 100}, typical=25.0, digits=2),
            profile(shapes={"number": 100}, typical=2500.0, digits=0),
            ["is typically 2,500; it was 25: perhaps the unit changed"],
        ),
        (
            profile(shapes={"number": 100}, typical=25.0, digits=2),
            profile(shapes={"number": 100}, typical=26.0, digits=6),
            ["has 6 digits after the point; it had at most 2"],
        ),
    ],
)
def test_what_is_a_change_of_meaning(before: Profile, now: Profile, sentences: list[str]) -> None:
    assert list(moved(before, now, BANDS)) == sentences


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 400), st.integers(1, 400))
def test_alike_shares_and_few_records_are_never_told(a: int, b: int, more_a: int, more_b: int) -> None:
    before, now = profile(a + more_a, a), profile(b + more_b, b)
    told = [text for text in moved(before, now, BANDS) if text.startswith("is empty")]
    apart = abs(before.null_rate - now.null_rate)
    assert not told or (apart > BANDS.null_rate and min(before.rows, now.rows) >= BANDS.rows)
    assert not list(moved(before, before, BANDS))


@pytest.fixture
def installed(tmp_path: Path, database: Database) -> MemoryInstallation:
    """Sixty bills of a month ago, read; the week that is looked at is empty yet."""
    opened = MemoryInstallation(tmp_path, database, filled())
    bills(opened, 60)
    opened.sync()
    opened.memory.forward(days=30)
    return opened


def bills(installed: MemoryInstallation, count: int, start: int = 100, **said: str) -> None:
    for n in range(start, start + count):
        values = {"Number": f"INV-{n}", "Customer": "C0", "Total": f"{10 + n % 7}.50", "Kind": "Invoice"}
        installed.memory.put("Bill", f"B{n}", **values | said)


def meanings(installed: MemoryInstallation) -> list[tuple[str, str, str]]:
    return [
        (remark.object, remark.field, remark.text)
        for remark in remarks_on(installed, "mem")
        if remark.about is About.MEANING
    ]


def test_a_field_that_changed_its_meaning_is_told_until_it_is_accepted(installed: MemoryInstallation) -> None:
    assert meanings(installed) == [], "the first time there is nothing to compare with"
    bills(installed, 60, start=200, Total="1350", Customer="")
    installed.sync()
    installed.memory.forward(hours=1)
    told = meanings(installed)
    assert ("invoices", "Customer", "is empty in 100% of the records; it was in 0%") in told
    assert ("invoices", "Total", "is typically 1,350; it was 13.5: perhaps the unit changed") in told
    assert meanings(installed) == told
    snapshot = installed.ledger.latest()
    assert snapshot is not None
    with Engine.over(installed.store, snapshot) as engine:
        mapping, drift = installed.mappings["mem"], installed.config.drift
        profiles = Profiles(installed.database, engine, "mem", mapping, drift.bands())
        assert profiles.accept(installed.memory.now, drift.window) > 0
    assert meanings(installed) == []
    installed.memory.forward(days=1)
    bills(installed, 60, start=300, Total="13.50")
    installed.sync()
    installed.memory.forward(hours=1)
    assert any(field == "Total" for _, field, _ in meanings(installed)), "what was normal once is not any more"


def test_few_records_are_no_news(installed: MemoryInstallation) -> None:
    meanings(installed)
    bills(installed, 20, start=200, Total="1350")
    installed.sync()
    assert meanings(installed) == []


def test_a_profile_is_of_a_stretch_of_time_and_exact(installed: MemoryInstallation) -> None:
    bills(installed, 3, start=200, Total="7")
    installed.sync()
    snapshot = installed.ledger.latest()
    assert snapshot is not None
    with Engine.over(installed.store, snapshot) as engine:
        profiles = Profiles(installed.database, engine, "mem", installed.mappings["mem"], BANDS)
        place = next(p for p in profiles.places() if (p.entity, p.field) == ("invoices", "Total"))
        now = installed.memory.now
        recent = profiles.profile(place, now - timedelta(days=1), now + timedelta(seconds=1))
        older = profiles.profile(place, None, now - timedelta(days=1))
    assert recent == Profile(3, 3, {"number": 3}, {"7": 3}, 7.0, 0)
    assert (older.rows, older.filled, older.digits) == (64, 64, 2)
    assert Decimal(str(older.typical)) == Decimal("13.5")


def test_a_source_that_is_down_is_one_remark(installed: MemoryInstallation) -> None:
    installed.memory.down = is_down()
    installed.memory.asked.clear()
    (remark,) = remarks_on(installed, "mem")
    assert (remark.about, remark.text) == (About.UNREACHED, "mem: the system gave no answer.")
    assert len(installed.memory.asked) == 1


def test_an_object_that_is_hidden_leaves_the_others(installed: MemoryInstallation) -> None:
    installed.memory.refused["Customer"] = is_hidden("Customer")
    installed.memory.describe("Bill", **FIELDS["Bill"], Discount="double")
    remarks = [(remark.object, remark.about.value) for remark in remarks_on(installed, "mem")]
    assert remarks == [("Customer", "unreached"), ("Bill", "changed")]
