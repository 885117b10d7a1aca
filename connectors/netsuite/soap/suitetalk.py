"""Calls of SuiteTalk: a fresh passport per attempt, the HTTP status before the XML, our errors (vendors.md B3, B5)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from lxml import etree
from zeep import Client, Settings
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault, LookupError, NamespaceError, ValidationError
from zeep.plugins import Plugin
from zeep.wsdl.utils import etree_to_string

from connectors import telemetry
from connectors.errors import ConnectorError, LoginRefused, PermanentError, TransientError
from connectors.http import BAD_MOMENT, CONNECT_S, certificates, checked_url, retry_after, skew
from connectors.netsuite.config import NetSuiteConfig
from connectors.netsuite.login import host_of
from connectors.netsuite.signing import TokenKeys, nonce, passport
from connectors.netsuite.soap.definition import Definition, definition_at
from connectors.netsuite.soap.faults import PassportRefused, TooMuch, fault_error, status_error

_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}Envelope"
_UNFIT = (LookupError, NamespaceError, ValidationError)
_SEARCHES = frozenset({"search", "searchMoreWithId"})
_DEFAULT_VERSION = "2023_2"


class SuiteTalk:
    """One account's SOAP side. The description is loaded at the first call."""

    def __init__(self, config: NetSuiteConfig, keys: TokenKeys, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._keys = keys
        self._share = config.share(clock)
        self._post = _Post(config, clock)
        self._service: Any = None

    @property
    def system(self) -> str:
        return self._config.system

    @property
    def definition(self) -> Definition:
        """The web service. Raises TransientError or PermanentError where it cannot be had."""
        return self._config.retries.call(lambda: definition_at(wsdl_of(self._config)), self._config.system)

    def call(self, operation: str, about: str, headers: Mapping[str, Any], **params: Any) -> Any:
        """The result of the operation, whose status is a success. `about` names the record in messages.

        Raises TransientError after its own retries, LoginRefused, SchemaChanged, PermanentError, and for searches
        TooMuch and SearchExpired.
        """
        what = f"{operation} of {about}" if about else operation
        try:
            return self._config.retries.call(lambda: self._signed_twice(operation, what, headers, params), self.system)
        except TooMuch as error:
            if operation in _SEARCHES:
                raise
            raise TransientError(str(error)) from error

    def close(self) -> None:
        self._post.close()

    def _signed_twice(self, operation: str, what: str, headers: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
        """A refused passport is tried once more, with another nonce and by the account's clock."""
        try:
            return self._once(operation, what, headers, params)
        except PassportRefused:
            return self._once(operation, what, headers, params)

    def _once(self, operation: str, what: str, headers: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
        service = self._bound()
        system = self._config.system
        try:
            with self._share.turn():
                token = passport(self._keys, self._post.now(), nonce())
                reply = service[operation](**params, _soapheaders={"tokenPassport": token, **headers})
        except Fault as fault:
            raise fault_error(system, what, fault) from None
        except _UNFIT as error:
            raise PermanentError(f"{system}: {what} does not fit the WSDL: {error}") from None
        except (ZeepError, etree.LxmlError) as error:
            # Not chained: zeep puts the whole reply into the message.
            name = type(error).__name__
            raise TransientError(f"{system} answered {what} with something that is no whole XML ({name}).") from None

        result = _result(reply)
        if result is None:
            raise TransientError(f"{system} answered {what} without a result.")
        refused = None if _is_list(result) else status_error(system, what, result.status)
        if refused is not None:
            raise refused
        return result

    def _bound(self) -> Any:
        """The operations at our own address; the one in the WSDL is of another data centre (B1)."""
        if self._service is None:
            definition = definition_at(wsdl_of(self._config))
            # Replies are parsed strictly as XML: zeep's tolerance would mend one that is cut off.
            settings = Settings(strict=True, xml_huge_tree=True, forbid_dtd=True)
            client = Client(definition.document, transport=self._post, plugins=[_IsEnvelope()], settings=settings)
            address = f"{self._config.address}/services/NetSuitePort_{definition.version}"
            self._service = client.create_service(definition.binding, address)
        return self._service


def _result(reply: Any) -> Any:
    """The result inside a reply, which zeep unwraps or not, as the WSDL says that replies have headers; or None."""
    body = reply.body if reply is not None and "body" in reply else reply
    if body is None or "status" in body:
        return body
    return next(iter(body.__values__.values()), None)


def _is_list(result: Any) -> bool:
    """A list of replies may have no status of its own: each reply has one."""
    return "readResponse" in result and result.status is None


def wsdl_of(config: NetSuiteConfig) -> str:
    """Where the description of the web service is: the setting, or where the account serves it."""
    if not config.wsdl:
        return f"{config.address}/wsdl/v{_DEFAULT_VERSION}_0/netsuite.wsdl"
    return config.wsdl.replace("{account}", host_of(config.account_id).partition(".")[0])


class _IsEnvelope(Plugin):
    """What is well-formed and no envelope, such as a proxy's page, is no reply."""

    def ingress(self, envelope: Any, http_headers: Any, _operation: Any) -> Any:
        if envelope.tag != _ENVELOPE:
            raise TransientError("NetSuite answered with XML that is no SOAP envelope.")
        return envelope, http_headers


class _Post:
    """zeep's way out: sends an envelope, and raises before any XML is looked at where the status says so."""

    def __init__(self, config: NetSuiteConfig, clock: Callable[[], datetime]) -> None:
        self._system = config.system
        self._clock = clock
        self._skew = timedelta(0)
        checked_url(config.address, config.system)
        timeout = httpx.Timeout(config.timeout_s, connect=CONNECT_S)
        self._client = httpx.Client(timeout=timeout, follow_redirects=False, verify=certificates())

    def now(self) -> datetime:
        return self._clock().astimezone(UTC) + self._skew

    def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> httpx.Response:
        """Called by zeep."""
        try:
            reply = self._client.post(address, content=etree_to_string(envelope), headers=dict(headers))
        except httpx.ReadTimeout as error:
            telemetry.request(self._system, None)
            raise TooMuch(f"{self._system} took too long for one request.") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            telemetry.request(self._system, None)
            raise TransientError(f"{self._system} gave no whole answer ({type(error).__name__}).") from error
        telemetry.request(self._system, reply.status_code)
        self._skew = skew(reply.headers, self._clock(), self._skew)
        refused = _http_error(self._system, reply)
        if refused is not None:
            raise refused
        return reply

    def close(self) -> None:
        self._client.close()


def _http_error(system: str, reply: httpx.Response) -> ConnectorError | None:
    """The error that the HTTP status is. A 500 with XML is a fault, which says more than its status."""
    status = reply.status_code
    sentence = f"{system}: the SOAP endpoint answered with HTTP {status}."
    is_xml = "xml" in reply.headers.get("content-type", "")
    if status == 200 or (status == 500 and is_xml):
        return None
    if status == 429:
        telemetry.refused(system)
    if status in BAD_MOMENT or status >= 500:
        return TransientError(sentence, retry_after(reply.headers))
    if status in (401, 403):
        return LoginRefused(f"{sentence} Check the token and its role.")
    return PermanentError(f"{sentence} Correct the account id, the base URL or the `wsdl`.")
