"""Invoices and runs: what is due is posted day by day up to today, and today's part waits as drafts.

One invoice per contract and day. A daily run posts the invoices of its day in the morning; on the target date
there is one run for each batch of accounts, of which only the early one has been posted by now.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from sandbox.company.amounts import document
from sandbox.company.deals import BAD_BATCH, CLEAN_BATCH, EARLY_BATCH
from sandbox.company.delivering import HOURS
from sandbox.company.discounts import take_off
from sandbox.company.documents import DRAFT, FAILED, POSTED, BillRun, DunningStep, Invoice, InvoiceLine, Payment
from sandbox.company.model import Charge, Commit, ContractLine, SeatCount
from sandbox.company.periods import add_months
from sandbox.company.rating import Item, Metering, amount_of, due_items, metering_of
from sandbox.company.world import World

_BEGINS = {EARLY_BATCH: time(7, 30), CLEAN_BATCH: time(8, 15), BAD_BATCH: time(8, 40)}
"""When the runs of the target date begin, UTC; a daily run begins at four."""


def invoice_everything(world: World) -> None:
    """Invoice all that is due up to and including today."""
    grouped: dict[tuple[date, str, str], list[Item]] = defaultdict(list)
    for contract_id, item in _due(world):
        batch = world.account_of(contract_id).batch if item.due == world.today else ""
        grouped[item.due, batch, contract_id].append(item)
    for day, batch, contract_id in sorted(grouped):
        invoice = new_invoice(world, run_on(world, day, batch), contract_id)
        for item in grouped[day, batch, contract_id]:
            take_off(world, put_line(world, invoice, item))
    _true_up(world)


def collect(world: World, rng: Random) -> None:
    """Payments of posted invoices: customers pay about when they must, a few in two parts, or at the second attempt."""
    sums = totals(world)
    for invoice in world.invoices.values():
        amount = sum(sums[invoice.billing_id]) + invoice.total_shift - world.credited(invoice.billing_id)
        paid_on = max(invoice.due + timedelta(days=rng.randint(-12, 6)), invoice.day)
        way = rng.random()
        if invoice.posted_at is None or amount <= 0 or paid_on > world.today - timedelta(days=2):
            continue
        first = document(amount * 2 / 5, world.accounts[invoice.account_id].currency)
        if way < 0.03 and first:
            pay(world, invoice, first, max(paid_on - timedelta(days=5), invoice.day))
            pay(world, invoice, amount - first, paid_on)
        else:
            if way > 0.97 and paid_on - timedelta(days=2) > invoice.day:
                refuse(world, invoice, amount, paid_on - timedelta(days=2))
            pay(world, invoice, amount, paid_on)


def pay(
    world: World,
    invoice: Invoice,
    amount: Decimal,
    day: date,
    *,
    applied: Decimal | None = None,
    refunded: Decimal = Decimal(0),
) -> Payment:
    """A payment that arrived; `applied` is what of it was assigned to the invoice, None for all."""
    payment = _attempt(world, invoice, amount, day, applied=applied, refunded=refunded)
    world.payments[payment.billing_id] = payment
    return payment


def refuse(
    world: World,
    invoice: Invoice,
    amount: Decimal,
    day: date,
    *,
    failure: str = "Insufficient funds",
    provider_state: str = "FailedToSettle",
    method: str = "CreditCard",
) -> Payment:
    """An attempt to collect that failed."""
    tried = replace(
        _attempt(world, invoice, amount, day),
        status=FAILED,
        failure=failure,
        provider_state=provider_state,
        method=method,
    )
    world.payments[tried.billing_id] = tried
    return tried


def chase(world: World, tried: Payment, kind: str, days: int, status: str = "done") -> DunningStep:
    """A step of collections, so many days after an attempt that failed."""
    assert tried.invoice_id is not None, "only attempts on an invoice are chased"
    at = datetime.combine(tried.day + timedelta(days=days), time(10), UTC)
    step = DunningStep(
        f"D-{world.ids.number('dunning step'):06d}",
        tried.account_id,
        tried.invoice_id,
        tried.billing_id,
        kind,
        status,
        at,
    )
    world.dunning.append(step)
    return step


def _attempt(
    world: World,
    invoice: Invoice,
    amount: Decimal,
    day: date,
    *,
    applied: Decimal | None = None,
    refunded: Decimal = Decimal(0),
) -> Payment:
    ids = world.ids
    number = f"P-{ids.number('payment number'):08d}"
    return Payment(
        ids.billing("payment"), number, invoice.account_id, invoice.billing_id, amount, day, applied, refunded
    )


def totals(world: World) -> dict[str, tuple[Decimal, Decimal]]:
    """What the lines of every invoice come to: (without tax, tax)."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for line in world.invoice_lines.values():
        net, tax = sums.get(line.invoice_id, (Decimal(0), Decimal(0)))
        sums[line.invoice_id] = (net + line.amount, tax + line.tax)
    return sums


def run_on(world: World, day: date, batch: str = "") -> BillRun:
    """The run of that day: the daily one, or on the target date the one of a batch. Made when there is none."""
    for run in reversed(world.runs.values()):
        if (run.target_date, run.batches or "") == (day, batch):
            return run
    return _run(world, day, batch)


