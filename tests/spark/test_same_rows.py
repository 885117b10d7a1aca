"""Every check returns the same rows from Spark as from the embedded engine, over the labelled company."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from books.engine import Engine, Request
from books.spark_engine import SparkEngine, session
from checks.catalogue import CATALOGUE
from checks.ruleset import Ruleset
from gateway.demo.shortcut import Shortcut, unconnected
from sandbox.company import NOW, sites

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]
ACCOUNTS = 240
QUIET = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


@dataclass
class Both:
    """The same books on both engines; a relation that checks share is worked out once on each."""

    rules: Ruleset
    engines: tuple[Engine, SparkEngine]
    known: set[tuple[str, str]] = field(default_factory=set)

    def rows(self, check: str) -> list[Counter[tuple[Any, ...]]]:
        return [self._asked(engine, check) for engine in self.engines]

    def _asked(self, engine: Engine | SparkEngine, check: str) -> Counter[tuple[Any, ...]]:
        made = self.rules.rules[check].compiled_for(engine.dialect)
        for name, sql in made.relations.items():
            if (engine.dialect, name) not in self.known:
                engine.define(name, sql)
                self.known.add((engine.dialect, name))
        return Counter(_said(row) for row in engine.rows(made.sql))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    pytest.importorskip("pyspark")
    folder: Path = tmp_path_factory.mktemp("company")
    installed = unconnected(folder, NOW)
    shortcut = Shortcut(installed, folder)
    for company in sites(7, ACCOUNTS, defects=True):
        shortcut.load(company)
    snapshot = shortcut.publish()
    spark = session("local[2]", QUIET)
    try:
        with Engine.over(installed.store, snapshot) as embedded:
            engines = (embedded, SparkEngine.over(installed.store, snapshot, spark))
            for engine in engines:
                engine.ask(Request(NOW, NOW.date()))
            yield Both(installed.ruleset, engines)
    finally:
        spark.stop()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CATALOGUE)
def test_the_same_rows(both: Both, check: str) -> None:
    embedded, distributed = both.rows(check)
    assert distributed == embedded


def _said(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row whose numbers count by their value, whatever their type; evidence has no order, and none is none."""
    return tuple(_plain(row[name]) for name in sorted(row))


def _plain(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int() | Decimal():
            return Decimal(value).normalize()
        case datetime():
            return value.astimezone(UTC)
        case list():
            return tuple(sorted((_plain(one) for one in value if one is not None), key=repr)) or None
        case dict():
            return tuple((name, _plain(one)) for name, one in sorted(value.items()))
    return value
