"""From a candidate row to a finding: the terms are computed again with Decimal, and that decides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any

from books.money import PRECISION, cent, rounded
from checks.confidence import stated
from checks.contract import Check, Mode, MoneyKind, Outcome, Severity
from checks.errors import ArithmeticFault
from checks.findings import Evaluation, Finding, Later, Record, Waiting, WaitsFor
from checks.formula import Formula, Worked, plain

Row = Mapping[str, Any]
_SHOWN = Decimal("0.000001")  # how exactly a sum before rounding is printed


@dataclass(frozen=True)
class Bands:
    """Severity by size: an amount at or above a limit, in the reporting currency, is at least that severe.

    `rates` are units of reporting currency for one unit of each currency. A currency without a rate leaves
    the severity as the check declares it.
    """

    limits: Mapping[Severity, Decimal] = field(
        default_factory=lambda: {
            Severity.S1: Decimal(25_000),
            Severity.S2: Decimal(2_500),
            Severity.S3: Decimal(250),
        }
    )
    reporting_currency: str = "USD"
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def severity(self, declared: Severity, amount: Decimal, currency: str | None) -> Severity:
        """The more severe of what the check declares and what the amount alone would be."""
        rate = Decimal(1) if currency == self.reporting_currency else self.rates.get(currency or "")
        if rate is None:
            return declared
        reached = [band for band, limit in self.limits.items() if amount * rate >= limit]
        return min([declared, *reached])


def judge(check: Check, rows: Iterable[Row], known_until: datetime | None, now: datetime, bands: Bands) -> Evaluation:
    """Sort candidate rows into findings, rows that nobody can judge yet, and rows to look at again."""
    findings: list[Finding] = []
    waiting: list[Waiting] = []
    later: list[Later] = []
    for row in rows:
        if row["fails_from"] is not None and row["fails_from"] > now:
            later.append(Later(row["account_key"], WaitsFor.CLOCK, row["fails_from"]))
        elif known_until is not None and row["known_at"] is not None and row["known_at"] > known_until:
            waiting.append(_waiting(check, row, known_until))
            later.append(Later(row["account_key"], WaitsFor.WATERMARK, row["known_at"]))
        else:
            try:
                finding = _finding(check, row, now, bands)
            except ArithmeticFault as fault:
                waiting.append(_unjudged(row, str(fault)))
                continue
            if finding is not None:
                findings.append(finding)
    findings.sort(key=lambda f: (f.subject, f.period[0] or date.min, f.record))
    if findings:
        return Evaluation(check, Outcome.FAILED, None, tuple(findings), tuple(waiting), tuple(later))
    if waiting:
        return Evaluation(check, Outcome.NOT_EVALUATED, waiting[0].reason, (), tuple(waiting), tuple(later))
    return Evaluation(check, Outcome.PASSED, None, (), (), tuple(later))


def _finding(check: Check, row: Row, now: datetime, bands: Bands) -> Finding | None:
    worked = {name: work(row) for name, work in sorted(check.worked.items())}
    terms = _terms(check, row, worked)
    currency = row["currency"]
    exact = _exact(check, terms)
    expected, actual, amount = (_document(exact[name], currency) for name in ("expected", "actual", "amount"))
    if check.tolerance is not None and check.tolerance.allows(amount, expected):
        return None
    sure = stated(row)
    kind = check.negative_kind if amount < 0 and check.negative_kind else row.get("kind") or check.kind
    return Finding(
        check=check.id,
        version=check.version,
        severity=bands.severity(Severity(row.get("severity") or check.severity), abs(amount), currency),
        mode=check.mode if check.mode_is_set else Mode(row.get("mode") or check.mode),
        scope=check.scope,
        kind=MoneyKind(kind),
        owners=check.owners,
        record=Record(row["system"], row["entity"], row["key"]),
        account_key=row["account_key"],
        subject=row["subject"],
        period=(row["period_start"], row["period_end"]),
        expected=expected,
        actual=actual,
        amount=abs(amount),
        currency=currency,
        terms={**terms, **{f"{name}_{term}": n for name, work in worked.items() for term, n in work.terms.items()}},
        arithmetic=_arithmetic(check, terms, worked, exact, amount),
        message=_message(check, row, terms, expected, actual, abs(amount)),
        evidence=tuple(dict.fromkeys(Record.parse(text) for text in row["evidence"] if text)),
        invoice_key=row["invoice_key"],
        line_key=row["line_key"],
        fails_from=row["fails_from"] or now,
        confidence=sure.value,
        confidence_reasons=sure.reasons,
    )


def _waiting(check: Check, row: Row, known_until: datetime) -> Waiting:
    need = check.absent_from
    assert need is not None, "only a check that claims absence has rows that wait"
    reason = (
        f"{row['system']} {row['entity']} {row['key']} was changed at {row['known_at']:%Y-%m-%d %H:%M} UTC; "
        f"{need.entity} in the role {need.role} can be relied on up to {known_until:%Y-%m-%d %H:%M} UTC."
    )
    return _unjudged(row, reason)


def _unjudged(row: Row, reason: str) -> Waiting:
    return Waiting(row["account_key"], Record(row["system"], row["entity"], row["key"]), row["invoice_key"], reason)


def _exact(check: Check, terms: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Expected, actual and amount before rounding."""
    exact = {"expected": check.arithmetic.expected.value(terms), "actual": check.arithmetic.actual.value(terms)}
    return {**exact, "amount": check.arithmetic.amount.value({**terms, **exact})}


