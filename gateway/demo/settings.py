"""The simulated company's tieout.yaml: which of its systems is read as what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Usage that nobody owns is IT's case at once; it stops a run only where it is worth stopping one. The limit is in the
# currency of the estimate, and the company also sells in yen.
_HARMLESS = ["ALREADY_EXISTS until 2027-12-31 by sam"]
CHECKS: Mapping[str, Any] = {
    "usage_unmatched_account": {"settings": {"block_over": 1_000_000}},
    "error_queue_unowned": {"settings": {"ignored": _HARMLESS}},
    "error_queue_blocks_invoice": {"settings": {"ignored": _HARMLESS}},
}


@dataclass(frozen=True)
class System:
    """One source of the company. `files` are in a folder of its name; any other kind answers at a URL."""

    name: str
    connector: str
    mapping: str
    roles: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


SYSTEMS = (
    System("salesforce", "salesforce", "salesforce_cpq", ("crm",)),
    System("zuora", "zuora", "zuora", ("billing",)),
    System("netsuite", "netsuite", "netsuite", ("erp",), {"account_id": "1234567_SB1"}),
    System("metering", "files", "metering", ("usage", "seats")),
    System("collections", "files", "collections", ("collections",)),
    System("audit", "files", "audit", ("audit",)),
    System("shipping", "files", "shipping", ("shipping",)),
    System("services", "files", "services", ("work",)),
    System("reference", "files", "reference", ("reference",)),
    System("ledger", "files", "ledger", ("erp",)),
    System("migration", "files", "migration", ("legacy",)),
    System("integrations", "files", "integrations", ("integration",)),
)


def settings(folder: Path, urls: Mapping[str, str], public_url: str, mail: tuple[str, int]) -> dict[str, Any]:
    """The whole file; `urls` says where each system answers that is not read from `folder`/files/<name>."""
    return {
        "sources": {system.name: _source(system, folder, urls) for system in SYSTEMS},
        "checks": dict(CHECKS),
        "console": {"access": "open", "act_as": "maria"},
        "mail": {"host": mail[0], "port": mail[1], "sender": "tieout@example.com"},
        "state": str(folder / "state"),
        "books": str(folder / "books"),
        "public_url": public_url,
    }


def _source(system: System, folder: Path, urls: Mapping[str, str]) -> dict[str, Any]:
    is_files = system.connector == "files"
    where = {"folder": str(folder / "files" / system.name)} if is_files else {"base_url": urls[system.name]}
    return {
        "connector": system.connector,
        "roles": list(system.roles),
        "mapping": system.mapping,
        "settings": {**where, **system.settings},
        "freshness_minutes": 60,
        "every_minutes": 5,
    }
