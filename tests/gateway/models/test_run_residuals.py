"""What the model of a run's residuals learns."""

from datetime import date, timedelta
from random import Random

from gateway.models.run_residuals import Band, Day, predicted

START = date(2025, 1, 1)
ALARMS = 0.001


def history(days: int = 699, seed: int = 1) -> list[Day]:
    """1,000 a day, and on the first of a month 50,000 that grow by 20,000 a year; the first days are restless too."""
    rng, made = Random(seed), []
    for n in range(days):
        day = START + timedelta(days=n)
        level, noise = (50_000 + 20_000 * n / 365.25, 3_000) if day.day == 1 else (1_000, 100)
        made.append(Day(day, level + rng.gauss(0, noise)))
    return made


def band(day: date, known: list[Day]) -> Band:
    (one,) = predicted(known, [day], ALARMS)
    return one


def test_the_first_of_a_month_is_compared_with_first_days_and_grows_as_they_do() -> None:
    first, other = band(date(2026, 12, 1), history()), band(date(2026, 12, 2), history())
    assert 82_000 < first.expected < 95_000
    assert first.low < 80_000 < 96_000 < first.high < 110_000
    assert 900 < other.expected < 1_100
    assert other.high - other.low < 1_000


def test_one_ordinary_day_in_a_thousand_is_outside() -> None:
    """Each of 266 later days, by the model of the days before them: one alarm is likely, three are not."""
    known, later = history(699, seed=3), history(965, seed=4)[699:]
    told = predicted(known, [d.day for d in later], ALARMS)
    outside = [b.day for b, d in zip(told, later, strict=True) if not float(b.low) <= d.residual <= float(b.high)]
    assert len(outside) <= 3


def test_a_lasting_rise_is_expected_once_it_has_been_seen() -> None:
    """From October on 40,000 more on each first day: December expects most of it."""
    known = [Day(d.day, d.residual + 40_000 * (d.day >= date(2026, 10, 1) and d.day.day == 1)) for d in history()]
    december = band(date(2026, 12, 1), known)
    assert december.low < 128_000 < december.high
    assert december.expected > 105_000


def test_the_same_history_gives_the_same_band_and_one_without_month_ends_gives_one() -> None:
    known = [day for day in history() if day.day.day < 28 and day.day.weekday() != 6]
    assert band(date(2026, 11, 30), known) == band(date(2026, 11, 30), list(known))
    assert band(date(2026, 11, 30), known).high > 1_000


def test_a_residual_that_never_varies_has_a_band_of_its_value() -> None:
    known = [Day(START + timedelta(days=n), 0.0) for n in range(80)]
    flat = band(date(2025, 4, 1), known)
    assert abs(flat.expected) < 1
    assert flat.low <= flat.expected <= flat.high
