from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.errors import ArithmeticFault, DeclarationError
from checks.formula import Formula, plain

AMOUNTS = st.decimals(Decimal("-1e12"), Decimal("1e12"), places=4)


def test_a_formula_names_its_terms_and_not_its_functions() -> None:
    assert Formula("abs(a) * min(b, max(c, 0)) / 12").names() == {"a", "b", "c"}


def test_the_numbers_are_put_in_with_the_brackets_that_they_need() -> None:
    terms = {"a": Decimal(1000), "b": Decimal("2.50"), "c": Decimal(-3)}
    assert Formula("(a - b) * c").shown(terms) == "(1,000 − 2.5) × −3"
    assert Formula("a - (b - c)").shown(terms) == "1,000 − (2.5 − −3)"
    assert Formula("min(a, b) / c").shown(terms) == "min(1,000, 2.5) ÷ −3"


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_it_is_exact(a: Decimal, b: Decimal, c: Decimal) -> None:
    value = Formula("a * b - max(c, 0)").value({"a": a, "b": b, "c": c})
    assert Fraction(value) == Fraction(a) * Fraction(b) - Fraction(max(c, Decimal(0)))


@pytest.mark.parametrize("a", [0, 1])
def test_a_division_by_zero_is_a_fault(a: int) -> None:
    with pytest.raises(ArithmeticFault, match="divides by zero"):
        Formula("a / b").value({"a": Decimal(a), "b": Decimal(0)})


def test_a_term_without_a_value_is_a_fault() -> None:
    with pytest.raises(ArithmeticFault, match="'b'"):
        Formula("a * b").value({"a": Decimal(1)})


@pytest.mark.parametrize("text", ["a ** 2", "a.b", "print(a)", "'a'", "a +", "a if b else c", "min()"])
def test_what_is_not_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError):
        Formula(text)


def test_numbers_as_people_write_them() -> None:
    shown = [plain(Decimal(n)) for n in ("1200.00", "-0.50", "1E+3", "0.0000001")]
    assert shown == ["1,200", "−0.5", "1,000", "0.0000001"]
