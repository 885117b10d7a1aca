"""A notice as Slack Block Kit, within Slack's limits whatever the texts hold.

Documented limits: 50 blocks, header 150 characters, section text 3,000, section field 2,000, button text 75, URL
3,000. Undocumented: `msg_blocks_too_long` at about 13,200 characters over all blocks; MESSAGE_BUDGET stays below
that, counted on the JSON. Cases that do not fit are counted into "and N more", never dropped in silence.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from alerts import evidence, rendering
from alerts.message import CaseCard, Notice, Severity

Block = dict[str, Any]

MAX_BLOCKS = 50
MESSAGE_BUDGET = 12_000
HEADER = 150
FALLBACK = 3_000
LINK = 1_000
NOTHING = "–"

_MARKS: dict[Severity, str] = {"S1": "🔴", "S2": "🟠", "S3": "🟡", "S4": "⚪"}


def blocks(notice: Notice) -> list[Block]:
    """Header, context, the cases that fit, and the way to the rest."""
    shown = [_header(notice), _context(notice)]
    fitted = 0
    for card in notice.cases:
        longer = [*shown, {"type": "divider"}, *_case(card, notice)]
        if fitted and not _fits([*longer, *_footer(notice, fitted + 1)]):
            break
        shown, fitted = longer, fitted + 1
    return [*shown, *_footer(notice, fitted)]


def fallback(notice: Notice) -> str:
    """What a phone shows on its lock screen, and what a screen reader says first."""
    cards = [f"{card.reference} {rendering.impact(card)}, {card.account}" for card in notice.cases]
    text = f"{rendering.KINDS[notice.kind]}: {notice.headline} ({'; '.join(cards) or 'no case shown'})"
    return escaped(rendering.line(text, FALLBACK), FALLBACK)


def escaped(text: str, limit: int) -> str:
    """`text` with &, < and > as entities, at most `limit` characters, never cut inside an entity, never empty."""
    pieces = [_ENTITIES.get(character, character) for character in text]
    if sum(map(len, pieces)) > limit:
        pieces = [*_taken(pieces, limit - 1), "…"]
    return "".join(pieces) or NOTHING


_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _taken(pieces: Iterable[str], room: int) -> Iterable[str]:
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            return
        yield piece


def _fits(candidate: list[Block]) -> bool:
    return len(candidate) <= MAX_BLOCKS and size(candidate) <= MESSAGE_BUDGET


def size(candidate: list[Block]) -> int:
    """Characters of the blocks as JSON."""
    return len(json.dumps(candidate, ensure_ascii=False))


def _header(notice: Notice) -> Block:
    text = f"{rendering.KINDS[notice.kind]}: {notice.headline}"
    return {
        "type": "header",
        # Slack itself cannot drop a second copy; the mark lets a reader or a bot recognise one.
        "block_id": "notice-" + hashlib.sha256(notice.dedupe_key.encode("utf-8", "replace")).hexdigest()[:24],
        "text": _plain(text, HEADER),
    }


def _context(notice: Notice) -> Block:
    severity = f"{_MARKS[notice.severity]} *{notice.severity}* {rendering.SEVERITIES[notice.severity]}"
    owner = "Owner: " + _words(notice.owner_name, 200)
    due = ("First due: " if len(notice.cases) > 1 else "Due: ") + _words(
        rendering.first_due(notice.cases, notice.now), 200
    )
    return {"type": "context", "elements": [_mrkdwn(text) for text in (severity, owner, due)]}


def _case(card: CaseCard, notice: Notice) -> list[Block]:
    found = [_summary(card), _facts(card, notice)]
    if card.message.strip() or card.arithmetic.strip():
        found.append(_section(_explanation(card)))
    if card.confidence.strip():
        found.append({"type": "context", "elements": [_mrkdwn(f"_Confidence:_ {_words(card.confidence, 300)}")]})
    if card.rows:
        found.append(_section(_fenced(evidence.monospace(card.rows), 1_200)))
    if card.why.strip():
        found.append({"type": "context", "elements": [_mrkdwn(f"_Why it matters:_ {_words(card.why, 300)}")]})
    return found


def _summary(card: CaseCard) -> Block:
    reference, title = _words(card.reference, 40), _words(card.title, 150)
    amount, account = _words(rendering.impact(card), 80), _words(card.account, 120)
    news = f"  ·  _{_words(card.since_last, 80)}_" if card.since_last.strip() else ""
    block = _section(f"*{reference}*  {title}\n*{amount}*  ·  {account}{news}")
    if link := _link(card.link):
        block["accessory"] = _button(f"Open {card.reference}", link, "open_case")
    return block


def _facts(card: CaseCard, notice: Notice) -> Block:
    facts = {"Expected": card.expected, "Actual": card.actual}
    if len(notice.cases) > 1:
        facts["Due"] = rendering.due(card, notice.now)
    return {
        "type": "section",
        "fields": [_mrkdwn(f"*{name}*\n{_words(value, 200)}") for name, value in facts.items()],
    }


def _explanation(card: CaseCard) -> str:
    parts = [escaped(rendering.clean(card.message).strip(), 600)] if card.message.strip() else []
    if card.arithmetic.strip():
        parts.append(_fenced(rendering.clean(card.arithmetic).strip().split("\n"), 500))
    return "\n".join(parts)


def _fenced(lines: list[str], limit: int) -> str:
    """Monospace lines, whole ones as long as they fit, and how many are missing. A backtick would end the fence."""
    kept, room = [], limit
    for text in lines:
        shown = escaped(text.replace("`", "'"), 300)
        room -= len(shown) + 1
        if room < 0:
            break
        kept.append(shown)
    if left := len(lines) - len(kept):
        kept.append(f"… {left} more {'line' if left == 1 else 'lines'}")
    return "```" + "\n".join(kept) + "```"


def _footer(notice: Notice, fitted: int) -> list[Block]:
    found: list[Block] = []
    if left := notice.more + len(notice.cases) - fitted:
        found.append({"type": "context", "elements": [_mrkdwn(f"and *{left:,}* more in this group")]})
    if link := _link(notice.queue_url):
        found.append({"type": "actions", "elements": [_button("Open the queue", link, "open_queue")]})
    return found


def _words(text: str, limit: int) -> str:
    return escaped(rendering.line(text, limit), limit)


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": _words(text, limit), "emoji": False}


def _mrkdwn(text: str) -> Block:
    # verbatim: Slack makes no links, mentions or channel names out of what a source system wrote.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _button(text: str, url: str, action: str) -> Block:
    return {"type": "button", "text": _plain(text, 75), "url": url, "action_id": action}


def _link(url: str) -> str | None:
    """The URL, or None where Slack would refuse the whole message because of it."""
    return rendering.web_link(url) if len(url) <= LINK else None
