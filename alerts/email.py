"""Send a notice as an e-mail through an SMTP relay."""

import contextlib
import re
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage

from alerts.channel import Receipt
from alerts.errors import AlertError, PermanentError, TransientError
from alerts.letter import compose
from alerts.message import Notice

TIMEOUT_S = 10.0
_MAILBOX = re.compile(
    r"""(?:(?P<name>[^<>\x00-\x1f\x7f]*)<)?
        (?P<local>[^\s<>@,;:"()\[\]\\\x00-\x1f\x7f]+)@(?P<domain>[A-Za-z0-9.-]+)
        (?(name)>)""",
    re.VERBOSE,
)


class EmailChannel:
    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        recipient: str,
        *,
        starttls: bool = False,
        username: str | None = None,
        password: str | None = None,
        timeout: float = TIMEOUT_S,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        """`sender` and `recipient` are one address each, with or without a name; `timeout` in seconds.

        `tls_context` is for a relay whose certificate is not signed by an authority that the system trusts.
        PermanentError when an address cannot be read, or a password would travel without encryption.
        """
        if username and not starttls:
            raise PermanentError(
                "A mail relay that wants a password needs starttls: true, or the password is readable."
            )
        self._host, self._port, self._timeout = host, port, timeout
        self._sender, self._recipient = mailbox(sender, "sender"), mailbox(recipient, "recipient")
        self._starttls, self._username, self._password = starttls, username, password or ""
        self._tls_context = tls_context or ssl.create_default_context()

    def send(self, notice: Notice) -> Receipt:
        message = compose(notice, self._sender, self._recipient)
        try:
            self._deliver(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise self._refusal(code, text) from None
        except smtplib.SMTPResponseException as error:
            raise self._refusal(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPServerDisconnected:
            raise TransientError(f"{self._relay} closed the connection.") from None
        except smtplib.SMTPException as error:
            # What is left: the relay offers no STARTTLS, no login that we know, no SMTPUTF8 for the address.
            raise PermanentError(f"{self._relay} cannot be used as set up: {error}") from None
        except OSError as error:
            raise TransientError(f"{self._relay} could not be reached ({_cause(error)}).") from None
        return Receipt(reference=str(message["Message-ID"]))

    @property
    def _relay(self) -> str:
        return f"The mail relay {self._host}:{self._port}"

    def _deliver(self, message: EmailMessage) -> None:
        connection = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        try:
            if self._starttls:
                connection.starttls(context=self._tls_context)
            if self._username:
                connection.login(self._username, self._password)
            connection.send_message(message, self._sender.addr_spec, [self._recipient.addr_spec])
            # The relay has the message. A quarrel over the goodbye must not send it a second time.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                connection.quit()
        finally:
            connection.close()

    def _refusal(self, code: int, reply: bytes | str) -> AlertError:
        said = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        if self._password:
            said = said.replace(self._password, "[password]")
        text = f"({code} {' '.join(said.split())[:300]})"
        if 500 <= code < 600:
            return PermanentError(
                f"{self._relay} refused the message to {self._recipient.addr_spec} {text}. "
                "Correct the address or the relay's settings."
            )
        return TransientError(f"{self._relay} cannot take the message now {text}.")


def mailbox(text: str, role: str) -> Address:
    """One e-mail address. Raises PermanentError for none, several, or anything that could start a new header."""
    found = _MAILBOX.fullmatch(text.strip())
    if found is None:
        raise PermanentError(f"The {role} {text!r} is not one e-mail address. Correct it in the settings.")
    name = (found["name"] or "").strip().strip('"')
    return Address(display_name=name, username=found["local"], domain=found["domain"])


def _cause(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
