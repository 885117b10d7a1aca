"""The values of a mapped field no longer look as they did: empty, of a new kind, or of another size.

Why it matters: a field that has changed its meaning keeps its name and its type, so that no hand-over fails. What is
billed by it is wrong from that day on.

Usual cause: a page layout lost the field, a picklist got a new value that nothing maps, or a system began to send
cents, thousands or months where it sent something else.

How to fix: compare the records of the last days with older ones, correct the mapping or the source, and send the
affected records again. If the change is meant, enter it in the change calendar as an approval of this field.

What it is not: a change that the calendar announces, such as a product launch, a handful of records, or a field that
is filled more often than before.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from books.columns import Kind
from books.entities import ENTITIES
from books.money import product
from books.reading import ROLES, Books
from checks.arithmetic import fx
from checks.arithmetic.periods import days_later
from checks.contract import (
    Arithmetic,
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
)
from checks.errors import DeclarationError
from checks.facts import approved_changes
from checks.rows import candidates, collected

_NUMBERS = (Kind.MONEY, Kind.QUANTITY, Kind.PRICE, Kind.WHOLE)
_MOST_VALUES = 50  # a field with more is no set of which a new member would be news
_SHOWN = 20  # so many of the affected records are evidence
_EXACT = "decimal(38, 9)"
_OF = ("system", "entity", "column")
_WATCHED = (
    "billing invoice_lines.name",
    "billing invoice_lines.tax_code",
    "billing invoices.po_number",
    "billing subscription_lines.billing_months",
    "billing subscription_lines.unit_price",
    "crm contract_lines.charge_type",
    "crm contract_lines.unit_price",
    "usage usage_events.meter",
    "usage usage_events.subject",
    "usage usage_events.batch",
    "usage usage_events.quantity",
)


@dataclass(frozen=True)
class _Field:
    """A column of an entity, as the systems of a role fill it."""

    role: str
    entity: str
    column: str

    @classmethod
    def of(cls, said: str) -> "_Field":
        """From `role entity.column`. Raises DeclarationError for what the books do not have."""
        role, _, place = said.partition(" ")
        entity, _, column = place.partition(".")
        known = {one.name for one in ENTITIES[entity].own} if entity in ENTITIES else set()
        if role not in ROLES or column not in known:
            raise DeclarationError(f"The books hold no {said!r}; write `role entity.column`, such as {_WATCHED[0]!r}.")
        return cls(role, entity, column)

    @property
    def kind(self) -> Kind:
        return next(one.kind for one in ENTITIES[self.entity].own if one.name == self.column)


def find(books: Books, params: Params) -> ir.Table:
    """Fields that left their baseline, with the records of the last days that show it; one row per field and way."""
    rows = ibis.union(*(_rows(books, params, _Field.of(said)) for said in params.texts("fields")))
    kept = (*_OF, "key", "currency", "worth", "how", "says")
    drifted = [drift(rows, params).select(*kept) for drift in (_emptied, _renamed, _resized)]
    rows = ibis.union(*drifted)
    currency = params.text("currency")
    rows = rows.cross_join(books.request.select("today")).mutate(told=ibis.literal(currency))
    rows = rows.mutate(said_in=rows.currency.fill_null(currency))
    rated = fx.with_rate(books, rows, "said_in", "told", "today")
    of = [*_OF, "how"]
    place = ibis.row_number().over(group_by=[rated[name] for name in of], order_by=rated.key)
    rated = rated.mutate(place=place, value=fx.converted(rated.worth, rated.rate).fill_null(0))
    piece = rated.system + "/" + rated.entity + "/" + rated.key
    off = rated.group_by(*of).agg(
        key=rated.key.min(),
        today=rated.today.max(),
        says=rated.says.max(),
        records=rated.key.count(),
        affected=rated["value"].sum().cast("decimal(38, 8)"),
        seen=collected((rated.place < _SHOWN).ifelse(piece, ibis.null("string"))),
    )
    asked = off.mutate(object=off.entity, field=off["column"])
    announced = approved_changes.covering(
        books, asked, asked.today, params.whole("approval_days"), of=("entity", "column")
    )
    off = off.anti_join(announced, ["system", "entity", "column"])
    found = candidates(
        off.mutate(account_key=ibis.null("string"), currency=ibis.literal(currency), of=off.entity),
        "invoice_lines",
        "of",
        "column",
        "says",
        "records",
        subject=off.entity + "." + off["column"] + "/" + off.how,
        evidence=off.seen,
        affected=off.affected,
    )
    return found.mutate(entity=found["of"])


def _rows(books: Books, params: Params, one: _Field) -> ir.Table:
    """Records of the baseline and of the last days (`is_new`), by the source's stamp."""
    rows = books.table(one.entity, one.role).cross_join(books.request.select("today"))
    day = ibis.coalesce(rows.modified_at, rows.synced_at).cast("date")
    window, baseline = params.whole("window_days"), params.whole("baseline_days")
    first = days_later(rows.today, -window)
    said = rows[one.column]
    text = said if one.kind is Kind.TEXT else said.cast("string")
    text = (text.strip() == "").ifelse(ibis.null("string"), text)
    number = said.cast("float64").abs() if one.kind in _NUMBERS else ibis.null("float64")
    worth, currency = _worth(rows, one.entity)
    told = rows.select(
        "system",
        "key",
        entity=ibis.literal(one.entity),
        column=ibis.literal(one.column),
        is_known=day >= days_later(rows.today, -window - baseline),
        is_new=day >= first,
        is_text=ibis.literal(one.kind is Kind.TEXT),
        text=text,
        number=number,
        worth=worth,
        currency=currency,
    )
    return told.filter(told.is_known)


