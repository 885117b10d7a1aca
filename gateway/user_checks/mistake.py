"""What is wrong with a file of the folder, where, and what to do."""

from pathlib import Path

from gateway.errors import ConfigError


class Mistake(ConfigError):
    """One sentence or more about one file; `line` counts from 1 and is None where no line can be named."""

    def __init__(self, path: Path, line: int | None, text: str) -> None:
        place = str(path) if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: {' '.join(text.split())}")
