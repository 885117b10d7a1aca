"""Reads owners.yaml."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gateway.owners.errors import OwnersError
from gateway.owners.model import Owners
from gateway.owners.names import unknown_names


def load(path: Path) -> Owners:
    """Read owners.yaml. OwnersError with a sentence per mistake, names that do not exist included."""
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OwnersError(f"There is no {path.name}. It says who owns what, and nothing works without it.") from None
    except yaml.YAMLError as error:
        raise OwnersError(f"{path.name} is not YAML: {error}") from error
    return parse(said, path.name)


def parse(said: Any, name: str = "owners.yaml") -> Owners:
    """The same from data that is already read."""
    try:
        owners = Owners.model_validate(said)
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
        raise OwnersError(f"{name} is not usable. " + "; ".join(lines)) from error
    mistakes = unknown_names(owners)
    if mistakes:
        raise OwnersError(f"{name} is not usable. " + " ".join(mistakes))
    return owners
