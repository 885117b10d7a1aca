"""YAML in which a key that stands twice is a mistake: the second would silently win."""

from pathlib import Path
from typing import Any

import yaml


def read(path: Path) -> Any:
    """What the file says. Raises OSError, UnicodeDecodeError, yaml.YAMLError."""
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> Any:
    """The same of a text. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=_OnceLoader)


class _OnceLoader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)
