from hypothesis import given
from hypothesis import strategies as st

from alerts.evidence import grid, monospace, width
from alerts.message import CaseCard, EvidenceRow


def test_records_with_shared_fields_stand_in_one_grid(card: CaseCard) -> None:
    table = grid(card.rows)
    assert table is not None
    assert table.header == ("system", "record", "quantity", "unit price", "amount")
    assert table.body[2] == ("netsuite", "SO-4711", "500", "", "20,000.00")
    assert table.numeric == (False, False, True, True, True)


def test_the_grid_aligns_in_a_fixed_width_font(card: CaseCard) -> None:
    assert monospace(card.rows) == [
        "system      record              quantity  unit price     amount",
        "salesforce  02i5g00000A1bCdEFG       530       40.00",
        "zuora       A-S00012                 500       40.00",
        "netsuite    SO-4711                  500              20,000.00",
    ]


def test_wide_characters_take_two_columns() -> None:
    rows = (
        EvidenceRow("会計", "INV-1", (("状態", "済"),)),
        EvidenceRow("billing", "INV-22", (("状態", "open"),)),
    )
    assert [text.index("INV") for text in monospace(rows)[1:]] == [len("会計     "), len("billing  ")]
    assert width("会計") == 4
    assert width("e\u0301") == 1


def test_a_field_that_is_named_twice_keeps_both_values() -> None:
    rows = (EvidenceRow("zuora", "INV-1", (("tax", "1.00"), ("tax", "2.00"))),)
    assert grid(rows) is None
    assert monospace(rows) == ["zuora INV-1", "  tax: 1.00", "  tax: 2.00"]


def test_records_too_wide_for_a_grid_become_lists() -> None:
    fields = tuple((f"field {number}", "x" * 20) for number in range(5))
    lines = monospace((EvidenceRow("zuora", "INV-1", fields),))
    assert lines[0] == "zuora INV-1"
    assert lines[1] == "  field 0: " + "x" * 20
    assert len(lines) == 6


def test_no_records_make_no_table() -> None:
    assert grid(()) is None
    assert monospace(()) == []


texts = st.text(st.characters(), max_size=400)
rows = st.builds(EvidenceRow, texts, texts, st.lists(st.tuples(texts, texts), max_size=10).map(tuple))


@given(st.lists(rows, min_size=1, max_size=6).map(tuple))
def test_every_record_is_there_and_no_line_breaks(found: tuple[EvidenceRow, ...]) -> None:
    lines = monospace(found)
    assert len(lines) >= len(found)
    assert all(len(text.splitlines()) <= 1 for text in lines)
