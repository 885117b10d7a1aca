"""Selling: accounts, won opportunities, contracts with their lines, and what happens to contracts later."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

from sandbox.company.amounts import CURRENCIES, discounted, document, local_price
from sandbox.company.catalog import ONE_TIME, PRODUCTS, RECURRING, USAGE, Product
from sandbox.company.delivering import HOURS
from sandbox.company.model import (
    ACTIVATED,
    ADVANCE,
    ARREARS,
    EXPIRED,
    Account,
    Commit,
    Contact,
    Contract,
    ContractLine,
    Opportunity,
    Quote,
    QuoteLine,
    Uplift,
)
from sandbox.company.names import PEOPLE, PLACES, TAXES, TIME_ZONES
from sandbox.company.periods import add_months, months_between
from sandbox.company.tariffs import tariff
from sandbox.company.world import World

CLEAN_BATCH, BAD_BATCH, EARLY_BATCH = "Batch1", "Batch2", "Batch3"
_AGO = timedelta(hours=3)
_CURRENCY_WEIGHTS = (45, 25, 18, 12)
_SEGMENTS = ("Enterprise", "Mid-market", "Small business")


@dataclass(frozen=True)
class Step:
    """A later step of a ramp: so many months after the start, another quantity at another price."""

    after_months: int
    quantity: int
    price: Decimal


@dataclass(frozen=True)
class Terms:
    """What a line of a contract says. `months` is how often it bills, `price` None what was negotiated."""

    product: str
    quantity: int = 1
    price: Decimal | None = None
    months: int = 1
    timing: str = ADVANCE
    free_months: int = 0
    included: int | None = None
    overage_price: Decimal | None = None
    measure: str = "peak"
    billable: bool = True
    rolls_up: bool = False
    uplift: Uplift | None = None
    ramp: tuple[Step, ...] = ()
    commit: Commit | None = None
    by_list: bool = False


def _rule(lines: Sequence[Terms]) -> str | None:
    """How services are billed, where some were sold."""
    return "Time and Materials" if any(terms.product == HOURS for terms in lines) else None


class Deals:
    """Writes into the world; `rng` decides what a caller leaves open, `names` are used up one by one.

    `accounts` are those that it made, by their CRM ids.
    """

    def __init__(self, world: World, rng: Random, names: Iterator[str]) -> None:
        self.world = world
        self.rng = rng
        self._names = names
        self.accounts: list[str] = []

    def account(
        self, currency: str | None = None, bill_day: int = 1, batch: str = CLEAN_BATCH, *, is_test: bool = False
    ) -> Account:
        currency = currency or self.rng.choices(CURRENCIES, _CURRENCY_WEIGHTS)[0]
        tax_rate, tax_code = self.rng.choice(TAXES[currency])
        ids = self.world.ids
        number = ids.number("account number")
        account = Account(
            crm_id=ids.crm("account"),
            billing_id=ids.billing("account"),
            erp_id=ids.erp("customer", 1201),
            name=next(self._names) + (" (test)" if is_test else ""),
            number=f"A-{number:05d}",
            currency=currency,
            timezone=self.rng.choice(TIME_ZONES[currency]),
            terms_days=self.rng.choice((14, 30, 30, 30, 45, 60)),
            bill_day=bill_day,
            tax_rate=tax_rate,
            tax_code=tax_code,
            batch=batch,
            created_at=self._loaded_at(),
            is_test=is_test,
            segment=_SEGMENTS[number % len(_SEGMENTS)],
        )
        account = replace(account, bill_to=self._person(account, number))
        self.world.accounts[account.crm_id] = account
        self.accounts.append(account.crm_id)
        return account

    def sell(
        self,
        account: Account,
        start: date,
        term: int | None,
        lines: Sequence[Terms],
        *,
        closed: date | None = None,
        po_required: bool = False,
        auto_bills_overage: bool = True,
        renews: Contract | None = None,
        billing_rule: str | None = None,
        cap: Decimal | None = None,
        kind: str = "New Business",
    ) -> Contract:
        """A won opportunity with its quote and contract. `term` is in months, None for evergreen."""
        end = add_months(start, term) if term else None
        closed = closed or start - timedelta(days=self.rng.randint(4, 25))
        ids = self.world.ids
        signed = self.moment(closed, 0)
        number = ids.number("contract number")
        contract = Contract(
            crm_id=ids.crm("contract"),
            account_id=account.crm_id,
            number=f"{number:08d}",
            status=EXPIRED if end and end <= self.world.today else ACTIVATED,
            start=start,
            end=end,
            activated_at=min(signed + timedelta(minutes=self.rng.randint(40, 1_800)), self.world.now - _AGO),
            opportunity_id=ids.crm("opportunity"),
            quote_id=ids.crm("quote"),
            po_number=f"PO-{self.rng.randint(10_000, 99_999)}" if po_required or self.rng.random() < 0.3 else None,
            po_required=po_required,
            auto_bills_overage=auto_bills_overage,
            billing_rule=billing_rule or _rule(lines),
            cap=cap,
            renews=renews.crm_id if renews else None,
        )
        self.world.contracts[contract.crm_id] = contract
        sold = [self.line(contract, terms) for terms in lines]
        self._roll_up(lines, sold)
        for terms, line in zip(lines, sold, strict=True):
            if terms.ramp:
                self._ramp(contract, line, terms.ramp)
        self._won(contract, account, closed, signed, kind)
        return contract

    def _person(self, account: Account, number: int) -> Contact:
        """Who gets the account's invoices."""
        ids = self.world.ids
        name = PEOPLE[number % len(PEOPLE)]
        domain = "".join(filter(str.isalnum, account.name.lower()))
        street, city, postal_code, country = PLACES[account.currency][number % len(PLACES[account.currency])]
        email = f"{name.lower().replace(' ', '.')}@{domain}.example"
        return Contact(ids.crm("contact"), ids.billing("contact"), name, email, street, city, postal_code, country)

    def opportunity(
        self,
        account: Account,
        *,
        kind: str = "New Business",
        won: bool = False,
        closed: date | None = None,
        amount: Decimal | None = None,
    ) -> Opportunity:
        """An opportunity that became no contract."""
        made = Opportunity(
            self.world.ids.crm("opportunity"),
            account.crm_id,
            f"{account.name} {kind.lower()}",
            kind,
            "Closed Won" if won else "Closed Lost",
            won,
            True,
            closed or self.world.today - timedelta(days=self.rng.randint(20, 300)),
            document(Decimal(self.rng.randint(2_000, 60_000)), account.currency) if amount is None else amount,
            None,
        )
        self.world.opportunities[made.crm_id] = made
        return made

    def renewal(self, contract: Contract, stage: str, *, closed: bool = False) -> Opportunity:
        """The opportunity to renew a contract, which is at a stage and became no contract."""
        account = self.world.accounts[contract.account_id]
        made = replace(
            self.opportunity(account, kind="Renewal", closed=self.world.today - timedelta(days=9)),
            stage=stage,
            is_closed=closed,
            renews=contract.crm_id,
        )
        self.world.opportunities[made.crm_id] = made
        return made

    def moment(self, earliest: date, days: int) -> datetime:
        """A moment of office hours within `days` of a day."""
        day = earliest + timedelta(days=self.rng.randint(0, days))
        return datetime.combine(day, time(self.rng.randint(8, 17), self.rng.randint(0, 59)), UTC)

    def _loaded_at(self) -> datetime:
        """Most accounts came with the migration, the others by hand in the month before the first contracts."""
        by_hand = self.moment(self.world.first_day - timedelta(days=55), 20)
        return self.world.migrated_at if self.rng.random() < 0.6 else by_hand

    def line(
        self, contract: Contract, terms: Terms, start: date | None = None, quote_id: str | None = None
    ) -> ContractLine:
        """A line of a contract; `start` and `quote_id` where an amendment added it."""
        account = self.world.accounts[contract.account_id]
        product = PRODUCTS[terms.product]
        first = start or contract.start
        agreed = local_price(product.list_price, account.currency) if terms.by_list else terms.price
        price = agreed if agreed is not None else discounted(self.rng, product.list_price, account.currency)
        listed = tariff(product.code, account.currency)
        price = listed.steps[0].price if listed else price
        line = ContractLine(
            crm_id=self.world.ids.crm("subscription"),
            contract_id=contract.crm_id,
            quote_line_id=self.world.ids.crm("quote_line"),
            product_code=product.code,
            quantity=Decimal(terms.quantity),
            price=price,
            list_price=local_price(product.list_price, account.currency),
            charge_type=product.charge_type,
            billing_months=None if product.charge_type == ONE_TIME else terms.months,
            timing=ARREARS if product.charge_type == USAGE else terms.timing,
            start=first,
            end=contract.end,
            free_until=add_months(first, terms.free_months) if terms.free_months else None,
            included=Decimal(terms.included) if terms.included is not None else None,
            overage_price=terms.overage_price,
            measure=terms.measure if terms.included is not None else None,
            billable=terms.billable,
            commit=terms.commit,
            added_by=quote_id,
            uplift=terms.uplift,
            by_list=terms.by_list,
        )
        self.world.lines[line.crm_id] = line
        self._quoted(line, quote_id or contract.quote_id, product)
        return line

    def _ramp(self, contract: Contract, first: ContractLine, steps: Sequence[Step]) -> None:
        """Make a line the first step of a ramp. Each ends where the next one begins."""
        starts = [add_months(contract.start, step.after_months) for step in steps]
        made = [replace(first, step=1, end=starts[0])]
        for place, (step, start) in enumerate(zip(steps, starts, strict=True)):
            line = replace(
                first,
                crm_id=self.world.ids.crm("subscription"),
                quote_line_id=self.world.ids.crm("quote_line"),
                quantity=Decimal(step.quantity),
                price=step.price,
                start=start,
                end=starts[place + 1] if place + 1 < len(starts) else contract.end,
                step=place + 2,
                follows=first.crm_id,
            )
            made.append(line)
            self._quoted(line, contract.quote_id, PRODUCTS[line.product_code])
        for line in made:
            self.world.lines[line.crm_id] = line
        quoted = self.world.quote_lines[first.quote_line_id]
        self.world.quote_lines[quoted.crm_id] = replace(quoted, end=made[0].end)

    def _quoted(self, line: ContractLine, quote_id: str, product: Product) -> None:
        self.world.quote_lines[line.quote_line_id] = QuoteLine(
            line.quote_line_id, quote_id, product.code, line.quantity, None, line.price, line.start, line.end
        )

    def _roll_up(self, terms: Sequence[Terms], sold: Sequence[ContractLine]) -> None:
        """Components are billed with the line of their bundle."""
        bundles = {line.product_code: line.crm_id for line in sold}
        for said, line in zip(terms, sold, strict=True):
            parent = PRODUCTS[line.product_code].rollup
            if said.rolls_up and parent:
                self.world.lines[line.crm_id] = replace(line, rolls_up_to=bundles[parent])

    def _won(self, contract: Contract, account: Account, closed: date, signed: datetime, kind: str) -> None:
        amount = self._value(contract, account)
        self.world.opportunities[contract.opportunity_id] = Opportunity(
            contract.opportunity_id,
            account.crm_id,
            f"{account.name} {closed:%Y-%m}",
            kind,
            "Closed Won",
            True,
            True,
            closed,
            amount,
            contract.crm_id,
            contract.quote_id,
            contract.renews,
        )
        self.world.quotes[contract.quote_id] = Quote(
            contract.quote_id,
            f"Q-{self.world.ids.number('quote number'):05d}",
            account.crm_id,
            contract.opportunity_id,
            "Renewal" if contract.renews else "Quote",
            "Accepted",
            True,
            contract.renews,
            contract.start,
            contract.end,
            amount,
            signed,
        )

    def _value(self, contract: Contract, account: Account) -> Decimal:
        """What the contract is worth over its term; a year of it where it has no end. Usage is not counted."""
        total = Fraction(0)
        for line in self.world.lines_of(contract.crm_id):
            if line.charge_type == RECURRING:
                total += self._of_term(contract, account, line)
            elif line.charge_type == ONE_TIME:
                total += Fraction(line.quantity * line.price)
        return document(total, account.currency)

    def _of_term(self, contract: Contract, account: Account, line: ContractLine) -> Fraction:
        """What a recurring line comes to over its days, price by price."""
        end = line.end or add_months(contract.start, 12)
        days = [line.start, *(day for day in self.world.rises_of(line) if day < end), end]
        return sum(
            (
                Fraction(line.quantity * self.world.price_on(line, day)) * months_between(day, until, account.bill_day)
                for day, until in pairwise(days)
            ),
            Fraction(0),
        )
