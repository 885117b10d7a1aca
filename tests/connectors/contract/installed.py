"""An installation that reads one contract source: its tieout.yaml, its environment, and what its books must say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.registry import needs
from gateway.source_settings import variable
from tests.connectors.contract.source import ContractSource, Said
from tests.gateway.sync.systems import Reader, Row

SYSTEM = "source"


def settings_of(source: ContractSource, folder: Path, **more: object) -> dict[str, Any]:
    """What tieout.yaml says, and the mapping beside it. `more` is said of the source."""
    (folder / "mapping.yaml").write_text(source.mapping, encoding="utf-8")
    settings: dict[str, Any] = dict(source.settings())
    if "retries" in needs(source.kind):
        settings["retries"] = {"attempts": 3, "first_wait_s": 0.001, "budget_s": 30.0}
    said = {"connector": source.kind, "roles": ["crm"], "mapping": "mapping.yaml", "settings": settings, **more}
    return {"sources": {SYSTEM: said}, "books": "books", "state": "state"}


def environment_of(source: ContractSource) -> dict[str, str]:
    """The secrets, each under the name that the installation looks for."""
    return {variable(SYSTEM, key): value for key, value in source.secrets().items()}


def rows_of(reader: Reader) -> dict[tuple[str, str], Row]:
    """The published rows by entity and key, tombstones included; no key stands twice."""
    return {(entity, key): row for (_, entity, key), row in reader.published([SYSTEM]).items()}


def live(rows: Mapping[tuple[str, str], Row]) -> dict[tuple[str, str], Row]:
    return {place: row for place, row in rows.items() if not row["deleted"]}


def agrees(rows: Mapping[tuple[str, str], Row], source: ContractSource) -> None:
    """The live rows are the source's records, row for row and value for value."""
    truth = source.truth()
    assert {place: _told(row, truth.get(place, row)) for place, row in live(rows).items()} == truth


def _told(row: Row, columns: Said) -> Said:
    return {name: row[name] for name in columns}
