"""What a message that was posted to us has to say, whoever sent it, before anybody relies on it."""

from collections.abc import Mapping

from connectors.contract import Notified
from connectors.errors import UnreadableMessage

# A message says which records changed; it does not carry them. More keys than this are a bulk load, and a poll's work.
MOST_KEYS = 1_000
LONGEST_ID, LONGEST_KIND, LONGEST_NAME = 255, 255, 255


def notified(id_: object, kind: object, records: object) -> Notified:
    """The message, each key once and in order. Raises UnreadableMessage, with a sentence, for anything else.

    `records` is a table of keys by object name; a single key may stand without its list.
    """
    if not isinstance(records, Mapping):
        raise UnreadableMessage("The message has no table of records: keys by the name of their object.")
    found = {_text(name, "object name", LONGEST_NAME): _keys(keys) for name, keys in records.items()}
    if sum(map(len, found.values())) > MOST_KEYS:
        raise UnreadableMessage(f"The message names more than {MOST_KEYS:,} records. Send several.")
    said = {name: keys for name, keys in found.items() if keys}
    return Notified(_text(id_, "id", LONGEST_ID), _text(kind, "kind", LONGEST_KIND), said)


def _keys(said: object) -> tuple[str, ...]:
    listed = said if isinstance(said, list | tuple) else [said]
    return tuple(dict.fromkeys(_text(key, "key", LONGEST_NAME) for key in listed))


def _text(said: object, what: str, longest: int) -> str:
    """A text that PostgreSQL and a log can hold: whole numbers are taken for what they look like."""
    text = str(said) if type(said) is int else said
    if not isinstance(text, str) or not 0 < len(text.strip()) <= longest or not text.isprintable():
        raise UnreadableMessage(f"The message has no usable {what}: a text of at most {longest} printable characters.")
    return text.strip()
