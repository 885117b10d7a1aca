"""What a form brings: read with a limit, from our own pages only."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from gateway.console.visit import AnyVisitDep, Visit
from gateway.errors import Refused

MOST_BYTES = 64 * 1024
MOST_FIELDS = 40
LONGEST_TEXT = 10_000
FORM_TOKEN = "form_token"
_FOREIGN = "This form did not come from a page of this console, or the page is too old. Load it again and repeat"

Choice = TypeVar("Choice", bound=StrEnum)


class Said:
    """The fields of a form. Texts come trimmed, without control characters."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = {name: _clean(value) for name, value in fields.items()}

    def text(self, name: str) -> str:
        """Empty where nothing was said. Refused where it is too long to be kept."""
        said = self._fields.get(name, "")
        if len(said) > LONGEST_TEXT:
            raise Refused(f"That is longer than {LONGEST_TEXT:,} characters. Shorten it, or attach it elsewhere.")
        return said

    def choice(self, name: str, options: type[Choice]) -> Choice | None:
        """One of the options; None where nothing, or none of them, was chosen."""
        said = self.text(name)
        return options(said) if said in set(options) else None

    def instant(self, name: str) -> datetime | None:
        """An instant in UTC; None where nothing was said. Refused where it is no instant."""
        said = self.text(name)
        if not said:
            return None
        try:
            at = datetime.fromisoformat(said)
        except ValueError:
            raise Refused(f"{said[:40]!r} is no date and time; write it as 2026-12-04T17:00.") from None
        return at.replace(tzinfo=at.tzinfo or UTC)

    def shown(self) -> Mapping[str, str]:
        """What was typed, to fill the form with again."""
        return {name: value for name, value in self._fields.items() if name != FORM_TOKEN}


async def own_form(request: Request, visit: AnyVisitDep) -> Said:
    """The fields of a form of ours. Raises 403 for one from elsewhere, 413 for a body that no form has."""
    if not _same_origin(request, visit):
        raise HTTPException(403, _FOREIGN)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"A form may bring {MOST_BYTES:,} bytes; this one brings more")
    fields = _fields(bytes(body))
    if not visit.sessions.is_own_form(visit.ticket, fields.get(FORM_TOKEN, "")):
        raise HTTPException(403, _FOREIGN)
    return Said(fields)


SaidDep = Annotated[Said, Depends(own_form)]


def _fields(body: bytes) -> dict[str, str]:
    try:
        text = body.decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError:
        raise HTTPException(422, "The form cannot be read; it is not what a browser sends") from None


def _same_origin(request: Request, visit: Visit) -> bool:
    """Browsers name the page's origin with every POST. Behind a proxy it is the public address."""
    origin = urlsplit(request.headers.get("origin", ""))
    public = urlsplit(visit.installed.config.public_url)
    own = {request.headers.get("host", ""), public.netloc}
    return origin.scheme in ("http", "https") and origin.netloc in own


def _clean(text: str) -> str:
    kept = text.replace("\r\n", "\n")
    return "".join(sign for sign in kept if sign in "\n\t" or sign.isprintable()).strip()
