"""The way from a signed request to a file of a files source.

The file's name comes from the idempotency key, or from the body where there is none, so that a repeat finds the file
that it made before. The file is durable before the sender hears that it was taken.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors import signed
from connectors.errors import ConnectorError, WebhookRefused
from connectors.files.connector import FilesConfig
from connectors.mapping import ObjectMapping
from connectors.object_store import Folder, matches, static_part
from connectors.registry import configured
from gateway.config import Source
from gateway.errors import NotFound, Refused, Unavailable
from gateway.inbox.content import as_lines
from gateway.installation import Installation
from gateway.source_settings import opened_with, variable

log = logging.getLogger(__name__)

SECRET = "inbox_secret"


@dataclass(frozen=True)
class Received:
    """What was taken: how many records, as which file of the source, and whether an earlier request brought it."""

    records: int
    file: str
    repeated: bool


class Inbox:
    """The inbox of one installation. Secrets come from the environment: `TIEOUT_<SOURCE>_INBOX_SECRET`."""

    def __init__(self, installed: Installation, environment: Mapping[str, str] | None = None) -> None:
        self._installed = installed
        self._environment = os.environ if environment is None else environment
        self._clock: Callable[[], datetime] = installed.clock

    def take(self, source: str, name: str, body: bytes, signature: str, idempotency_key: str | None) -> Received:
        """Keep the records of a request for the next poll.

        Raises NotFound for a source that takes nothing here, whatever the reason, and for an object that is not there;
        Refused for a source that takes no files or whose object takes no JSON Lines, for a wrong signature, a body that
        is no JSON, and a key that was used for another body; Unavailable where the folder cannot be written.
        """
        said = self._known(source, body, signature)
        if said.connector != "files":
            raise Refused(
                f"{source} is a {said.connector} source, and only files sources take records here.", "no-inbox"
            )
        mapped = self._object(source, name)
        lines, count = as_lines(body)
        path = _path(mapped, idempotency_key, body)
        try:
            repeated = _kept(self._folder(source, said), path, lines)
        except ConnectorError as error:
            raise Unavailable(f"What was sent could not be kept. {error}") from error
        return Received(count, path, repeated)

    def _known(self, source: str, body: bytes, signature: str) -> Source:
        """The source, for a sender who has its secret; strangers do not learn which sources there are."""
        said = self._installed.config.sources.get(source)
        secrets = self._environment.get(variable(source, SECRET), "").split()
        if said is None or not secrets:
            log.warning("Something was sent to the inbox of %r; it takes nothing until its secret is set.", source)
            raise NotFound("There is no such inbox.")
        try:
            signed.verify(signature, body, secrets, self._clock())
        except WebhookRefused as error:
            raise Refused(str(error), "signature-refused") from error
        return said

    def _object(self, source: str, name: str) -> ObjectMapping:
        objects = self._installed.mappings[source].objects
        if name not in objects:
            raise NotFound(f"The mapping of {source} has no object {name!r}; it has {', '.join(objects)}.")
        return objects[name]

    def _folder(self, source: str, said: Source) -> Folder:
        settings = opened_with(
            source, said.connector, said.settings, self._installed.config.folder, environment=self._environment
        )
        config = configured(said.connector, settings)
        assert isinstance(config, FilesConfig)
        return Folder(source, config.folder, config.endpoint_override, config.region)


def _path(mapped: ObjectMapping, key: str | None, body: bytes) -> str:
    """Where the file goes. Raises Refused where the object's pattern would not find it there."""
    named = b"key\n" + key.encode() if key else b"body\n" + body
    folder, pattern = static_part(mapped.options["pattern"]), mapped.options["pattern"]
    path = f"{folder}/" * bool(folder) + f"inbox-{hashlib.sha256(named).hexdigest()[:32]}.jsonl"
    if not matches(pattern, path):
        raise Refused(f"{mapped.name} reads {pattern}, and what is sent here becomes {path}.", "no-inbox")
    return path


def _kept(folder: Folder, path: str, lines: bytes) -> bool:
    """Write the file, unless it is there; returns whether it was. Raises Refused where it holds something else."""
    if folder.find(path) is None:
        folder.put(path, lines)
        return False
    with folder.translated(f"the file {path}"), folder.open(path) as file:
        same = file.size() == len(lines) and file.read() == lines
    if not same:
        raise Refused("This Idempotency-Key was used for another body. Send a new key.", "idempotency-conflict")
    return True
