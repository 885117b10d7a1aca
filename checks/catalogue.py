"""The shipped checks, by id. A new check is a module and a line here."""

from collections.abc import Mapping

from checks.contract import Check

_SHIPPED: tuple[Check, ...] = ()

CATALOGUE: Mapping[str, Check] = {check.id: check for check in _SHIPPED}
