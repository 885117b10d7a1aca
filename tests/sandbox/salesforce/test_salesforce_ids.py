import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.salesforce.ids import make_id, normal_id

NUMBERS = st.integers(min_value=0, max_value=62**12 - 1)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("01gD0000002HU6K", "01gD0000002HU6KIAW"),  # published with the REST documentation of queries
        ("001B000000UnQ2w", "001B000000UnQ2wIAF"),
        ("001000000000000", "001000000000000AAA"),
    ],
)
def test_the_suffix_is_the_vendors(short: str, full: str) -> None:
    assert normal_id(short) == full
    assert normal_id(full) == full


@pytest.mark.parametrize("text", ["", "001", "001000000000000aaa", "001000000000000AAB", "00100000000000-", "x" * 16])
def test_what_is_not_an_id(text: str) -> None:
    assert normal_id(text) is None


def test_case_is_told_apart_by_the_suffix() -> None:
    upper, lower = normal_id("001000000000ABC"), normal_id("001000000000abc")
    assert upper is not None
    assert lower is not None
    assert upper.lower() != lower.lower()


@given(NUMBERS, NUMBERS)
def test_ids_sort_as_their_numbers(one: int, other: int) -> None:
    assert (make_id("001", one) < make_id("001", other)) == (one < other)
    assert len(make_id("001", one)) == 18
    assert normal_id(make_id("001", one)[:15]) == make_id("001", one)


@pytest.mark.parametrize(("prefix", "n"), [("01", 1), ("00-", 1), ("001", -1), ("001", 62**12)])
def test_numbers_and_prefixes_that_do_not_fit(prefix: str, n: int) -> None:
    with pytest.raises(ValueError, match=r"prefix|fit"):
        make_id(prefix, n)
