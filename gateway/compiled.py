"""The SQL of checks, kept from one process to the next: making that of the whole catalogue takes many seconds.

It is kept where a user's caches are (`$XDG_CACHE_HOME`, or `~/.cache`), and may be deleted at any time.
"""

import logging
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from checks.rule import Compiled

log = logging.getLogger(__name__)

_READ = msgspec.json.Decoder(Compiled)
_OTHER_CODE_KEPT_S = 7 * 86_400


@dataclass(frozen=True)
class CompiledFolder:
    """A folder per state of the code, and a file per compiled check.

    A file that cannot be read is made again, and one that cannot be written is not kept.
    """

    path: Path

    @classmethod
    def of_user(cls) -> Self | None:
        """None for a user without a home. A relative `$XDG_CACHE_HOME` counts as none, as its standard says."""
        said = Path(os.environ.get("XDG_CACHE_HOME", ""))
        try:
            caches = said if said.is_absolute() else Path.home() / ".cache"
        except RuntimeError:
            return None
        return cls(caches / "tieout" / "compiled")

    def find(self, key: str) -> Compiled | None:
        try:
            return _READ.decode(self._file(key).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None

    def keep(self, key: str, made: Compiled) -> None:
        file = self._file(key)
        try:
            if not file.parent.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                self._forget_old()
            _write(file, msgspec.json.encode(made))
        except OSError as error:
            log.debug("What was compiled is not kept: %s", error)

    def _file(self, key: str) -> Path:
        return self.path / f"{key}.json"

    def _forget_old(self) -> None:
        """What code of other days made."""
        for folder in self.path.iterdir():
            with suppress(FileNotFoundError):  # another process was faster
                if time.time() - folder.stat().st_mtime > _OTHER_CODE_KEPT_S:
                    shutil.rmtree(folder, ignore_errors=True)


def _write(file: Path, content: bytes) -> None:
    """All of it or nothing: other processes read at any moment."""
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as whole:
        try:
            whole.write(content)
            whole.close()
            os.replace(whole.name, file)
        except OSError:
            Path(whole.name).unlink(missing_ok=True)
            raise
