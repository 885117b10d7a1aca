"""The stories of a package: every module below it that tells some has them in `TALES`."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from sandbox.company.stories import Tale


def tales_below(package: ModuleType) -> tuple[Tale, ...]:
    """The tales of all modules, in the order of the modules' names."""
    return tuple(tale for module in _modules(package) for tale in getattr(module, "TALES", ()))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield import_module(found.name)
