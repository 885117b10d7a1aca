import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.names import normal_name, normal_number

PIECES = st.sampled_from(
    ["S", "A", "x", "GmbH", "Ltd.", "Inc", "and", "&", "Müller", "Straße", "ﬁnance", "Ⅷ", "É", "'", "-"]
)
NAMES = st.one_of(
    st.text(max_size=40), st.lists(PIECES, max_size=8).map(" ".join), st.lists(PIECES, max_size=8).map(".".join)
)


@given(NAMES)
def test_normal_names_stay_as_they_are(name: str) -> None:
    assert normal_name(normal_name(name)) == normal_name(name)


@given(st.text(max_size=40))
def test_normal_numbers_stay_as_they_are(number: str) -> None:
    assert normal_number(normal_number(number)) == normal_number(number)


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("Müller & Söhne GmbH", "muller sohne"),
        ("ACME, Inc.", "acme"),
        ("Acme S.A.", "acme"),
        ("Acme (UK) Limited", "acme uk"),
        ("O'Brien Ltd", "obrien"),
        ("U.S. Steel Corp.", "us steel"),
        ("Limited Company", "limited company"),
        ("  ", ""),
    ],
)
def test_case_accents_punctuation_and_legal_forms_do_not_count(name: str, normal: str) -> None:
    assert normal_name(name) == normal


@pytest.mark.parametrize(("number", "normal"), [("A-00042", "a42"), ("a 42", "a42"), ("000", "0"), ("1.000", "10")])
def test_signs_and_leading_zeros_of_numbers_do_not_count(number: str, normal: str) -> None:
    assert normal_number(number) == normal
