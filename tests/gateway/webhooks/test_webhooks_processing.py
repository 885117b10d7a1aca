"""What the job makes of messages: what they name is in the books, nothing else was read, and nothing is lost."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from gateway.db.lock import advisory_lock
from gateway.db.session import Database
from gateway.errors import Unavailable
from gateway.jobs import process_in_turn
from gateway.sync.lock import SYNC_LOCK
from gateway.webhooks.pending import KEPT, MOST_ATTEMPTS, claim
from gateway.webhooks.processing import process
from gateway.webhooks.tables import WebhookDelivery
from tests.gateway.lock_holders import end_holders
from tests.gateway.sync.commands import CommandServer
from tests.gateway.sync.doorway import Doorway
from tests.gateway.sync.systems import Reader, Systems, invoice
from tests.gateway.webhooks.webhook_world import CRM_SECRET, WebhookWorld

QUERY = "POST /v1/action/query"


@pytest.fixture
def account(world: WebhookWorld) -> str:
    return world.systems.tenant.put("Account", {"Name": "A", "AccountNumber": "A-1"})


@pytest.fixture
def invoices(world: WebhookWorld, account: str) -> list[str]:
    """Three invoices of billing, which are in the books."""
    ids = [world.systems.tenant.put("Invoice", invoice(account, f"INV-{n}")) for n in range(3)]
    world.reader.sync()
    return ids


def _change(world: WebhookWorld, key: str, amount: str) -> None:
    world.systems.forward(seconds=1)
    world.systems.tenant.put("Invoice", {"Id": key, "Amount": Decimal(amount)})


def _total(world: WebhookWorld, key: str) -> Decimal:
    total = world.row("invoices", "billing", key)["total"]
    assert isinstance(total, Decimal)
    return total


def _message(world: WebhookWorld, session: str) -> WebhookDelivery:
    with world.installed.database.session() as opened:
        return opened.scalars(select(WebhookDelivery).where(WebhookDelivery.message_id == session)).one()


@contextmanager
def _asked(world: WebhookWorld, queries: int) -> Iterator[None]:
    """Billing is asked so often in the block, a token apart, and in no other way."""
    before = world.systems.zuora.requests
    yield
    asked = world.systems.zuora.requests - before
    del asked["POST /oauth/token"]
    assert dict(asked) == ({QUERY: queries} if queries else {})


def test_only_what_a_message_names_is_read(world: WebhookWorld, invoices: list[str]) -> None:
    _change(world, invoices[0], "150.00")
    _change(world, invoices[1], "250.00")
    before, snapshot = world.standing(), world.snapshot()
    assert world.called_out("Invoice", invoices[0]).status_code == 202
    assert (_total(world, invoices[0]), world.snapshot()) == (Decimal(100), snapshot)
    with _asked(world, queries=1):
        ran = world.run()
    assert [one.message_id for one in ran.done] == ["n-1"]
    assert _total(world, invoices[0]) == Decimal(150)
    assert _total(world, invoices[1]) == Decimal(100)
    assert world.standing() == before
    assert world.snapshot() != snapshot
    assert ran.touched == {("billing", "invoices")}
    assert list(ran.checks) == ["invoice_not_in_erp"]
    assert ran.sweep is not None
    assert [evaluation.check.id for evaluation in ran.sweep.evaluations] == ["invoice_not_in_erp"]


def test_a_second_run_does_nothing(world: WebhookWorld, invoices: list[str]) -> None:
    _change(world, invoices[0], "150.00")
    world.called_out("Invoice", invoices[0])
    world.run()
    snapshot, versions = world.snapshot(), world.reader.versions()
    world.called_out("Invoice", invoices[0])
    with _asked(world, queries=0):
        ran = world.run()
    assert (ran.done, ran.failed, ran.checks) == ([], {}, ())
    assert (world.snapshot(), world.reader.versions()) == (snapshot, versions)
    assert world.states() == {"done": 1}


def test_messages_of_one_source_are_one_question(world: WebhookWorld, invoices: list[str]) -> None:
    """And what stands in the books is what the source holds now, in whichever order they came."""
    for session, amount in (("n-2", "2.00"), ("n-1", "1.00")):
        _change(world, invoices[0], amount)
        world.called_out("Invoice", invoices[0], invoices[2], session=session)
    with _asked(world, queries=1):
        assert len(world.run().done) == 2
    assert _total(world, invoices[0]) == Decimal(1)


def test_a_message_that_changed_nothing_publishes_nothing(world: WebhookWorld, invoices: list[str]) -> None:
    snapshot = world.snapshot()
    world.called_out("Invoice", *invoices)
    assert len(world.run().done) == 1
    assert world.snapshot() == snapshot


def test_a_record_that_is_gone_is_a_tombstone(world: WebhookWorld, invoices: list[str]) -> None:
    world.systems.tenant.remove("Invoice", invoices[0])
    world.called_out("Invoice", invoices[0], invoices[1], "never-heard-of")
    world.run()
    assert set(world.reader.rows("invoices", "billing", deleted=True)) == {invoices[0]}
    assert set(world.reader.rows("invoices", "billing")) == set(invoices[1:])


def test_a_record_that_no_entity_takes_any_more_is_a_tombstone(world: WebhookWorld) -> None:
    key = world.systems.tenant.put("RatePlanCharge", {"OriginalId": "first", "IsLastSegment": True, "Segment": 1})
    world.reader.sync()
    world.systems.forward(seconds=1)
    world.systems.tenant.remove("RatePlanCharge", key)
    world.called_out("RatePlanCharge", key)
    world.run()
    assert set(world.reader.rows("billing_schedules", "billing", deleted=True)) == {key}
    # Other segments may hold the line's key: that none does is for a census to say.
    assert set(world.reader.rows("subscription_lines", "billing")) == {"first"}


def test_a_record_that_cannot_be_mapped_is_a_reject_until_it_can(world: WebhookWorld, invoices: list[str]) -> None:
    tenant = world.systems.tenant
    tenant.rename_field("Invoice", "InvoiceDate", "OldDate")
    tenant.define("Invoice", {"InvoiceDate": "text"})
    tenant.put("Invoice", {"Id": invoices[0], "InvoiceDate": "next week"})
    world.called_out("Invoice", invoices[0])
    assert len(world.run().done) == 1
    assert [reject.key for reject in world.installed.ledger.rejects()] == [invoices[0]]
    tenant.put("Invoice", {"Id": invoices[0], "InvoiceDate": "2026-12-24"})
    world.called_out("Invoice", invoices[0], session="n-2")
    world.run()
    assert world.installed.ledger.rejects() == []


def test_what_the_mapping_does_not_read_is_of_no_concern(world: WebhookWorld, invoices: list[str]) -> None:
    assert invoices
    world.called_out("PaymentMethod", "p-1")
    with _asked(world, queries=0):
        ran = world.run()
    assert (len(ran.done), ran.touched, list(ran.checks)) == (1, set(), [])


def test_what_is_read_on_demand_does_not_come_into_the_books(world: WebhookWorld) -> None:
    mapping = world.systems.folder / "billing.yaml"
    run = "  bill-run: {key: id, on_demand: true, targets: [{entity: invoice_runs, columns: {number: id}}]}\n"
    mapping.write_text(mapping.read_text(encoding="utf-8") + run, encoding="utf-8")
    world.reader.sync()
    assert world.installed.mappings["billing"].objects["bill-run"].on_demand
    world.called_out("bill-run", "b-1")
    with _asked(world, queries=0):
        assert len(world.run().done) == 1


def test_a_run_that_lost_its_lock_reads_no_further(world: WebhookWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.reader.sync()
    monkeypatch.setenv("TIEOUT_ERP_WEBHOOK_SECRET", CRM_SECRET)
    customer = world.systems.account.put("customer", {"companyname": "A", "entityid": "C-1"})
    assert world.signed({"customer": [str(customer)], "transaction": ["7"]}, source="erp").status_code == 202
    before, refused = world.snapshot(), list[Unavailable]()
    world.systems.netsuite.requests.clear()

    def first() -> None:
        try:
            world.run()
        except Unavailable as error:
            refused.append(error)

    with world.systems.netsuite.held():
        running = threading.Thread(target=first)
        running.start()
        world.systems.netsuite.wait_in_flight(1)
        assert end_holders(world.reader.installed.database, SYNC_LOCK) == 1
    running.join(timeout=60)
    assert (len(refused), world.states(), world.snapshot()) == (1, {"pending": 1}, before)
    assert world.systems.netsuite.requests == {"token": 1, "suiteql": 1}


def test_before_the_first_sync_a_message_waits(world: WebhookWorld, account: str) -> None:
    key = world.systems.tenant.put("Invoice", invoice(account, "INV-1"))
    world.called_out("Invoice", key)
    world.run()
    assert world.states() == {"pending": 1}
    assert world.snapshot() is None
    world.reader.sync()
    assert len(world.run().done) == 1


def test_while_a_sync_runs_nothing_is_claimed(world: WebhookWorld, invoices: list[str]) -> None:
    world.called_out("Invoice", invoices[0])
    with advisory_lock(world.installed.database, SYNC_LOCK) as lock:
        assert lock is not None
        with _asked(world, queries=0):
            world.run()
    assert (_message(world, "n-1").attempts, world.states()) == (0, {"pending": 1})
    world.run()
    assert (_message(world, "n-1").attempts, world.states()) == (1, {"done": 1})


def test_the_job_leaves_a_poll_its_turn(world: WebhookWorld, invoices: list[str]) -> None:
    world.called_out("Invoice", invoices[0])
    reading = threading.Lock()
    with reading:
        process_in_turn(world.installed, reading)
    assert world.states() == {"pending": 1}


def test_a_source_that_is_away_keeps_its_messages(world: WebhookWorld, invoices: list[str]) -> None:
    _change(world, invoices[0], "150.00")
    world.called_out("Invoice", invoices[0])
    world.called_out("Account", "a-1", session="n-2")
    world.systems.zuora.stop()
    ran = world.run()
    assert set(ran.failed) == {("billing", "n-1"), ("billing", "n-2")}
    assert "got no answer" in (_message(world, "n-1").failure or "")
    world.systems.zuora.start()
    with _asked(world, queries=0):
        assert world.run().done == []  # not before its time
    world.systems.forward(minutes=1)
    assert len(world.run().done) == 2
    assert _total(world, invoices[0]) == Decimal(150)
    assert _message(world, "n-1").failure is None


def test_a_source_that_is_away_is_not_asked_for_every_object(world: WebhookWorld, invoices: list[str]) -> None:
    world.called_out("Invoice", invoices[0])
    world.called_out("Account", "a-1", session="n-2")
    world.called_out("RatePlanCharge", "c-1", session="n-3")
    world.systems.zuora.set_maintenance(True)
    before = world.systems.zuora.requests.total()
    assert len(world.run().failed) == 3
    assert world.systems.zuora.requests.total() - before <= 2  # its retries allow two attempts


def test_too_many_attempts_end_in_a_sentence_and_the_poll_covers_it(world: WebhookWorld, invoices: list[str]) -> None:
    _change(world, invoices[0], "150.00")
    world.called_out("Invoice", invoices[0])
    world.systems.tenant.hide("Invoice")
    waits = []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        world.run()
        message = _message(world, "n-1")
        assert message.attempts == attempt
        waits.append((message.next_at - world.now).total_seconds() / 60)
        world.systems.forward(hours=1)
    assert waits == [1, 2, 4, 8, 16, 32]
    assert (message.state, message.ended_at is not None) == ("failed", True)
    assert "INVALID_TYPE" in (message.failure or "")
    world.systems.tenant.reveal()
    with _asked(world, queries=0):
        world.run()
    world.reader.sync()
    assert _total(world, invoices[0]) == Decimal(150)


def test_a_message_that_ends_the_process_is_not_tried_without_end(world: WebhookWorld, invoices: list[str]) -> None:
    world.called_out("Invoice", invoices[0])
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert [one.attempt for one in claim(world.installed.database, world.now)] == [attempt]
        world.systems.forward(hours=1)
    with _asked(world, queries=0):
        assert world.run().done == []
    message = _message(world, "n-1")
    assert (message.state, message.ended_at) == ("failed", world.now)
    assert "None of 6 attempts came to an end" in (message.failure or "")


def test_one_bad_message_does_not_hold_up_the_others(world: WebhookWorld, invoices: list[str]) -> None:
    for n, key in enumerate(invoices):
        _change(world, key, f"{n + 1}50.00")
        world.called_out("Invoice", key, session=f"n-{n}")
    # Refused for good when they are asked for together, and then for the first alone.
    world.systems.zuora.fail_next(category=30, times=2)
    ran = world.run()
    assert set(ran.failed) == {("billing", "n-0")}
    assert [_total(world, key) for key in invoices] == [Decimal(100), Decimal(250), Decimal(350)]


def test_two_runs_at_once_do_not_work_on_one_message(world: WebhookWorld, invoices: list[str]) -> None:
    world.called_out("Invoice", invoices[0])
    database = world.installed.database
    assert [one.message_id for one in claim(database, world.now)] == ["n-1"]
    assert claim(database, world.now) == []
    world.systems.forward(minutes=1)
    assert [one.attempt for one in claim(database, world.now)] == [2]


def test_old_messages_are_forgotten(world: WebhookWorld, invoices: list[str]) -> None:
    world.called_out("Invoice", invoices[0])
    world.run()
    world.systems.forward(days=KEPT.days)
    world.run()
    assert world.states() == {"done": 1}
    world.systems.forward(seconds=1)
    world.run()
    assert world.states() == {}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(0, 2)),
        st.tuples(st.just("remove"), st.integers(0, 2)),
        st.tuples(st.just("say"), st.integers(0, 2)),
        st.tuples(st.just("repeat"), st.integers(0, 3)),
        st.just(("run", 0)),
    ),
    max_size=12,
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True)
@given(steps=STEPS)
def test_in_any_order_the_books_end_as_the_source_is(
    world: WebhookWorld, account: str, steps: list[tuple[str, int]]
) -> None:
    """Changes and deletions, each told some time later, some of it twice."""
    tenant = world.systems.tenant
    ids = [tenant.put("Invoice", invoice(account, secrets.token_hex(4))) for _ in range(3)]
    world.reader.sync()
    said: list[tuple[str, str]] = []

    def say(key: str) -> None:
        said.append((key, secrets.token_hex(8)))
        world.called_out("Invoice", key, session=said[-1][1])

    for step, n in steps:
        held = {str(row["Id"]) for row in tenant.rows("Invoice")}
        if step == "change" and ids[n] in held:
            _change(world, ids[n], f"{len(said) + n}.25")
        elif step == "remove" and ids[n] in held:
            tenant.remove("Invoice", ids[n])
        elif step == "say":
            say(ids[n])
        elif step == "repeat" and said:
            key, session = said[n % len(said)]
            world.called_out("Invoice", key, session=session)
        elif step == "run":
            world.run()
    for key in ids:
        say(key)
    world.run()
    held_now = {str(row["Id"]): row["Amount"] for row in tenant.rows("Invoice") if row["Id"] in ids}
    books = {key: row["total"] for key, row in world.reader.rows("invoices", "billing").items() if key in ids}
    assert books == held_now


def test_killed_between_the_answer_and_the_poll(
    live_systems: Systems,
    database: Database,
    database_url: str,
    commands: CommandServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message was answered, the process that reads what it names ends in the middle; another one does it."""
    monkeypatch.setenv("TIEOUT_BILLING_WEBHOOK_SECRET", "tieout:callout-password-2e")
    account = live_systems.tenant.put("Account", {"Name": "A", "AccountNumber": "A-1"})
    key = live_systems.tenant.put("Invoice", invoice(account, "INV-1"))
    with Doorway(live_systems.zuora_port) as door:
        said = live_systems.settings(["billing"])
        said["sources"]["billing"]["settings"]["base_url"] = door.url
        config = live_systems.folder / "tieout.yaml"
        config.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
        environment = {**live_systems.environment(), "TIEOUT_DATABASE_URL": database_url}
        with WebhookWorld(live_systems, Reader(live_systems, database, said)) as world:
            world.reader.sync()
            live_systems.tenant.put("Invoice", {"Id": key, "Amount": Decimal(150)})
            assert world.called_out("Invoice", key).status_code == 202

            door.keep(2)  # a token, then the question
            command = commands.start("webhooks", "process", "-c", str(config), environment=environment)
            door.wait_until_kept()
            command.kill()
            door.release()
            assert world.states() == {"pending": 1}
            assert _message(world, "n-1").attempts == 1

            # At once nobody may begin again: for all that is known, somebody works on it.
            status, output = commands.run("webhooks", "process", "--json", "-c", str(config), environment=environment)
            assert status == 0, output
            assert '"done": []' in output
            assert world.run().done == []
            later = datetime.now(UTC) + timedelta(minutes=2)
            assert [one.message_id for one in process(world.installed, later).done] == ["n-1"]
            assert _total(world, key) == Decimal(150)
