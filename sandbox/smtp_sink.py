"""A mail relay on a loopback port that keeps every message with its envelope."""

import socket
import ssl
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Literal, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.inbox import Inbox

HOST = "127.0.0.1"
Command = Literal["MAIL", "RCPT", "DATA", "QUIT"]


class ReceivedMessage(EmailMessage):
    """A parsed message with what the envelope said; `tls` when it came over an encrypted connection."""

    mail_from: str = ""
    rcpt_tos: tuple[str, ...] = ()
    tls: bool = False
    user: str | None = None


_POLICY = policy.EmailPolicy(message_factory=ReceivedMessage)


@dataclass(frozen=True)
class Failure:
    code: int | None
    at: Command


class SmtpSink:
    """Use as a context manager, or `start` and `stop`. The port stays the same over a restart.

    With `tls` it offers STARTTLS. With `login` it wants that user name and password, over TLS only.
    """

    def __init__(
        self, port: int = 0, *, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None
    ) -> None:
        self.host, self.port = HOST, port
        self._inbox = Inbox[ReceivedMessage, Failure]()
        self._tls, self._login = tls, login
        self._controller: Controller | None = None

    @property
    def messages(self) -> list[ReceivedMessage]:
        """The accepted messages, in order of arrival."""
        return self._inbox.items

    def fail_next(self, code: int | None, times: int = 1, at: Command = "DATA") -> None:
        """Answer the next `times` commands `at` with `code`, or hang up without an answer when it is None.

        A message that fails before its end is not kept.
        """
        self._inbox.fail_next(Failure(code, at), times)

    def wait_for(self, count: int, timeout: float = 5.0) -> list[ReceivedMessage]:
        """The messages once there are `count`. Raises TimeoutError after `timeout` seconds."""
        return self._inbox.wait_for(count, timeout)

    def clear(self) -> None:
        """Forget messages and planned failures."""
        self._inbox.clear()

    def start(self) -> None:
        """Listen. Raises TimeoutError or OSError when the port cannot be had."""
        self.port = self.port or _free_port()
        self._controller = Controller(
            _Handler(self._inbox),
            hostname=self.host,
            port=self.port,
            server_hostname="sandbox.invalid",
            tls_context=self._tls,
            authenticator=self._authenticate,
            auth_required=self._login is not None,
        )
        self._controller.start()

    def stop(self) -> None:
        """Close the port; connections are refused from then on."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, auth_data=data.login.decode(), handled=False)


class _Handler:
    """aiosmtpd calls these by name; each answers with the line that goes to the client."""

    def __init__(self, inbox: Inbox[ReceivedMessage, Failure]) -> None:
        self._inbox = inbox

    def _failure(self, command: Command, server: SMTP) -> str | None:
        found = self._inbox.next_failure(lambda failure: failure.at == command)
        if found and found.code is None and server.transport:
            server.transport.close()
        return f"{found.code} planned failure at {command}" if found else None

    async def handle_MAIL(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refused := self._failure("MAIL", server):
            return refused
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refused := self._failure("RCPT", server):
            return refused
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if refused := self._failure("DATA", server):
            return refused
        self._inbox.add(_received(session, envelope))
        return "250 OK: queued"

    async def handle_QUIT(self, server: SMTP, *_: object) -> str:
        return self._failure("QUIT", server) or "221 Bye"


def _received(session: Session, envelope: Envelope) -> ReceivedMessage:
    content = envelope.content
    assert isinstance(content, bytes)
    message = BytesParser(policy=_POLICY).parsebytes(content)
    assert isinstance(message, ReceivedMessage)
    message.mail_from = envelope.mail_from or ""
    message.rcpt_tos = tuple(envelope.rcpt_tos)
    message.tls = session.ssl is not None
    message.user = session.auth_data if isinstance(session.auth_data, str) else None
    return message


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
