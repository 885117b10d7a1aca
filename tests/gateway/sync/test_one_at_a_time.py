"""One cycle at a time, over all processes, and the lock goes with whoever held it."""

import threading

import pytest

from gateway.db.lock import advisory_lock
from gateway.errors import Unavailable
from gateway.sync.lock import SYNC_LOCK
from gateway.sync.upkeep import tidy
from tests.gateway.lock_holders import end_holders
from tests.gateway.sync.conftest import MakeReader
from tests.gateway.sync.systems import NOW, Systems


def test_a_second_cycle_is_refused_while_one_runs(systems: Systems, reading: MakeReader) -> None:
    reader = reading("erp")
    done = threading.Event()

    def first() -> None:
        reader.sync()
        done.set()

    with systems.netsuite.held():
        running = threading.Thread(target=first)
        running.start()
        systems.netsuite.wait_in_flight(1)
        with pytest.raises(Unavailable, match="Another sync is running"):
            reader.sync()
        assert tidy(reader.installed, NOW) == []
    running.join(timeout=60)
    assert done.is_set()
    reader.sync()


def test_a_cycle_that_lost_its_lock_publishes_nothing(systems: Systems, reading: MakeReader) -> None:
    systems.account.put("customer", {"companyname": "A", "entityid": "C-1"})
    reader = reading("erp")
    refused: list[Unavailable] = []

    def first() -> None:
        try:
            reader.sync()
        except Unavailable as error:
            refused.append(error)

    with systems.netsuite.held():
        running = threading.Thread(target=first)
        running.start()
        systems.netsuite.wait_in_flight(1)
        assert end_holders(reader.installed.database, SYNC_LOCK) == 1
        with advisory_lock(reader.installed.database, SYNC_LOCK) as lock:
            assert lock is not None
            assert lock.still()
    running.join(timeout=60)
    assert len(refused) == 1
    assert reader.installed.ledger.latest() is None
    reader.sync()
    assert len(reader.rows("accounts", "erp")) == 1