def _worth(rows: ir.Table, entity: str) -> tuple[ir.DecimalValue, ir.StringValue]:
    """What a record is about in money, and in which; nothing where it holds no amount."""
    match entity:
        case "invoices":
            worth = rows.total.cast(_EXACT)
        case "invoice_lines":
            worth = rows.amount.cast(_EXACT)
        case "subscription_lines" | "contract_lines":
            worth = product(rows.quantity, rows.unit_price)
        case _:
            worth = ibis.null(_EXACT)
    currency = rows.currency if "currency" in rows.columns else ibis.null("string")
    return worth.fill_null(0).cast(_EXACT), currency


def _counted(rows: ir.Table) -> ir.Table:
    """Per field: how many records there were before and are now, and how many of them are filled."""
    filled = rows.text.notnull()
    return rows.group_by(*_OF).agg(
        before=(~rows.is_new).sum().cast("float64"),
        now=rows.is_new.sum().cast("float64"),
        filled_before=(~rows.is_new & filled).sum().cast("float64"),
        filled_now=(rows.is_new & filled).sum().cast("float64"),
    )


def _emptied(rows: ir.Table, params: Params) -> ir.Table:
    """Empty records, where the share of these has risen by more than the band and more than chance would have it."""
    least = params.whole("min_records")
    count = _counted(rows).filter(lambda t: (t.before >= least) & (t.now >= least))
    was, is_now = 1 - count.filled_before / count.before, 1 - count.filled_now / count.now
    whole = 1 - (count.filled_before + count.filled_now) / (count.before + count.now)
    error = (whole * (1 - whole) * (1 / count.before + 1 / count.now)).sqrt()
    moved = count.filter(is_now - was > ibis.greatest(ibis.literal(params.whole("null_percent") / 100), 3 * error))
    share, before = _percent(1 - moved.filled_now / moved.now), _percent(1 - moved.filled_before / moved.before)
    told = moved.select(*_OF, says="is empty in " + share + " % of the records and was in " + before + " %")
    empty = rows.filter(rows.is_new & rows.text.isnull())
    return empty.inner_join(told, list(_OF)).mutate(how=ibis.literal("empty"))


