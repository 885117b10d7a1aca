import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser
from html.parser import HTMLParser
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.email import EmailChannel, mailbox
from alerts.errors import PermanentError, TransientError
from alerts.letter import compose
from alerts.message import CaseCard, EvidenceRow, Notice
from sandbox.smtp_sink import Command, ReceivedMessage, SmtpSink

SENDER = "Tieout <tieout@example.com>"
OWNER = "Ada Osei <ada@example.com>"


def channel(sink: SmtpSink, recipient: str = OWNER, timeout: float = 5) -> EmailChannel:
    return EmailChannel(sink.host, sink.port, SENDER, recipient, timeout=timeout)


def part(message: ReceivedMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    text = found.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


def test_the_envelope_and_headers_are_those_of_a_machine(smtp: SmtpSink, notice: Notice) -> None:
    receipt = channel(smtp).send(notice)
    [message] = smtp.wait_for(1)
    assert (message.mail_from, message.rcpt_tos) == ("tieout@example.com", ("ada@example.com",))
    assert message["Subject"] == "[S2] Northwind & Söhne: 1,200.00 USD of seats not billed"
    assert (message["From"], message["To"]) == (SENDER, OWNER)
    assert message["Date"].datetime == notice.now
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == receipt.reference
    assert message.get_content_type() == "multipart/alternative"
    assert message.defects == []


def test_the_text_part_reads_without_html(smtp: SmtpSink, notice: Notice) -> None:
    channel(smtp).send(notice)
    text = part(smtp.wait_for(1)[0], "plain")
    assert "Due:       Sat 28 Nov 2026, 17:05 UTC (in 1 d 2 h)" in text
    assert "1,200.00 USD never billed, Northwind & Söhne <EMEA>" in text
    assert "  (530 - 500) seats × 40.00 USD = 1,200.00 USD" in text
    assert "  zuora       A-S00012                 500       40.00\n" in text
    assert "Open EXC-12: https://tieout.example.com/exceptions/EXC-12" in text
    assert "And 3 more in this group." in text
    assert "\n\n\n\n" not in text


class Page(HTMLParser):
    """What a reader of the page sees and can click, and whether every tag is closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(" ".join(data.split()))


def test_a_group_names_the_first_deadline_and_each_of_them(smtp: SmtpSink, notice: Notice, card: CaseCard) -> None:
    later = replace(card, reference="EXC-13", due_at=notice.now + timedelta(days=3))
    channel(smtp).send(replace(notice, cases=(later, card)))
    [message] = smtp.wait_for(1)
    assert "First due: Sat 28 Nov 2026, 17:05 UTC (in 1 d 2 h)" in part(message, "plain")
    for kind in ("plain", "html"):
        assert part(message, kind).count("Sat 28 Nov 2026, 17:05 UTC (in 1 d 2 h)") == 2
        assert part(message, kind).count("Mon 30 Nov 2026, 15:00 UTC (in 3 d)") == 1


def test_the_html_part_shows_the_same_facts(smtp: SmtpSink, notice: Notice, card: CaseCard) -> None:
    channel(smtp).send(notice)
    page = Page(part(smtp.wait_for(1)[0], "html"))
    for fact in ("1,200.00 USD", "never billed", "530 seats", "500 seats", card.arithmetic, card.account, "A-S00012"):
        assert fact in page.words
    assert {card.link, notice.queue_url} <= set(page.links)
    assert page.open == []


def test_the_page_asks_nothing_of_the_network(smtp: SmtpSink, notice: Notice) -> None:
    channel(smtp).send(notice)
    html = part(smtp.wait_for(1)[0], "html")
    assert not {"img", "script", "link", "style", "iframe"} & Page(html).tags
    assert "url(" not in html


def test_a_source_system_cannot_write_html(smtp: SmtpSink, notice: Notice, card: CaseCard) -> None:
    evil = "<script>alert(1)</script>"
    rows = (EvidenceRow(evil, evil, ((evil, evil),)),)
    hostile = CaseCard(
        **dict.fromkeys(["reference", "title", "why", "message", "account", "money_kind"], evil),
        **dict.fromkeys(["expected", "actual", "arithmetic", "due_text"], evil),
        amount=card.amount,
        currency="USD",
        due_at=None,
        rows=rows,
        link='https://example.com/"><script>',
    )
    channel(smtp).send(replace(notice, headline=evil, owner_name=evil, cases=(hostile,)))
    page = Page(part(smtp.wait_for(1)[0], "html"))
    assert "script" not in page.tags
    assert page.words.count(evil) >= 10


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", " javascript:alert(1)"])
def test_a_link_leads_to_a_page_or_nowhere(link: str, smtp: SmtpSink, notice: Notice, card: CaseCard) -> None:
    channel(smtp).send(replace(notice, cases=(replace(card, link=link),), queue_url=link))
    assert Page(part(smtp.wait_for(1)[0], "html")).links == []


def test_records_beyond_the_limit_are_counted(smtp: SmtpSink, notice: Notice, card: CaseCard) -> None:
    rows = tuple(EvidenceRow("zuora", f"INV-{number:03}", (("amount", "40.00"),)) for number in range(31))
    channel(smtp).send(replace(notice, cases=(replace(card, rows=rows),)))
    [message] = smtp.wait_for(1)
    for kind in ("plain", "html"):
        text = part(message, kind)
        assert text.count("INV-") == 25
        assert "and 6 more" in text


def test_everything_about_one_case_is_one_thread(smtp: SmtpSink, notice: Notice, card: CaseCard) -> None:
    sender = channel(smtp)
    sender.send(notice)
    sender.send(replace(notice, kind="resolved", dedupe_key="resolved:group-7", headline="Resolved", severity="S4"))
    sender.send(replace(notice, dedupe_key="other", cases=(replace(card, reference="EXC-13"),)))
    sender.send(replace(notice, dedupe_key="daily", kind="digest"))
    opened, resolved, other, digest = smtp.wait_for(4)
    assert opened["References"] == resolved["References"] == opened["In-Reply-To"]
    assert opened["References"] != other["References"]
    assert digest["References"] is None
    assert len({message["Message-ID"] for message in (opened, resolved, other, digest)}) == 4


def test_a_second_attempt_is_recognisable(smtp: SmtpSink, notice: Notice) -> None:
    channel(smtp).send(notice)
    channel(smtp).send(replace(notice, now=notice.now + timedelta(hours=1)))
    first, second = smtp.wait_for(2)
    assert first["Message-ID"] == second["Message-ID"]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(data=st.data())
def test_any_notice_is_a_sound_message(data: st.DataObject, notices: st.SearchStrategy[Notice]) -> None:
    notice = data.draw(notices)
    made = compose(notice, mailbox(SENDER, "sender"), mailbox(OWNER, "recipient"))
    raw = made.as_bytes(policy=policy.SMTP)
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert [name.lower() for name in message.keys()] == [name.lower() for name in made.keys()]  # noqa: SIM118
    assert message["Message-ID"] == made["Message-ID"]
    assert (message["References"] or "") == (made["References"] or "")
    html = message.get_body(("html",))
    assert html is not None
    assert Page(html.get_content()).open == []
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@given(st.text(st.characters(), max_size=300))
def test_no_headline_starts_a_new_header(headline: str) -> None:
    made = compose(
        Notice("k", "opened", f"x\r\nBcc: all@example.com\n{headline}", "S1", "Ada", (), 0, "https://x.test/", NOW),
        mailbox(SENDER, "sender"),
        mailbox(OWNER, "recipient"),
    )
    message = BytesParser(policy=policy.default).parsebytes(made.as_bytes(policy=policy.SMTP))
    assert message["Bcc"] is None
    assert "Bcc: all@example.com" in message["Subject"]


NOW = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)


def test_a_long_sender_domain_keeps_the_message_id_whole(notice: Notice) -> None:
    sender = mailbox(f"tieout@{'mail.' * 24}example.com", "sender")
    raw = compose(notice, sender, mailbox(OWNER, "recipient")).as_bytes(policy=policy.SMTP)
    message = BytesParser(policy=policy.default).parsebytes(raw)
    for name in ("Message-ID", "References", "In-Reply-To"):
        assert str(message[name]).endswith("mail.example.com>")
        assert f"{name}: {message[name]}\r\n".encode() in raw


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "Ada\r\nBcc: eve@example.com <ada@example.com>",
        "ada@example.com>",
        "<ada@example.com",
        "ada@exa mple.com",
        "a\x00da@example.com",
    ],
)
def test_an_address_is_one_address(address: str) -> None:
    with pytest.raises(PermanentError, match="is not one e-mail address"):
        EmailChannel("127.0.0.1", 25, SENDER, address)
    with pytest.raises(PermanentError, match="is not one e-mail address"):
        EmailChannel("127.0.0.1", 25, address, OWNER)


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        ("ada@example.com", "", "ada@example.com"),
        ("<ada@example.com>", "", "ada@example.com"),
        ('"Osei, Ada" <ada+billing@example.com>', "Osei, Ada", "ada+billing@example.com"),
        ("Jürgen <j@example.com>", "Jürgen", "j@example.com"),
    ],
)
def test_an_address_may_have_a_name(text: str, name: str, spec: str) -> None:
    found = mailbox(text, "recipient")
    assert (found.display_name, found.addr_spec) == (name, spec)


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        (421, TransientError),
        (450, TransientError),
        (451, TransientError),
        (452, TransientError),
        (550, PermanentError),
        (552, PermanentError),
        (554, PermanentError),
    ],
)
def test_the_reply_code_decides_whether_to_try_again(
    code: int, error: type[Exception], at: Command, smtp: SmtpSink, notice: Notice
) -> None:
    smtp.fail_next(code, at=at)
    with pytest.raises(error, match=rf"\({code} planned failure at {at}\)"):
        channel(smtp).send(notice)
    assert smtp.messages == []
    channel(smtp).send(notice)
    assert len(smtp.wait_for(1)) == 1


@pytest.mark.parametrize("code", [421, None])
def test_a_quarrel_at_goodbye_does_not_send_it_again(code: int | None, smtp: SmtpSink, notice: Notice) -> None:
    smtp.fail_next(code, at="QUIT")
    channel(smtp).send(notice)
    assert len(smtp.wait_for(1)) == 1


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
def test_a_relay_that_hangs_up_is_transient(at: Command, smtp: SmtpSink, notice: Notice) -> None:
    smtp.fail_next(None, at=at)
    with pytest.raises(TransientError, match="closed the connection"):
        channel(smtp).send(notice)
    assert smtp.messages == []


def test_a_relay_that_is_down_is_transient(notice: Notice) -> None:
    with SmtpSink() as sink:
        gone = channel(sink)
    with pytest.raises(TransientError, match="could not be reached"):
        gone.send(notice)


@pytest.fixture(scope="module")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def guarded(tls_files: tuple[Path, Path]) -> Iterator[SmtpSink]:
    """A relay that wants encryption and a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls_files)
    context.verify_mode = ssl.CERT_NONE
    with SmtpSink(tls=context, login=("tieout", "hunter2")) as sink:
        yield sink


