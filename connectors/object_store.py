"""A folder on this machine or in an object store, named by a path or a URL: `s3://`, `gs://`, `abfss://`, `file://`.

Credentials come from where the store's own tools look for them (environment, profile, the machine's role), never from
the URL. No message repeats what the store's library said: it may quote a request with its signature.
"""

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.fs as pafs

from connectors.errors import ConnectorError, LoginRefused, PermanentError, TransientError

SCHEMES = ("s3", "gs", "abfss", "file")
CONNECT_S, REQUEST_S = 10.0, 60.0
# Words by which the stores' SDKs inside Arrow say that the credentials are the trouble; Arrow gives them no class.
_REFUSED = (
    *("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "INVALID_CLIENT_TOKEN", "HTTP status 403"),
    *("PERMISSION_DENIED", "UNAUTHENTICATED", "AuthenticationFailed", "AuthorizationFailure"),
)


@dataclass(frozen=True)
class Found:
    """A file: its path below the folder, its size in bytes, and its last change in nanoseconds since 1970."""

    path: str
    size: int
    changed_ns: int


class Folder:
    """One folder. Nothing is asked of the store before the first call.

    Raises PermanentError for a URL that cannot be used. `endpoint` and `region` are for S3 and what speaks like it.
    """

    def __init__(self, system: str, url: Path | str, endpoint: str = "", region: str = "") -> None:
        self.system = system
        self._url = checked_url(system, str(url))
        if (endpoint or region) and not self._url.startswith("s3://"):
            raise PermanentError(f"endpoint_override and region of {system} are for s3:// alone. Remove them.")
        self._endpoint = endpoint
        self._region = region

    def files(self, pattern: str) -> list[Found]:
        """The files whose path below the folder fits a glob pattern. Raises PermanentError where there is no folder."""
        start = static_part(pattern)
        deep = "/" in pattern[len(start) :].lstrip("/") or "**" in pattern
        with self.translated("the folder"):
            if self._info("").type != pafs.FileType.Directory:
                raise PermanentError(
                    f"The folder of {self.system} does not exist, or is empty in its object store, or cannot be read. "
                    "Correct the setting, or create it."
                )
            selector = pafs.FileSelector(self._path(start), allow_not_found=True, recursive=deep)
            infos = self.filesystem.get_file_info(selector)
        found = [self._found(info) for info in infos if info.type == pafs.FileType.File]
        return [file for file in found if matches(pattern, file.path)]

    def find(self, path: str) -> Found | None:
        """The file as it is now; None where it is gone."""
        with self.translated(f"the file {path}"):
            info = self._info(path)
        return self._found(info) if info.type == pafs.FileType.File else None

    def open(self, path: str) -> pa.NativeFile:
        """The file for reading at any place. Raises TransientError where it cannot be read now."""
        with self.translated(f"the file {path}"):
            return self.filesystem.open_input_file(self._path(path))

    def stream(self, path: str) -> pa.NativeFile:
        """The file for reading from its start to its end, with as few requests as that takes."""
        with self.translated(f"the file {path}"):
            return self.filesystem.open_input_stream(self._path(path), buffer_size=1 << 20)

    def below(self, path: str) -> "Folder":
        """A folder in this one."""
        url = f"{self._url.rstrip('/')}/{path}" if path else self._url
        return Folder(self.system, url, self._endpoint, self._region)

    def put(self, path: str, content: bytes) -> None:
        """Write a whole file, so that readers see all of it or nothing, and it outlives a crash that comes after."""
        with self.translated(f"the file {path}"):
            if isinstance(self.filesystem, pafs.LocalFileSystem):
                _put_locally(Path(self._path(path)), content)
            else:
                # An object appears when its upload is complete; a connection that breaks leaves nothing.
                with self.filesystem.open_output_stream(self._path(path)) as out:
                    out.write(content)

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """Errors of the store as ours. `what` stands in the message: the folder, or a file by its path below it."""
        try:
            yield
        except ConnectorError:
            raise
        except FileNotFoundError as error:
            raise TransientError(f"{self.system}: {what} went away while it was looked at.") from error
        except (OSError, pa.ArrowException) as error:
            raise self.failure(what, error) from None

    def failure(self, what: str, error: Exception) -> ConnectorError:
        """Our error for one of a library. Only its class is named: its text is not ours to repeat."""
        if isinstance(error, PermissionError) or any(word in str(error) for word in _REFUSED):
            return LoginRefused(
                f"{self.system}: {what} may not be read. Check the credentials and what they are allowed."
            )
        return TransientError(f"{self.system}: {what} could not be read ({type(error).__name__}).")

    @property
    def url(self) -> str:
        """The folder as a library for tables takes it: an absolute path or a URL."""
        return self.root if isinstance(self.filesystem, pafs.LocalFileSystem) else self._url

    @property
    def filesystem(self) -> pafs.FileSystem:
        return self._opened[0]

    @property
    def root(self) -> str:
        """The folder's path in its file system."""
        return self._opened[1]

    @cached_property
    def _opened(self) -> tuple[pafs.FileSystem, str]:
        scheme, _, rest = self._url.partition("://")
        if not rest:
            return pafs.LocalFileSystem(), str(Path(self._url).absolute())
        if scheme == "s3" and (self._endpoint or self._region):
            return _s3(self._endpoint, self._region), rest.rstrip("/")
        with self.translated("the folder"):
            filesystem, path = pafs.FileSystem.from_uri(self._url)
        return filesystem, path.rstrip("/")

    def _path(self, below: str) -> str:
        return f"{self.root}/{below}" if below else self.root

    def _info(self, below: str) -> pafs.FileInfo:
        (info,) = self.filesystem.get_file_info([self._path(below)])
        return info

    def _found(self, info: pafs.FileInfo) -> Found:
        return Found(info.path[len(self.root) :].lstrip("/"), info.size or 0, info.mtime_ns or 0)


def checked_url(system: str, url: str) -> str:
    """The path or URL. Raises PermanentError, without repeating it, for one that holds more than a place."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or (parts.username is not None and parts.scheme != "abfss")
    except ValueError:
        raise PermanentError(f"The folder of {system} is no URL.") from None
    if parts.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise PermanentError(f"The folder of {system} is neither a path nor a URL that begins with {known}.")
    if secret or parts.query or parts.fragment:
        raise PermanentError(
            f"The URL of the folder of {system} holds credentials or options. Give credentials in the environment, and "
            "options as settings."
        )
    return url


def static_part(pattern: str) -> str:
    """The folders at the beginning of a pattern that hold no wildcard: `errors` of `errors/*.jsonl`."""
    steps: list[str] = []
    for step in pattern.split("/")[:-1]:
        if any(character in step for character in "*?["):
            break
        steps.append(step)
    return "/".join(steps)


def matches(pattern: str, path: str) -> bool:
    """Whether a path fits a glob pattern, in which `**` stands for any number of folders."""
    return _matches(pattern.split("/"), path.split("/"))


def _matches(wanted: Sequence[str], steps: Sequence[str]) -> bool:
    if not wanted:
        return not steps
    if wanted[0] == "**":
        return any(_matches(wanted[1:], steps[n:]) for n in range(len(steps) + 1))
    return bool(steps) and fnmatchcase(steps[0], wanted[0]) and _matches(wanted[1:], steps[1:])


def _s3(endpoint: str, region: str) -> pafs.S3FileSystem:
    scheme, separator, host = endpoint.rpartition("://")
    return pafs.S3FileSystem(
        endpoint_override=host or None,
        scheme=scheme if separator else "https",
        region=region or None,
        connect_timeout=CONNECT_S,
        request_timeout=REQUEST_S,
    )


def _put_locally(path: Path, content: bytes) -> None:
    """Under another name first: the suffix is one that readers pass over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
