"""A notice as an e-mail: HTML and plain text from templates, and headers that hold threads together.

A notice that starts with a case refers to that case's thread, so everything said about EXC-12 is one conversation.
Only the first case: a References header with several ids would make mail clients join their threads for good. A
digest belongs to no thread.
"""

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from alerts import evidence, rendering
from alerts.message import Notice

SUBJECT = 180
ROWS_SHOWN = 25
TEMPLATES = Path(__file__).parent / "templates"


def compose(notice: Notice, sender: Address, recipient: Address) -> EmailMessage:
    """The whole message. The same notice gives the same Message-ID, so a second copy can be recognised."""
    message = EmailMessage()
    message["Subject"] = rendering.line(f"[{notice.severity}] {notice.headline}", SUBJECT)
    message["From"] = sender
    message["To"] = recipient
    message["Date"] = format_datetime(notice.now)
    message["Message-ID"] = _message_id("notice", notice.dedupe_key, sender)
    if notice.cases and notice.kind != "digest":
        thread = _message_id("case", notice.cases[0].reference, sender)
        message["In-Reply-To"] = thread
        message["References"] = thread
    # RFC 3834, and its Exchange counterpart: no out-of-office answers to a machine.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_rendered("notice.txt", notice))
    message.add_alternative(_rendered("notice.html", notice), subtype="html")
    return message


def _message_id(role: str, key: str, sender: Address) -> str:
    """An id that fits on one header line: the email package would encode a longer one, and threads would break."""
    digest = hashlib.sha256(f"{role}:{key}".encode("utf-8", "replace")).hexdigest()[:24]
    return f"<{digest}@{sender.domain[-36:].lstrip('.-')}>"


def _rendered(template: str, notice: Notice) -> str:
    return _environment().get_template(template).render(notice=notice)


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "impact": rendering.impact,
        "money": rendering.money,
        "money_kind": rendering.money_kind,
        "due": rendering.due,
        "instant": rendering.instant,
        "grid": evidence.grid,
        "monospace": evidence.monospace,
        "line": rendering.line,
        "shorten": rendering.shorten,
        "web_link": rendering.web_link,
    }
    found.globals |= {
        "kinds": rendering.KINDS,
        "severities": rendering.SEVERITIES,
        "first_due": rendering.first_due,
        "rows_shown": ROWS_SHOWN,
    }
    return found


def _cleaned(value: object) -> object:
    """Applied to every value that a template prints. Markup is a template's own output and stays as it is."""
    return rendering.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
