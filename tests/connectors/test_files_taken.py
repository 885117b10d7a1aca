"""What a position's token says of the files that were taken: never one too many, and little of old days."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.files.taken import RECENT, Taken, fingerprint
from connectors.object_store import Found
from tests.connectors.conftest import NOON

DAY_NS = int(timedelta(days=1).total_seconds()) * 10**9
START_NS = int(NOON.timestamp()) * 10**9


def _file(number: int, day: int, size: int = 1) -> Found:
    return Found(f"usage/{number}.jsonl", size, START_NS + day * DAY_NS + number)


def _all_taken(files: list[Found]) -> str:
    taken = Taken(files, "")
    for file in files:
        taken.add(file)
    return taken.token()


def test_twenty_thousand_files_of_a_year_are_few_words() -> None:
    files = [_file(n, n // 55) for n in range(20_000)]
    token = _all_taken(files)
    assert len(token.split()) < RECENT + 55 + 365
    again = Taken(files, token)
    assert all(file in again for file in files)
    assert again.token() == token


def test_a_late_file_with_an_old_time_of_change_is_not_lost() -> None:
    files = [_file(n, n // 10) for n in range(3_000)]
    late = _file(9_999, 3)
    taken = Taken([*files, late], _all_taken(files))
    assert late not in taken
    assert {fingerprint(file) for file in files if file not in taken} == {fingerprint(f) for f in files[30:40]}


def test_a_file_that_is_filed_away_makes_its_day_be_read_again_and_no_other() -> None:
    files = [_file(n, n // 10) for n in range(3_000)]
    kept = files[1:]
    taken = Taken(kept, _all_taken(files))
    assert [file for file in kept if file not in taken] == files[1:10]


def test_how_far_into_a_file_is_told_of_that_file_alone() -> None:
    first, second = _file(1, 0), _file(2, 0)
    taken = Taken([first, second], "")
    taken.add(first)
    again = Taken([first, second], taken.token(second, 4_000))
    assert (first in again, second in again, again.lines(second), again.lines(first)) == (True, False, 4_000, 0)
    changed = _file(2, 0, size=2)
    assert Taken([first, changed], taken.token(second, 4_000)).lines(changed) == 0


FILES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), unique_by=lambda f: f[0], max_size=20)


@given(FILES, FILES, st.sets(st.integers(0, 30)))
def test_only_what_was_taken_counts_as_taken(
    before: list[tuple[int, int]], after: list[tuple[int, int]], wanted: set[int]
) -> None:
    listed = [_file(*file) for file in before]
    taken = Taken(listed, "")
    for file, (number, _) in zip(listed, before, strict=True):
        if number in wanted:
            taken.add(file)
    marks = {fingerprint(file) for file in listed if file in taken}
    later = [_file(*file) for file in after]
    again = Taken(later, taken.token())
    assert {fingerprint(file) for file in later if file in again} <= marks
    same = Taken(listed, taken.token())
    assert {fingerprint(file) for file in listed if file in same} == marks
