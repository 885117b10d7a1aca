"""In many contracts at once the CRM's value and billing's differ by the same factor: a year, or the term.

Why it matters: no single contract is wrong, so nobody is asked. But reports that hold one figure against the other are
off by a factor of twelve, and whatever is computed from the value, a commission or a credit limit, is off with it.

Usual cause: one of the fields was filled by another definition than the dictionary declares: the value of a year or
of a month in place of the whole term, after a change of an integration or of a price book.

How to fix: decide which definition holds, write it in the data dictionary, and fill the field again where it differs.

What it is not: a single contract that differs, a ramp or a part of a term (their factor is one of their own), contracts
with one-time charges, or two definitions that the dictionary declares to be different.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.contract import (
    Arithmetic,
    Basis,
    Check,
    Mode,
    MoneyKind,
    Need,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import subscribed
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, reference, some

KEY = ("currency", "factor")
_MONEY = "decimal(38, 4)"
_SHOWN = 25


def find(books: Books, params: Params) -> ir.Table:
    """One row per currency and factor that enough contracts share; the first of them is the record."""
    pair = _classed(_pairs(books, params), float(params.decimal("nearness")))
    pair = pair.filter(pair.factor.notnull())
    order = ibis.window(group_by=[pair[name] for name in KEY], order_by=pair.key)
    pair = pair.mutate(place=ibis.row_number().over(order))
    shown = pair.place < _SHOWN
    none = ibis.null("string")
    off = pair.group_by(KEY).agg(
        system=pair.system.first(order_by=pair.key),
        key=pair.key.min(),
        contracts=pair.count(),
        stated=pair.stated.sum().cast(_MONEY),
        held=pair.held.sum().cast(_MONEY),
        agreed=collected(shown.ifelse(reference(pair.system, "contracts", pair.key), none)),
        billed=collected(shown.ifelse(reference(pair.s_system, "subscriptions", pair.s_key), none)),
    )
    off = off.filter(off.contracts >= params.whole("min_contracts"))
    return candidates(
        off.mutate(account_key=ibis.null("string")),
        "contracts",
        "contracts",
        "factor",
        subject=off.currency + "/" + off.factor,
        evidence=some(off.agreed).concat(some(off.billed)),
        stated=off.stated,
        held=off.held,
    )


def _pairs(books: Books, params: Params) -> ir.Table:
    """Contracts with a term and their subscriptions; both values as the whole term's, by the declared definitions."""
    meaning = {copy.role: copy.basis for copy in params.attribute("contract_value").copies}
    contract = of_customers(books, books.table("contracts", "crm"))
    contract = contract.filter(contract.contract_value.notnull() & (contract.term_months > 0))
    held = subscribed.current(books).select(
        s_system="system", s_key="key", s_contract="contract_key", s_value="contract_value", s_currency="currency"
    )
    pair = contract.inner_join(held, [contract.key == held.s_contract, contract.currency == held.s_currency])
    pair = pair.filter((pair.contract_value != 0) & (pair.s_value != 0))
    months = pair.term_months
    return pair.select(
        "system",
        "key",
        "currency",
        "s_system",
        "s_key",
        months=months,
        stated=_of_the_term(pair.contract_value, meaning.get("crm"), months),
        held=_of_the_term(pair.s_value, meaning.get("billing"), months),
    )


def _of_the_term(value: ir.DecimalValue, basis: Basis | None, months: ir.IntegerValue) -> ir.DecimalValue:
    """What a value comes to over the whole term."""
    whole = value.cast(_MONEY)
    if basis is Basis.MRR:
        return product(value, months.cast("decimal(18, 0)")).cast(_MONEY)
    if basis is Basis.ACV:
        of_years = product(value, months.cast("decimal(18, 0)")).cast("float64") / 12
        return of_years.cast(_MONEY)
    return whole


def _classed(pair: ir.Table, nearness: float) -> ir.Table:
    """With `factor` in words, null where the two agree or differ by another factor."""
    ratio = pair.stated.cast("float64") / pair.held.cast("float64")
    years, months = pair.months.cast("float64") / 12, pair.months.cast("float64")

    def near(factor: ir.FloatingValue) -> ir.BooleanValue:
        return (ratio / factor - 1).abs() <= nearness

    # The years of a term of fourteen months are nearly one: such a factor proves nothing.
    whole = pair.months % 12 == 0
    return pair.mutate(
        factor=ibis.cases(
            (near(ibis.literal(1.0)), ibis.null("string")),
            (near(ibis.literal(12.0)), "times twelve"),
            (near(ibis.literal(1 / 12)), "divided by twelve"),
            (whole & near(years), "times the years of the term"),
            (whole & near(1 / years), "divided by the years of the term"),
            (near(months), "times the months of the term"),
            (near(1 / months), "divided by the months of the term"),
            else_=ibis.null("string"),
        )
    )


CHECK = Check(
    id="contract_value_definition_mismatch",
    doc=__doc__,
    pattern=Pattern.MAPPING_DRIFT,
    severity=Severity.S2,
    owners=(Owner.REVOPS, Owner.IT),
    mode=Mode.MONITOR,
    scope=Scope.RUN,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.EVERYTHING,
    needs=(Need("contracts", "crm"), Need("subscriptions", "billing"), *CUSTOMER_NEEDS),
    settings=(
        Setting("min_contracts", 5, "So many contracts with the same factor are no accident."),
        Setting("nearness", "0.005", "How near to the factor a ratio must be: rounding moves it by less."),
    ),
    tolerance=Tolerance(),
    arithmetic=Arithmetic.of("stated", "held"),
    message=(
        "{contracts} contracts in {currency} are worth {stated} by the CRM and {held} by billing over their terms: the "
        "CRM's value is billing's {factor}, in every one of them."
    ),
    find=find,
)
