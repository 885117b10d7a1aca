"""Finds, for records that no declared key joins, the customers whose number or name they resemble. Pure.

Nothing is compared with everything: a customer is a candidate only where it shares a block with the record: a word of
the name, a word's beginning or end, the whole name, or the number. Blocks that many customers share tell nothing, and
are left out, so that the work grows with the records and not with their square.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from rapidfuzz import fuzz

from books.names import normal_name, normal_number

SAME_NUMBER = Decimal("0.95")
SHORTEST_NUMBER = 4  # shorter numbers are shared by chance
LARGEST_BLOCK = 200
MOST_PROPOSED = 3  # for one record
_EDGE = 4
_STEP = Decimal("0.0001")


@dataclass(frozen=True, order=True)
class Party:
    """A record that stands for a customer, an account or the subject of usage. `key` is the source's id."""

    system: str
    entity: str
    key: str
    name: str
    number: str = ""


@dataclass(frozen=True)
class Match:
    """`left` may be the customer `right`. `score` is 0 to 1; `reason` is a clause for a person."""

    left: Party
    right: Party
    score: Decimal
    reason: str


def score(one: str, other: str) -> Decimal:
    """How alike two names are, whatever the order of their words: symmetric, 1 for names that are equal once normal."""
    left, right = normal_name(one), normal_name(other)
    if not left or not right:
        return Decimal(0)
    ratio = Decimal(repr(fuzz.token_sort_ratio(left, right))) / 100
    return ratio.quantize(_STEP, ROUND_FLOOR)


def matches(lone: Iterable[Party], customers: Sequence[Party], propose_from: Decimal) -> list[Match]:
    """The best few matches of each lone record that reach the threshold, in the order of the records."""
    blocks = _blocks(customers)
    found: list[Match] = []
    for party in lone:
        candidates = {number for block in _keys(party) for number in blocks.get(block, ())}
        compared = (_match(party, customers[number]) for number in sorted(candidates))
        reached = [match for match in compared if match.score >= propose_from]
        found += _best(reached)
    return found


def _best(reached: Iterable[Match]) -> list[Match]:
    """One match per customer, who may stand there under several names, the likeliest first."""
    best: dict[tuple[str, str], Match] = {}
    for match in sorted(reached, key=lambda match: (-match.score, match.right)):
        best.setdefault((match.right.system, match.right.key), match)
    return list(best.values())[:MOST_PROPOSED]


def _match(left: Party, right: Party) -> Match:
    by_name = score(left.name, right.name)
    numbers = normal_number(left.number or left.key), normal_number(right.number or right.key)
    if numbers[0] == numbers[1] and len(numbers[0]) >= SHORTEST_NUMBER:
        return Match(left, right, max(by_name, SAME_NUMBER), f"the same number {left.number or left.key}")
    said = "the same name" if by_name == 1 else "similar names"
    return Match(left, right, by_name, f"{said}: {left.name} and {right.name}")


def _blocks(customers: Sequence[Party]) -> Mapping[str, Sequence[int]]:
    blocks: defaultdict[str, list[int]] = defaultdict(list)
    for number, party in enumerate(customers):
        for block in _keys(party):
            blocks[block].append(number)
    return {block: numbers for block, numbers in blocks.items() if len(numbers) <= LARGEST_BLOCK}


def _keys(party: Party) -> Iterator[str]:
    """The blocks that a record belongs to."""
    name = normal_name(party.name)
    words = sorted(set(name.split()))
    yield from (f"word {word}" for word in words)
    for word in words:
        if len(word) > _EDGE:
            yield f"head {word[:_EDGE]}"
            yield f"tail {word[-_EDGE:]}"
    yield f"name {name.replace(' ', '')}"
    number = normal_number(party.number or party.key)
    if len(number) >= SHORTEST_NUMBER:
        yield f"number {number}"