def new_invoice(world: World, run: BillRun, contract_id: str) -> Invoice:
    """An invoice without lines, posted or a draft as its run is."""
    contract, account = world.contracts[contract_id], world.account_of(contract_id)
    invoice = Invoice(
        billing_id=world.ids.billing("invoice"),
        number=f"INV{world.ids.number('invoice number'):08d}",
        account_id=account.crm_id,
        contract_id=contract_id,
        day=run.target_date,
        due=run.target_date + timedelta(days=account.terms_days),
        status=POSTED if run.posted_at else DRAFT,
        run_id=run.billing_id,
        created_at=run.executed_at + timedelta(minutes=2),
        posted_at=run.posted_at,
        po_number=contract.po_number,
    )
    world.invoices[invoice.billing_id] = invoice
    return invoice


def put_line(world: World, invoice: Invoice, item: Item) -> InvoiceLine:
    """Put one item on an invoice."""
    account = world.accounts[invoice.account_id]
    amount = amount_of(item, account.currency)
    line = InvoiceLine(
        billing_id=world.ids.billing("item"),
        invoice_id=invoice.billing_id,
        charge_id=item.charge.billing_id,
        segment_id=item.segment.billing_id,
        subscription=item.charge.subscription,
        product_code=item.charge.product_code,
        name=item.charge.name,
        kind=item.kind,
        quantity=item.quantity,
        price=item.charge.price_of(item.segment),
        amount=amount,
        tax=document(amount * account.tax_rate if item.charge.tax_code else Decimal(0), account.currency),
        tax_code=item.charge.tax_code,
        start=item.start,
        end=item.end,
        created_at=invoice.created_at,
    )
    world.invoice_lines[line.billing_id] = line
    if item.events:
        world.billed_usage[line.billing_id] = item.events
    return line


def _due(world: World) -> Iterator[tuple[str, Item]]:
    metering = metering_of(world)
    seats: dict[str, dict[date, SeatCount]] = defaultdict(dict)
    for (line_id, month), count in world.seats.items():
        seats[line_id][month] = count
    contracts = {subscription.name: subscription.contract_id for subscription in world.subscriptions.values()}
    for charge in world.charges.values():
        for item in _items(world, charge, seats[charge.line_id], metering):
            yield contracts[charge.subscription], item


def _items(world: World, charge: Charge, seats: dict[date, SeatCount], metering: Metering) -> Iterator[Item]:
    included = world.lines[charge.line_id].included or Decimal(0)
    batch = world.accounts[charge.account_id].batch

    def begins(day: date) -> datetime:
        return _begins(day, batch if day == world.today else "")

    work = [item for item in world.work.values() if item.line_id == charge.line_id] if _is_work(charge) else []
    return due_items(charge, seats, included, metering, work, world.today, begins)


def _true_up(world: World) -> None:
    """Bill what lacks to a commitment on the day on which its window ends."""
    for line in list(world.lines.values()):
        charges = world.charges.where(line_id=line.crm_id)
        charge = next((charge for charge in charges if charge.true_up), None)
        if line.commit is None or charge is None:
            continue
        every = [billed for one in charges for billed in world.billed(one.billing_id)]
        for start, end in _windows(world, line, line.commit):
            lines = [billed for billed in every if start <= billed.start < end]
            short = line.commit.amount - sum((billed.amount for billed in lines), Decimal(0))
            if short > 0:
                _bill_shortfall(world, charge, line, (start, end), short)


def _windows(world: World, line: ContractLine, commit: Commit) -> Iterator[tuple[date, date]]:
    """The windows of a commitment that have ended."""
    end = line.terminated or line.end
    start = line.start
    while start < world.today:
        whole = commit.months is None or commit.rolls_over
        following = end if whole else add_months(start, commit.months or 12)
        if following is None or following > world.today or (end and following > end):
            return
        yield start, following
        if whole:
            return
        start = following


def _bill_shortfall(
    world: World, charge: Charge, line: ContractLine, window: tuple[date, date], short: Decimal
) -> None:
    account, day = world.accounts[charge.account_id], window[1]
    batch = account.batch if day == world.today else ""
    there = [
        invoice for invoice in world.invoices.values() if invoice.contract_id == line.contract_id and invoice.day == day
    ]
    invoice = there[0] if there else new_invoice(world, run_on(world, day, batch), line.contract_id)
    put = put_line(world, invoice, Item(charge, charge.segments[0], day, *window, Decimal(1)))
    tax = document(short * account.tax_rate, account.currency)
    world.invoice_lines[put.billing_id] = replace(put, price=short, amount=short, tax=tax)


def _is_work(charge: Charge) -> bool:
    return charge.product_code == HOURS


def _begins(day: date, batch: str) -> datetime:
    return datetime.combine(day, _BEGINS[batch] if batch else time(4), UTC)


def _run(world: World, day: date, batch: str) -> BillRun:
    begun = _begins(day, batch)
    is_posted = batch in ("", EARLY_BATCH)
    run = BillRun(
        billing_id=world.ids.billing("run"),
        number=f"BR-{world.ids.number('run number'):08d}",
        target_date=day,
        status="Posted" if is_posted else "Completed",
        executed_at=begun,
        posted_at=begun + timedelta(hours=1) if is_posted else None,
        batches=batch or None,
    )
    world.runs[run.billing_id] = run
    return run