def guarded_channel(sink: SmtpSink, trusted: Path | None, password: str = "hunter2") -> EmailChannel:
    context = ssl.create_default_context(cafile=str(trusted)) if trusted else None
    return EmailChannel(
        sink.host,
        sink.port,
        SENDER,
        OWNER,
        starttls=True,
        username="tieout",
        password=password,
        timeout=5,
        tls_context=context,
    )


def test_starttls_comes_before_the_password(guarded: SmtpSink, tls_files: tuple[Path, Path], notice: Notice) -> None:
    guarded_channel(guarded, tls_files[0]).send(notice)
    [message] = guarded.wait_for(1)
    assert message.tls
    assert message.user == "tieout"


def test_a_certificate_that_nobody_trusts_stops_the_password(guarded: SmtpSink, notice: Notice) -> None:
    with pytest.raises(TransientError, match="certificate verify failed"):
        guarded_channel(guarded, None).send(notice)
    assert guarded.messages == []


def test_a_wrong_password_is_permanent_and_not_shown(
    guarded: SmtpSink, tls_files: tuple[Path, Path], notice: Notice
) -> None:
    with pytest.raises(PermanentError, match=r"\(535 ") as caught:
        guarded_channel(guarded, tls_files[0], "hunter3").send(notice)
    assert "hunter3" not in str(caught.value)


def test_a_relay_without_starttls_is_not_used(smtp: SmtpSink, notice: Notice) -> None:
    plain = EmailChannel(smtp.host, smtp.port, SENDER, OWNER, starttls=True, timeout=5)
    with pytest.raises(PermanentError, match="cannot be used as set up"):
        plain.send(notice)
    assert smtp.messages == []


def test_a_password_without_encryption_is_refused() -> None:
    with pytest.raises(PermanentError, match="needs starttls"):
        EmailChannel("127.0.0.1", 25, SENDER, OWNER, username="tieout", password="hunter2")
