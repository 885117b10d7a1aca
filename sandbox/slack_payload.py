"""Whether Slack would take the body of an incoming-webhook post, by the limits of its Block Kit reference."""

from collections.abc import Iterator
from typing import Any

MAX_BLOCKS = 50
BLOCK_FIELDS = {
    "actions": {"elements"},
    "context": {"elements"},
    "divider": set[str](),
    "header": {"text"},
    "image": {"image_url", "alt_text", "title"},
    "rich_text": {"elements"},
    "section": {"text", "fields", "accessory", "expand"},
}
# Observed, not documented: msg_blocks_too_long from about this many characters over all texts of a message.
MESSAGE_TEXT = 13_000


def refusal(payload: object) -> str | None:
    """The word that Slack would answer with status 400, or None when it would take the post."""
    if not isinstance(payload, dict):
        return "invalid_payload"
    text, blocks = payload.get("text"), payload.get("blocks")
    if not isinstance(text, str | None) or not isinstance(blocks, list | None):
        return "invalid_payload"
    if not text and not blocks:
        return "no_text"
    return "invalid_blocks" if next(faults(blocks or []), None) else None


def faults(blocks: list[Any]) -> Iterator[str]:
    """Every rule that the blocks break, in words."""
    if len(blocks) > MAX_BLOCKS:
        yield f"{len(blocks)} blocks, {MAX_BLOCKS} allowed"
    named = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(named) != len(set(named)):
        yield "a block_id is used twice"
    for block in blocks:
        yield from _block_faults(block)
    if sum(_text_length(block) for block in blocks) > MESSAGE_TEXT:
        yield "the blocks hold too much text"


def _block_faults(block: Any) -> Iterator[str]:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind not in BLOCK_FIELDS:
        yield f"unknown block {kind!r}"
        return
    if unknown := set(block) - BLOCK_FIELDS[kind] - {"type", "block_id"}:
        yield f"{kind} knows no {sorted(unknown)}"
    if not 0 < len(block.get("block_id", "x")) <= 255:
        yield "block_id has 1 to 255 characters"
    if kind == "header":
        yield from _text_faults(block.get("text"), 150, {"plain_text"})
    elif kind == "section":
        yield from _section_faults(block)
    elif kind == "context":
        yield from _context_faults(block.get("elements"))
    elif kind == "actions":
        yield from _actions_faults(block.get("elements"))


def _section_faults(block: dict[str, Any]) -> Iterator[str]:
    fields = block.get("fields")
    if "text" not in block and not fields:
        yield "a section has a text or fields"
    if "text" in block:
        yield from _text_faults(block["text"], 3000, {"plain_text", "mrkdwn"})
    if fields is not None and not 1 <= len(fields) <= 10:
        yield "a section has 1 to 10 fields"
    for field in fields or []:
        yield from _text_faults(field, 2000, {"plain_text", "mrkdwn"})
    if "accessory" in block:
        yield from _button_faults(block["accessory"])


def _context_faults(elements: Any) -> Iterator[str]:
    if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
        yield "a context has 1 to 10 elements"
        return
    for element in elements:
        if not (isinstance(element, dict) and element.get("type") == "image"):
            yield from _text_faults(element, 3000, {"plain_text", "mrkdwn"})


def _actions_faults(elements: Any) -> Iterator[str]:
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25:
        yield "actions have 1 to 25 elements"
        return
    for element in elements:
        yield from _button_faults(element)


def _button_faults(element: Any) -> Iterator[str]:
    if not isinstance(element, dict) or element.get("type") != "button":
        yield "only buttons are known here"
        return
    yield from _text_faults(element.get("text"), 75, {"plain_text"})
    url = element.get("url", "https://example.com/")
    if len(url) > 3000 or not url.startswith(("https://", "http://")):
        yield "a button's url is an http or https URL of at most 3000 characters"
    if len(element.get("action_id", "")) > 255 or len(element.get("value", "")) > 2000:
        yield "action_id has at most 255 characters, value at most 2000"


def _text_faults(text: Any, limit: int, kinds: set[str]) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in kinds or not isinstance(text.get("text"), str):
        yield f"a text of type {' or '.join(sorted(kinds))} is wanted"
        return
    if not text["text"].strip() or len(text["text"]) > limit:
        yield f"a text has 1 to {limit} characters"
    wrong = "emoji" if text["type"] == "mrkdwn" else "verbatim"
    if wrong in text:
        yield f"{text['type']} knows no {wrong}"


def _text_length(part: Any) -> int:
    if isinstance(part, dict):
        own = part.get("text")
        return (len(own) if isinstance(own, str) else 0) + sum(map(_text_length, part.values()))
    return sum(map(_text_length, part)) if isinstance(part, list) else 0
