"""What every connector promises, whatever it reads (connectors/contract.py)."""

import re
from datetime import timedelta
from itertools import product

import pytest

from connectors.errors import ConnectorError, LoginRefused, PermanentError, SchemaChanged, TransientError
from connectors.registry import kind_of
from connectors.retries import RetryPolicy
from sandbox.faults import Again, Cut, Reset, Short, Slow, Strike, too_many, unauthorized, unavailable
from tests.connectors.conftest import Clock
from tests.connectors.contract.mirror import Mirror
from tests.connectors.contract.scene import every, fill, fill_over_days, is_a_sentence, served
from tests.connectors.contract.source import ContractSource, Restrictable
from tests.connectors.contract.sources import SERVED

FAULTS: tuple[Strike, ...] = (too_many(), unavailable(), Cut(), Short(), Reset(), Reset(done=True))
TEXTS = ('Ünï "quoted", with commas', "it's; a\nline break", "0012", "\U0001f600", "a\\b", "100%", "null")
LOGIN = re.compile(r"token|login|authenticate")


@every
def test_a_first_load_hands_over_every_record_value_for_value(source: ContractSource, mirror: Mirror) -> None:
    fill(source)
    mirror.poll()
    mirror.agrees()
    assert len(mirror.rows) == 14


@every
def test_an_empty_source_is_no_error(mirror: Mirror) -> None:
    mirror.poll()
    assert mirror.rows == {}


@every
def test_texts_arrive_as_they_are(source: ContractSource, mirror: Mirror) -> None:
    for number, text in enumerate(TEXTS):
        source.put(2 * number, text)
        source.put(2 * number + 1, text)
    mirror.poll()
    mirror.agrees()


@every
def test_a_later_poll_brings_the_changes_and_not_everything(
    source: ContractSource, mirror: Mirror, clock: Clock
) -> None:
    fill(source, 20)
    mirror.poll()
    for number in (3, 4):
        clock.forward(days=5)
        source.put(number, "changed")
        mirror.poll()
        mirror.agrees()
    clock.forward(days=5)
    source.put(20, "new")
    mirror.poll()
    mirror.agrees()
    assert 1 <= sum(mirror.handed.values()) < 20


@every
def test_records_that_tie_with_the_last_one_are_not_passed_over(
    source: ContractSource, mirror: Mirror, clock: Clock
) -> None:
    for number in range(12):
        source.put(number, f"text {number}")
        mirror.poll()
    mirror.agrees()
    clock.forward(seconds=1)
    fill(source, 7)
    mirror.poll()
    mirror.agrees()


