"""What a kind of connector is: its settings, its secrets, and how a source of it is opened.

Every package of `connectors/` that reads a system declares one `KIND`; `registry.py` lists them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.contract import Connector, RunSource, WebhookReader
from connectors.mapping import Mapping, ObjectMapping

Clock = Callable[[], datetime]


def without_cursor(mapped: ObjectMapping) -> bool:
    """Whether the mapping names no field by which changes can be found."""
    return mapped.modified is None


@dataclass(frozen=True)
class Kind:
    """One kind of source.

    `config` is a dataclass; its fields without a default must be given. `secrets` are those of its fields that come
    from the environment alone. `options` are the keys that only mappings of this kind may use. `absence_counts`:
    whether a record that is not there any more is gone; files bring only news. `reads_in_full`: whether every walk of
    an object hands over all its records, because nothing tells what changed. `open_runs` pulls invoice runs for
    validation, and `webhook` reads what the system posts to us; None where it has neither.
    """

    name: str
    config: type[Any]
    open: Callable[[Any, Mapping, Clock], Connector]
    secrets: tuple[str, ...] = ()
    options: frozenset[str] = frozenset()
    absence_counts: bool = True
    reads_in_full: Callable[[ObjectMapping], bool] = without_cursor
    open_runs: Callable[[Any, Mapping, Clock], RunSource] | None = None
    webhook: WebhookReader | None = None