def _percent(share: ir.FloatingValue) -> ir.StringValue:
    return (100 * share).round().cast("int64").cast("string")


def _renamed(rows: ir.Table, params: Params) -> ir.Table:
    """Records with a value that the baseline, which has a set of few, does not have."""
    least = params.whole("min_records")
    rows = rows.filter(rows.is_text & rows.text.notnull())
    known = rows.filter(~rows.is_new).select(*_OF, "text").distinct()
    sets = known.group_by(*_OF).agg(members=known.text.count()).filter(lambda t: t.members <= _MOST_VALUES)
    count = _counted(rows).filter(lambda t: (t.before >= least) & (t.now >= least))
    new = rows.filter(rows.is_new).semi_join(count.semi_join(sets, list(_OF)), list(_OF))
    new = new.anti_join(known, [*_OF, "text"])
    often = new.group_by(*_OF, "text").agg(n=new.key.count())
    joined = new.semi_join(often.filter(often.n >= params.whole("new_value_records")), [*_OF, "text"])
    first = joined.text.min().over(ibis.window(group_by=[joined[name] for name in _OF]))
    return joined.mutate(how=ibis.literal("values"), says="has values that it did not have, such as " + first)


def _resized(rows: ir.Table, params: Params) -> ir.Table:
    """Filled records, where the typical number of one currency has grown or shrunk many times."""
    least, scale = params.whole("min_records"), params.whole("scale")
    some = rows.filter(rows.number > 0).mutate(money=rows.currency.fill_null(""))
    size = some.group_by(*_OF, "money").agg(
        before=(~some.is_new).sum(),
        now=some.is_new.sum(),
        mean_before=some.number.mean(where=~some.is_new),
        mean_now=some.number.mean(where=some.is_new),
    )
    size = size.filter((size.before >= least) & (size.now >= least))
    moved = size.filter((size.mean_now >= size.mean_before * scale) | (size.mean_now * scale <= size.mean_before))
    joined = some.filter(some.is_new).inner_join(
        moved.select(*_OF, "money", has_grown=moved.mean_now > moved.mean_before), [*_OF, "money"]
    )
    grown = joined.has_grown.ifelse(f"is more than {scale} times", f"is less than one in {scale} of")
    return joined.mutate(how=ibis.literal("unit"), says="typically " + grown + " what it was: perhaps its unit changed")


CHECK = Check(
    id="field_mapping_drift",
    doc=__doc__,
    pattern=Pattern.MAPPING_DRIFT,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.REVOPS),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.EVERYTHING,
    needs=(
        Need("invoice_lines", "billing"),
        Need("invoices", "billing"),
        *(
            Need(entity, role).where_filled()
            for role, entity in (
                ("billing", "subscription_lines"),
                ("crm", "contract_lines"),
                ("usage", "usage_events"),
                ("audit", "approvals"),
            )
        ),
        *fx.NEEDS,
    ),
    settings=(
        Setting(
            "fields", _WATCHED, "Fields by which is billed, as `role entity.column`: a change of these costs money."
        ),
        Setting("window_days", 7, "The last week holds every weekday once."),
        Setting("baseline_days", 90, "A quarter before that holds month ends and a quarter's end."),
        Setting("min_records", 40, "Shares of fewer records are mostly chance."),
        Setting("null_percent", 10, "So many percent more may be empty: month ends and campaigns move it by a few."),
        Setting("new_value_records", 5, "A new value in fewer records is a typing mistake."),
        Setting("scale", 20, "The typical number may move so many times: cents for dollars is a hundred."),
        Setting("approval_days", 30, "How long an entry of the change calendar without an end explains a change."),
        Setting(
            "currency", "USD", "What the affected records are about is told in this currency, by the rates of the day."
        ),
    ),
    arithmetic=Arithmetic.of("affected", "0"),
    message="{column} of the {of} of {system} {says}; {records} records of about {amount} {currency} are affected.",
    find=find,
)