def _terms(check: Check, row: Row, worked: Mapping[str, Worked]) -> dict[str, Decimal]:
    terms: dict[str, Decimal] = {}
    for name in sorted(check.arithmetic.names()):
        value = worked[name].value if name in worked else row[name]
        if value is None:
            raise ArithmeticFault(f"{check.id}: {row['entity']} {row['key']} of {row['system']} has no {name}.")
        terms[name] = Decimal(value)
    return terms


def _document(value: Decimal, currency: str | None) -> Decimal:
    return rounded(value, currency) if currency else value.quantize(cent(""))


def _arithmetic(
    check: Check,
    terms: Mapping[str, Decimal],
    worked: Mapping[str, Worked],
    exact: Mapping[str, Decimal],
    amount: Decimal,
) -> str:
    """`expected = quantity * unit_price = 500 × 40 = 20,000; actual = …; amount = …`: each formula with its numbers.

    Terms that are sums of their own come first: `rated = 100 × 0 + 30 × 2 = 60`.
    """
    known = {**terms, **{name: _printable(value) for name, value in exact.items()}}
    parts = [
        ("expected", check.arithmetic.expected, known["expected"]),
        ("actual", check.arithmetic.actual, known["actual"]),
        ("amount", check.arithmetic.amount, amount),
    ]
    sums = [f"{name} = {work.formula.shown(work.terms)} = {plain(work.value)}" for name, work in worked.items()]
    return "; ".join([*sums, *(_equation(name, formula, known, value) for name, formula, value in parts)])


def _printable(value: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = PRECISION
        return value.quantize(_SHOWN)


def _equation(name: str, formula: Formula, known: Mapping[str, Decimal], value: Decimal) -> str:
    steps = (name, formula.text, formula.shown(known), plain(value))
    return " = ".join(text for text, before in zip(steps, ("", *steps), strict=False) if text != before)


def _message(
    check: Check, row: Row, terms: Mapping[str, Decimal], expected: Decimal, actual: Decimal, amount: Decimal
) -> str:
    numbers = {name: value for name, value in row.items() if isinstance(value, Decimal)}
    shown = {name: plain(value) for name, value in {**numbers, **terms}.items()}
    figures = {"expected": f"{expected:,f}", "actual": f"{actual:,f}", "amount": f"{amount:,f}"}
    return check.message.format(**{**row, **shown, **figures})
