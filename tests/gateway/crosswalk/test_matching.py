"""What resembles what, and how much is compared for it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import CrosswalkPolicy
from gateway.crosswalk.matching import LARGEST_BLOCK, MOST_PROPOSED, Match, Party, _blocks, matches, score

NAMES = st.text(alphabet="abcé XGmbH.&-", max_size=25)


def customer(key: str, name: str, number: str = "") -> Party:
    return Party("crm", "accounts", key, name, number)


def lone(name: str, number: str = "", key: str = "b1") -> Party:
    return Party("bill", "accounts", key, name, number)


def proposed(parties: list[Party], customers: list[Party]) -> list[Match]:
    """As an installation proposes that says nothing of it."""
    return matches(parties, customers, CrosswalkPolicy().propose_from)


@given(NAMES, NAMES)
def test_the_score_is_symmetric_and_a_share(one: str, other: str) -> None:
    assert score(one, other) == score(other, one)
    assert 0 <= score(one, other) <= 1


@pytest.mark.parametrize(
    ("one", "other", "at_least", "below"),
    [
        ("Northwind Trading GmbH", "NORTHWIND TRADING", "1", "1.0001"),
        ("Trading Northwind", "Northwind Trading Inc.", "1", "1.0001"),
        ("Northwind Trading", "Northwind Tradng Ltd", "0.9", "1"),
        ("Northwind Trading", "Southwind Trading", "0.8", "0.95"),
        ("Acme", "Acme Logistics Germany", "0", "0.5"),
        ("", "Acme", "0", "0.0001"),
    ],
)
def test_scores_of_names(one: str, other: str, at_least: str, below: str) -> None:
    assert Decimal(at_least) <= score(one, other) < Decimal(below)


def test_the_likeliest_customer_is_proposed_with_its_reason() -> None:
    customers = [customer("001", "Northwind Trading"), customer("002", "Contoso Ltd")]
    (match,) = proposed([lone("Northwind Tradng GmbH")], customers)
    assert (match.right.key, match.reason) == ("001", "similar names: Northwind Tradng GmbH and Northwind Trading")


def test_a_number_joins_what_names_do_not() -> None:
    (match,) = proposed([lone("NWT", "A-01001")], [customer("001", "Northwind Trading", "a1001")])
    assert (match.score, match.reason) == (Decimal("0.95"), "the same number A-01001")
    assert not proposed([lone("NWT", "12")], [customer("001", "Northwind Trading", "12")])


def test_a_customer_with_several_names_is_proposed_once_and_at_most_a_few_are() -> None:
    aliases = [customer("001", "Northwind Trading"), customer("001", "Northwind Trading Ltd", "A-1")]
    assert len(proposed([lone("Northwind Trading")], aliases)) == 1
    many = [customer(f"{n:03}", "Northwind Trading") for n in range(9)]
    assert [match.right.key for match in proposed([lone("Northwind Trading")], many)] == ["000", "001", "002"][
        :MOST_PROPOSED
    ]


def test_words_that_everybody_has_make_no_block() -> None:
    """The comparisons grow with the records: no block is larger than a constant."""
    customers = [customer(str(n), f"Holding company number {n} of the group") for n in range(LARGEST_BLOCK + 50)]
    assert max(map(len, _blocks(customers).values())) <= LARGEST_BLOCK
    (match, *_) = proposed([lone("Holding number 7 company of the group")], customers)
    assert match.right.key == "7"
