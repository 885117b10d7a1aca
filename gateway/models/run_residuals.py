"""What a day's invoices usually come to beyond what its schedule explains, learnt from up to 24 months.

The residual of a day is what was invoiced less what fell due, per billing system and currency
(checks/facts/run_totals.py). It has a level and a trend of its own on the first and the last day of a month, where it
also follows the month before, so that a lasting rise is no alarm for long; and a level per weekday. A least-squares
model of statsmodels learns those, in two passes, so that the restless first day of a month does not widen the band of
the others. The band is the prediction interval of the model.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from books.engine import Engine, Request
from checks.draft_integrity.run_total_anomaly import METRIC
from checks.facts.run_totals import totals
from checks.rule import Rule

MODEL = "statsmodels WLS: month's first and last day, month before, weekday, trend"
HISTORY = timedelta(days=731)
AHEAD = 14  # runs are asked about some days before their day
_CENT = Decimal("0.01")
_OF_A_KIND = 6  # fewer days of a kind share the spread of all
_LEARNT = 3  # what a kind has of its own: level, trend, last residual
_YEAR = 365.25


@dataclass(frozen=True)
class Day:
    """One day of history; `residual` in the currency of its series."""

    day: date
    residual: float


@dataclass(frozen=True)
class Band:
    """What the model expects of a day's residual, in the currency of its series."""

    day: date
    expected: Decimal
    low: Decimal
    high: Decimal


def bands(engine: Engine, rule: Rule, now: datetime) -> list[dict[str, Any]]:
    """Rows of `expected_bands` for today and the days ahead; none for a series with too little history.

    `engine` holds the books, `rule` is the check that compares. Today itself teaches nothing, so that the answer is the
    same all day.
    """
    today = now.astimezone(UTC).date()
    engine.ask(Request(now, today))
    fitted_at = datetime.combine(today, time(), UTC)
    wanted = [today + timedelta(days=n) for n in range(AHEAD + 1)]
    rows = []
    for (system, currency), history in sorted(_histories(engine, rule, today).items()):
        if len(history) >= rule.params.whole("least_days"):
            made = predicted(history, wanted, float(rule.params.decimal("false_alarms_per_mille")) / 1000)
            rows += [_row(system, currency, band, fitted_at) for band in made]
    return rows


def predicted(history: Sequence[Day], wanted: Sequence[date], alarms: float) -> Iterator[Band]:
    """The bands of the wanted days. `alarms`: the share of ordinary days that may fall outside, between 0 and 1."""
    # Imported where it is used: it takes a second, and most commands fit nothing.
    from statsmodels.regression.linear_model import OLS, WLS

    start = history[0].day
    last = {_kind(d.day): d.residual for d in history}
    ahead = [Day(day, last.get(_kind(day), 0.0)) for day in wanted]
    known, values = _design(_with_last(history), start), np.array([d.residual for d in history])
    told_apart = _independent(known)
    known = known[:, told_apart]
    spread = _spreads([_kind(d.day) for d in history], OLS(values, known).fit().resid)
    weights = np.array([1 / spread[_kind(d.day)] for d in history])
    fitted = WLS(values, known, weights=weights).fit()
    asked = np.array([1 / spread[_kind(day)] for day in wanted])
    told = fitted.get_prediction(_design(ahead, start)[:, told_apart], weights=asked).summary_frame(alpha=alarms)
    columns = (told["mean"], told["obs_ci_lower"], told["obs_ci_upper"])
    for day, expected, low, high in zip(wanted, *columns, strict=True):
        yield Band(day, _money(expected), _money(low), _money(high))


def _histories(engine: Engine, rule: Rule, today: date) -> Mapping[tuple[str, str], Sequence[Day]]:
    """The days before today with enough invoices, per system and currency, the earliest first."""
    made = rule.compiled_beside("run_totals", totals)
    for name, sql in made.relations.items():
        engine.define(name, sql)
    least, since = rule.params.whole("least_invoices"), today - HISTORY
    found: dict[tuple[str, str], list[Day]] = defaultdict(list)
    rows = engine.rows(
        f"SELECT * FROM ({made.sql}) WHERE day >= DATE '{since}' AND day < DATE '{today}' AND invoices >= {least} "
        "ORDER BY system, currency, day"
    )
    for row in rows:
        found[row["system"], row["currency"]].append(Day(row["day"], float(row["actual"] - row["scheduled"])))
    return found


def _kind(day: date) -> str:
    if day.day == 1:
        return "first"
    return "last" if (day + timedelta(days=1)).day == 1 else "other"


def _with_last(history: Iterable[Day]) -> Iterator[Day]:
    """Each day with the residual of the last day of its kind; the first of a kind has none, which counts as 0."""
    last: dict[str, float] = {}
    for day in history:
        yield Day(day.day, last.get(_kind(day.day), 0.0))
        last[_kind(day.day)] = day.residual


def _design(days: Iterable[Day], start: date) -> np.ndarray[Any, Any]:
    """One row per day, which comes with the residual of the last day of its kind.

    Level and trend of all days; level, trend and last residual of first days and of last days; the weekdays but
    Monday.
    """
    rows = []
    for one in days:
        years = (one.day - start).days / _YEAR
        kinds = [float(_kind(one.day) == kind) for kind in ("first", "last")]
        weekday = [float(one.day.weekday() == n) for n in range(1, 7)]
        rows.append([1.0, years, *(k * x for k in kinds for x in (1.0, years, one.residual)), *weekday])
    return np.array(rows)


def _independent(design: np.ndarray[Any, Any]) -> list[int]:
    """The columns that history can tell apart: it may have no invoices at month-ends, or none on Sundays."""
    kept: list[int] = []
    for n in range(design.shape[1]):
        if np.linalg.matrix_rank(design[:, [*kept, n]]) > len(kept):
            kept.append(n)
    return kept


def _spreads(kinds: Sequence[str], left: np.ndarray[Any, Any]) -> Mapping[str, float]:
    """The variance of what the first pass left, per kind of day. A cent squared is the least: none is exact."""
    of_all = max(float(np.mean(left**2)), float(_CENT) ** 2)
    spread = defaultdict(lambda: of_all)
    for kind in set(kinds):
        own = left[[k == kind for k in kinds]]
        if len(own) >= _OF_A_KIND:
            spread[kind] = max(float(np.sum(own**2)) / (len(own) - _LEARNT), float(_CENT) ** 2)
    return spread


def _money(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_CENT)


def _row(system: str, currency: str, band: Band, fitted_at: datetime) -> dict[str, Any]:
    return {
        "key": f"{METRIC}/{system}/{currency}/{band.day}",
        "metric": METRIC,
        "subject": system,
        "period_start": band.day,
        "period_end": band.day + timedelta(days=1),
        "expected": band.expected,
        "low": band.low,
        "high": band.high,
        "currency": currency,
        "model": MODEL,
        "fitted_at": fitted_at,
    }
