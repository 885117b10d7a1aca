"""What a body says: one JSON object, an array of them, or JSON Lines; and the same as the lines of a file."""

import json
from typing import Any

from connectors.http import parsed
from gateway.errors import Refused


def as_lines(body: bytes) -> tuple[bytes, int]:
    """The records as JSON Lines, and how many there are. Fractions are texts, so that none becomes a float.

    Raises Refused (kind `body-not-json`), with line and position, for a body that is nothing of the three.
    """
    records = _records(_text(body))
    if not records:
        raise _refused("holds no record")
    return b"".join(_line(record) for record in records), len(records)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        position = error.start - body.rfind(b"\n", 0, error.start)
        raise _refused("is not UTF-8 text", line, position) from error


def _records(text: str) -> list[dict[str, Any]]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    # A first line that is a whole object, and is not the last, is what JSON Lines begin with.
    if len(lines) > 1 and _is_object(lines[0][1]):
        return [_object(_value(line, number), number) for number, line in lines]
    value = _value(text)
    return [_object(entry, 1) for entry in value] if isinstance(value, list) else [_object(value, 1)]


def _is_object(line: str) -> bool:
    try:
        return isinstance(parsed(line), dict)
    except (ValueError, RecursionError):
        return False


def _value(text: str, line: int = 1) -> Any:
    """The JSON value of a text that begins on that line."""
    try:
        return parsed(text)
    except json.JSONDecodeError as error:
        why = error.msg[:1].lower() + error.msg[1:]
        raise _refused(f"is not JSON: {why}", line + error.lineno - 1, error.colno) from error
    except (ValueError, RecursionError) as error:
        raise _refused(f"is not JSON: {error}", line, 1) from error


def _object(value: Any, line: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refused("holds something that is not a JSON object", line, 1)
    return value


def _line(record: dict[str, Any]) -> bytes:
    # ASCII, because JSON can spell half of a surrogate pair, which no encoding holds.
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _refused(what: str, line: int | None = None, position: int | None = None) -> Refused:
    where = "" if line is None else f" (line {line}, position {position})"
    return Refused(
        f"The body {what}{where}. Send one JSON object, an array of objects, or JSON Lines.", "body-not-json"
    )