@every
def test_a_record_that_commits_after_its_stamp_is_found(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    fill(source, 4)
    mirror.poll()
    clock.forward(hours=1)
    source.put(2, "moves the position")
    source.put(3, "moves the position")
    mirror.poll()
    for number in (0, 1, 16, 17):
        source.put(number, "late", late=timedelta(minutes=9))
    mirror.poll()
    mirror.agrees()


@every
@pytest.mark.parametrize("how", ["remove", "purge"])
def test_what_is_gone_goes_by_a_list_or_by_a_census(
    source: ContractSource, mirror: Mirror, clock: Clock, how: str
) -> None:
    fill(source)
    mirror.poll()
    clock.forward(minutes=20)
    for number in (0, 3, 7):
        getattr(source, how)(number)
    mirror.poll()
    mirror.agrees()
    clock.forward(minutes=20)
    source.put(3, "again")
    mirror.poll()
    mirror.agrees()


@every
def test_no_deletion_is_told_of_what_is_there(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    begun = clock()
    fill(source)
    clock.forward(minutes=5)
    source.remove(2)
    source.remove(5)
    clock.forward(minutes=5)
    source.put(2, "again")
    connector = mirror.connector()
    for name in mirror.objects:
        gone = set(connector.deletions(name, begun))
        entities = {target.entity.name for target in mirror.mapped.objects[name].targets}
        assert not gone & {key for entity, key in source.truth() if entity in entities}


@every
def test_a_census_has_what_is_there_and_no_more(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    fill(source, 11)
    clock.forward(minutes=5)
    source.remove(2)
    source.purge(5)
    connector = mirror.connector()
    if not kind_of(source.kind).absence_counts:
        with pytest.raises(PermanentError) as error:
            mirror.census(connector, mirror.objects[0])
        is_a_sentence(error.value, source)
        return
    found = set().union(*(mirror.census(connector, name) for name in mirror.objects))
    assert found == source.truth().keys()


@every
@pytest.mark.parametrize("after", [1, 3])
def test_a_walk_that_stops_goes_on_from_its_last_position(
    source: ContractSource, mirror: Mirror, clock: Clock, after: int
) -> None:
    """Also when records change, come and go in between."""
    fill_over_days(source, clock)
    for name in mirror.objects:
        mirror.walk(mirror.connector(), name, after)
    source.put(15, "changed in between")
    source.put(0, "changed as well")
    source.put(99, "new in between")
    source.remove(1)
    mirror.poll()
    mirror.agrees()


@every
def test_walked_page_by_page_by_a_new_process_each_time(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    fill_over_days(source, clock)
    for _ in range(6):
        for name in mirror.objects:
            mirror.walk(mirror.connector(), name, 1)
    mirror.poll()
    mirror.agrees()


@every
def test_the_sources_time_is_its_own(source: ContractSource, mirror: Mirror, clock: Clock, name: str) -> None:
    for minutes in (-7, 0, 11):
        source.faults.skew = timedelta(minutes=minutes if name in SERVED else 0)
        told = mirror.connector().source_time()
        assert abs(told - (clock() + source.faults.skew)) < timedelta(seconds=2)
        assert told.utcoffset() == timedelta(0)


@every
@pytest.mark.parametrize(("how", "expected"), [("hidden_field", SchemaChanged), ("lost_permission", PermanentError)])
def test_what_is_not_shown_any_more_is_an_error_and_never_less_data(
    source: ContractSource, mirror: Mirror, clock: Clock, how: str, expected: type[PermanentError]
) -> None:
    if not isinstance(source, Restrictable):
        pytest.skip("the source does not say how its user's rights shrink")
    fill(source)
    mirror.poll()
    clock.forward(hours=1)
    source.put(0, "changed")
    source.put(1, "changed")
    with getattr(source, how)():
        for connect in (mirror.connector(), mirror.connector()):
            with pytest.raises(expected) as error:
                mirror.poll(connect)
            is_a_sentence(error.value, source)
        assert mirror.rows.keys() == source.truth().keys()
        assert None not in {row[column] for place, row in mirror.rows.items() for column in source.truth()[place]}
    mirror.poll()
    mirror.agrees()


@every
def test_the_mishaps_of_its_vendor_are_outlived(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    fill(source)
    for number, (name, arm) in enumerate(source.mishaps().items()):
        clock.forward(minutes=20)
        source.put(number, f"before {name}")
        source.put(number + 1, f"before {name}", late=timedelta(minutes=8))
        arm()
        for error in mirror.poll_until_well():
            is_a_sentence(error, source)
        mirror.agrees()


@every
def test_the_mishaps_of_its_vendor_in_mid_walk(source: ContractSource, mirror: Mirror, clock: Clock) -> None:
    for name, arm in source.mishaps().items():
        fill_over_days(source, clock)
        source.put(0, f"before {name}")
        mirror.forget()
        for of in mirror.objects:
            try:
                mirror.read(mirror.connector(), of, arm)
            except ConnectorError as error:
                is_a_sentence(error, source)
            else:
                mirror.agrees(of)
        for later in mirror.poll_until_well():
            is_a_sentence(later, source)
        mirror.agrees()


def requests_of(mirror: Mirror) -> int:
    """How many requests the first poll of a new process takes. Nothing is known after it as nothing was before."""
    before = mirror.source.faults.came.total()
    mirror.poll()
    mirror.forget()
    return mirror.source.faults.came.total() - before


@served
@pytest.mark.parametrize("turn", [0, 1])
def test_a_request_that_fails_once_is_repeated(
    source: ContractSource, mirror: Mirror, waits: list[float], turn: int
) -> None:
    """Every request of a first poll, each with another fault."""
    fill(source)
    for after in range(requests_of(mirror)):
        waits.clear()
        fault = FAULTS[(after + turn * 3) % len(FAULTS)]
        source.faults.add(fault, after=after)
        mirror.poll()
        mirror.agrees()
        mirror.forget()
        # Half of an answer whose content says nothing, such as a 404 for no rows, is as good as all of it.
        assert len(waits) == 1 or isinstance(fault, Short), f"request {after} was not repeated after one wait"


@served
def test_a_slow_answer_is_waited_for(source: ContractSource, mirror: Mirror, waits: list[float]) -> None:
    fill(source)
    source.faults.add(Slow(pause_s=0.002), times=None)
    mirror.poll()
    mirror.agrees()
    assert waits == []


def second_page(mirror: Mirror, name: str) -> int:
    """How many requests a new process sends before the one for the second page of an object."""
    before = mirror.source.faults.came.total()
    mirror.walk(mirror.connector(), name, 1)
    return mirror.source.faults.came.total() - before


@served
@pytest.mark.parametrize("times", [1, None])
def test_a_page_that_comes_again_is_noticed_or_does_no_harm(
    source: ContractSource, mirror: Mirror, clock: Clock, times: int | None
) -> None:
    """Never an endless walk, and never one that ends well with less than all."""
    fill_over_days(source, clock)
    for name, later in product(mirror.objects, (0, 1)):
        mirror.forget()
        after = second_page(mirror, name) + later
        mirror.forget()
        source.faults.clear()
        source.faults.add(Again(), after=after, times=times)
        try:
            mirror.read(mirror.connector(), name)
        except ConnectorError as error:
            is_a_sentence(error, source)
        else:
            mirror.agrees(name)
        source.faults.clear()
        mirror.poll()
        mirror.agrees()


@served
def test_a_wait_that_the_source_asks_for_is_kept(
    source: ContractSource, mirror: Mirror, retries: RetryPolicy, waits: list[float]
) -> None:
    fill(source)
    source.faults.add(too_many(retry_after=7), after=requests_of(mirror) - 1)
    mirror.poll()
    mirror.agrees()
    assert len(waits) == 1
    assert 7 <= waits[0] <= 7 + retries.first_wait_s


@served
def test_a_wait_that_the_source_asks_for_as_a_moment_is_kept(
    source: ContractSource, mirror: Mirror, retries: RetryPolicy, waits: list[float]
) -> None:
    fill(source)
    source.faults.add(too_many(retry_after="Tue, 01 Dec 2026 12:00:20 GMT"), after=requests_of(mirror) - 1)
    mirror.poll()
    assert len(waits) == 1
    assert 20 <= waits[0] <= 20 + retries.first_wait_s


STOPPED: tuple[Strike, ...] = (
    too_many(),
    unavailable(),
    Reset(),
    too_many(retry_after=20),
    too_many(retry_after=90_000),
)


@served
def test_a_stopped_source_costs_no_more_than_its_back_off(
    source: ContractSource, mirror: Mirror, retries: RetryPolicy, waits: list[float]
) -> None:
    fill(source)
    connector = mirror.connector()
    mirror.poll(connector)
    for strike in STOPPED:
        waits.clear()
        source.faults.clear()
        source.faults.add(strike, times=None)
        before = source.faults.came.total()
        with pytest.raises(TransientError) as error:
            mirror.poll(connector)
        is_a_sentence(error.value, source)
        assert 1 <= source.faults.came.total() - before <= retries.attempts
        assert len(waits) < retries.attempts
        assert sum(waits) <= retries.budget_s
        assert all(wait <= retries.first_wait_s * 2**n or wait >= 20 for n, wait in enumerate(waits))


@served
def test_a_source_that_nobody_answers_for_is_given_up(
    source: ContractSource, mirror: Mirror, retries: RetryPolicy, waits: list[float]
) -> None:
    connector = mirror.connector()
    source.close()
    with pytest.raises(TransientError) as error:
        mirror.poll(connector)
    is_a_sentence(error.value, source)
    assert len(waits) == retries.attempts - 1


def logins_and_data(source: ContractSource) -> tuple[str, str]:
    """The path of the login, empty where there is none, and the path that is asked most for data."""
    paths = {request.partition(" ")[2]: count for request, count in source.faults.came.items()}
    logins = [path for path in paths if LOGIN.search(path)]
    data = {path: count for path, count in paths.items() if path not in logins}
    return next(iter(logins), ""), max(data, key=lambda path: data[path])


@served
def test_a_session_that_ends_is_renewed_once(source: ContractSource, mirror: Mirror, waits: list[float]) -> None:
    fill(source)
    connector = mirror.connector()
    mirror.poll(connector)
    login, data = logins_and_data(source)
    if not login:
        pytest.skip("its key is its login: there is nothing to renew")
    source.faults.came.clear()
    source.faults.add(unauthorized(), path=data)
    mirror.poll(connector)
    mirror.agrees()
    assert source.faults.came[f"POST {login}"] == 1
    assert waits == []


@served
def test_a_refusal_that_stays_is_a_refused_login_after_one_renewal(
    source: ContractSource, mirror: Mirror, waits: list[float]
) -> None:
    fill(source)
    mirror.poll()
    login, data = logins_and_data(source)
    waits.clear()
    source.faults.came.clear()
    source.faults.add(unauthorized(), path=data, times=None)
    with pytest.raises(LoginRefused) as error:
        mirror.poll()
    is_a_sentence(error.value, source)
    refused = sum(count for request, count in source.faults.came.items() if data in request)
    assert refused == (2 if login else 1)
    assert waits == []
