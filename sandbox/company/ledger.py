"""The general ledger: what finance posts for invoices, payments, credits and earned revenue. Every document balances.

An invoice of what is earned over time is deferred as a whole, and each month's end moves that month's share to revenue.
A credit memo takes back what it credits of the deferral, and its own share of the months that were recognised already
is taken back at the end of its month.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

from sandbox.company.amounts import document, local_price
from sandbox.company.catalog import OVER_TIME, PRODUCTS
from sandbox.company.deals import CLEAN_BATCH
from sandbox.company.documents import PROCESSED, CreditMemo, ErpCredit, ErpInvoice, InvoiceLine, LedgerEntry, Payment
from sandbox.company.model import a_day_before
from sandbox.company.periods import add_months
from sandbox.company.recognition import posted_on, slices
from sandbox.company.world import World

RECEIVABLE, CASH, TAX = "receivable", "cash", "tax"
REVENUE, DEFERRED = "revenue", "deferred_revenue"
REVALUATION, CLEARING, ROUNDING = "fx_revaluation", "clearing", "rounding"
ACCOUNTS = {
    RECEIVABLE: "1100 Accounts receivable",
    CASH: "1000 Bank",
    TAX: "2200 Sales tax payable",
    REVENUE: "4000 Revenue",
    DEFERRED: "2400 Deferred revenue",
    REVALUATION: "7800 Unrealised gain and loss",
    CLEARING: "1190 Credit clearing",
    ROUNDING: "7900 Rounding",
}
FIRST_PERIOD = 101
_CLOSE_DAYS = 5
_NIGHT = time(23, 30)
Sides = dict[str, Decimal]


def period_key(world: World, day: date) -> str:
    """The key of the accounting period, a month, that holds the day."""
    first = world.first_day
    return str(FIRST_PERIOD + (day.year - first.year) * 12 + day.month - first.month)


def closed_on(world: World, month: date) -> date | None:
    """When the period of a month was closed: five days after it; None for the last two."""
    following = add_months(month, 1)
    return following + timedelta(days=_CLOSE_DAYS) if following < world.today.replace(day=1) else None


def post_ledger(world: World, rng: Random) -> None:
    """Post everything that the ERP has, and what was collected."""
    for copy in world.erp_invoices.values():
        _post_invoice(world, copy)
    for payment in world.payments.values():
        if payment.status == PROCESSED:
            _post_payment(world, payment)
    for credit in world.erp_credits.values():
        _post_credit(world, credit, world.credit_memos[credit.memo])
    _recognise_invoices(world)
    for account_id in _customers(world):
        _post_by_hand(world, account_id, rng)


def post(
    world: World,
    document_id: str,
    account_id: str,
    origin: str,
    day: date,
    sides: Sides,
    *,
    service: date | None = None,
    written_at: datetime | None = None,
    currency: str | None = None,
) -> list[LedgerEntry]:
    """One posting: an entry for each kind of account, debits positive. The sides come to nothing together."""
    if sum(sides.values(), Decimal(0)):
        raise ValueError(f"The posting of {document_id} does not balance: {sides}.")
    entries = [
        LedgerEntry(
            entry_id=f"GL{world.ids.number('ledger entry'):08d}",
            document_id=document_id,
            account_id=account_id,
            ledger_account=ACCOUNTS[kind],
            kind=kind,
            origin=origin,
            amount=amount,
            currency=currency or world.accounts[account_id].currency,
            posted=day,
            period=period_key(world, day),
            service=service,
            written_at=written_at or datetime.combine(day, _NIGHT, UTC),
        )
        for kind, amount in sides.items()
        if amount
    ]
    for entry in entries:
        world.ledger[entry.entry_id] = entry
    return entries


def _post_invoice(world: World, copy: ErpInvoice) -> None:
    invoice = world.invoices[copy.invoice_id]
    lines = world.on_invoice(invoice.billing_id)
    deferred, earned = _split(lines)
    sides = {RECEIVABLE: copy.total, TAX: -copy.tax, DEFERRED: -deferred, REVENUE: -earned}
    sides[ROUNDING] = -sum(sides.values(), Decimal(0))
    service = min(line.start for line in lines)
    post(
        world, str(copy.erp_id), invoice.account_id, "invoice", invoice.day, sides, service=service,
        written_at=copy.copied_at,
    )  # fmt: skip


def _split(lines: Iterable[InvoiceLine]) -> tuple[Decimal, Decimal]:
    """What of the lines is earned over time, and what at once."""
    sums = {True: Decimal(0), False: Decimal(0)}
    for line in lines:
        sums[PRODUCTS[line.product_code].recognition == OVER_TIME] += line.amount
    return sums[True], sums[False]


def _post_payment(world: World, payment: Payment) -> None:
    kept = payment.amount - payment.refunded
    post(world, payment.number, payment.account_id, "payment", payment.day, {CASH: kept, RECEIVABLE: -kept})


def _post_credit(world: World, credit: ErpCredit, memo: CreditMemo) -> None:
    net = memo.amount - memo.tax
    lines = world.on_invoice(memo.invoice_id) if memo.invoice_id else []
    sides = {RECEIVABLE: -memo.amount, TAX: memo.tax}
    if memo.number in world.untreated_credits:
        sides[CLEARING] = net
    else:
        currency = world.accounts[memo.account_id].currency
        deferred, earned = _split(lines)
        whole = deferred + earned
        sides[DEFERRED] = document(Fraction(net) * Fraction(deferred) / Fraction(whole), currency) if whole else net * 0
        sides[REVENUE] = net - sides[DEFERRED]
        _take_back(world, credit, memo, lines, sides[DEFERRED])
    post(world, str(credit.erp_id), memo.account_id, "credit_memo", memo.day, sides, written_at=credit.created_at)


def _take_back(world: World, credit: ErpCredit, memo: CreditMemo, lines: list[InvoiceLine], amount: Decimal) -> None:
    """The credited part of the deferral is earned negatively, over the days of the lines that it takes back."""
    over_time = [line for line in lines if PRODUCTS[line.product_code].recognition == OVER_TIME and line.amount]
    whole = sum((line.amount for line in over_time), Decimal(0))
    left = amount
    for place, line in enumerate(over_time, 1):
        currency = world.accounts[memo.account_id].currency
        share = (
            left if place == len(over_time) else document(Fraction(amount * line.amount) / Fraction(whole), currency)
        )
        left -= share
        _recognise(world, str(credit.erp_id), memo.account_id, memo.day, [(-share, line.start, line.end)])


def _recognise_invoices(world: World) -> None:
    planned: dict[int, list[tuple[Decimal, date, date]]] = defaultdict(list)
    for element in world.revenue.values():
        copied = world.erp_lines[element.line_key]
        planned[copied.erp_invoice].append((element.planned_amount, element.start, element.end))
    for erp_id, parts in planned.items():
        invoice = world.invoices[world.erp_invoices[erp_id].invoice_id]
        _recognise(world, str(erp_id), invoice.account_id, invoice.day, parts)


def _recognise(
    world: World, document_id: str, account_id: str, documented: date, parts: Iterable[tuple[Decimal, date, date]]
) -> None:
    """A journal for every month that has been earned, with what all parts earn in it."""
    currency = world.accounts[account_id].currency
    earned: dict[tuple[date, date], Decimal] = defaultdict(Decimal)
    for amount, start, end in parts:
        for each in slices(amount, start, end, currency):
            earned[posted_on(each.start, documented), each.start] += each.amount
    for (day, service), amount in sorted(earned.items()):
        if day < world.today:
            journal = f"RJ-{document_id}-{service:%Y%m%d}"
            post(world, journal, account_id, "recognition", day, {DEFERRED: amount, REVENUE: -amount}, service=service)


def _customers(world: World) -> Iterator[str]:
    """Customers of the clean batch with an invoice in the ERP, each once."""
    with_invoice = {world.invoices[copy.invoice_id].account_id for copy in world.erp_invoices.values()}
    for account in world.accounts.values():
        if account.crm_id in with_invoice and account.batch == CLEAN_BATCH:
            yield account.crm_id


def _post_by_hand(world: World, account_id: str, rng: Random) -> None:
    """Some month's end revalues what a customer owes in a foreign currency, or defers something for a month by hand."""
    currency = world.accounts[account_id].currency
    month_end = a_day_before(add_months(world.today.replace(day=1), -rng.randint(1, 6)))
    way = rng.random()
    if way < 0.06 and currency != "USD":
        revalue(world, account_id, RECEIVABLE, month_end, document(Decimal(rng.randint(500, 90_000)) / 100, "USD"))
    elif way > 0.95:
        defer_by_hand(world, account_id, month_end, local_price(Decimal(rng.randint(100, 900)), currency))


def revalue(world: World, account_id: str, kind: str, day: date, dollars: Decimal) -> list[LedgerEntry]:
    """A balance in a foreign currency is worth more in dollars than before."""
    document_id = f"FX-{world.ids.number('revaluation')}"
    sides = {kind: dollars, REVALUATION: -dollars}
    return post(world, document_id, account_id, "revaluation", day, sides, currency="USD")


def defer_by_hand(world: World, account_id: str, day: date, amount: Decimal) -> list[LedgerEntry]:
    """A journal at the end of a month that the first of the next one takes back."""
    document_id = f"JE-{world.ids.number('journal')}"
    made = post(world, document_id, account_id, "manual", day, {REVENUE: amount, DEFERRED: -amount})
    following = day + timedelta(days=1)
    back = post(world, f"{document_id}-R", account_id, "manual", following, {REVENUE: -amount, DEFERRED: amount})
    return [*made, *back]
