"""The SOAP endpoint: an envelope in, a login checked, an operation done, a reply rendered by zeep (vendors.md B4)."""

import itertools
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lxml import etree
from zeep.exceptions import Error as ZeepError

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.soap.definition import CORE, operations, type_named
from sandbox.netsuite.soap.records import KINDS, RecordKind, records
from sandbox.netsuite.soap.refusals import SoapFault, StatusRefused, ambiguous_login, invalid_login, not_permitted
from sandbox.netsuite.soap.searches import LARGEST_PAGE, Searches, moment_test
from sandbox.netsuite.soap.values import moment
from sandbox.netsuite.table import Row
from sandbox.netsuite.token_keys import PassportDesk, PassportRefused

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_LARGEST_LIST = 1000
_DELETED_TYPES = {kind.name.lower(): kind.name for kind in KINDS.values()} | {"salesorder": "salesOrder"}
_RESULTS = {
    "search": "searchResult",
    "searchMoreWithId": "searchResult",
    "getDeleted": "getDeletedResult",
    "getServerTime": "getServerTimeResult",
    "getList": "readResponseList",
}

Spoil = Callable[[etree._Element], None]


class SoapService:
    """Answers envelopes for one account. `desk` is None where token-based authentication is off.

    `refusals` collects why a login was refused, which the reply does not say. `searches` has switches of its own,
    and `done` counts operations.
    """

    def __init__(self, account: NetSuiteAccount, desk: PassportDesk | None, wall_clock: Callable[[], datetime]) -> None:
        self.refusals: list[str] = []
        self.searches = Searches(account, wall_clock)
        self.done: Counter[str] = Counter()
        self._account = account
        self._desk = desk
        self._statuses: deque[StatusRefused] = deque()
        self._spoilers: deque[Spoil] = deque()
        self._numbers = itertools.count(1)

    def refuse_status(self, code: str, message: str, times: int = 1) -> None:
        """Answer the next operations with HTTP 200 and a status that is no success."""
        self._statuses.extend([StatusRefused(code, message)] * times)

    def spoil(self, change: Spoil, times: int = 1) -> None:
        """Let `change` work on the envelope of the next replies: see `unknown_element` and `misorder`."""
        self._spoilers.extend([change] * times)

    def answer(self, request: bytes, admit: Callable[[], None]) -> bytes:
        """The reply to an envelope; `admit` is asked once the login is right. Raises SoapFault."""
        name, message = _read(request)
        self._check_login(message.header)
        admit()
        self.done[name] += 1
        try:
            if self._statuses:
                raise self._statuses.popleft()
            value = self._operation(name)(message)
        except StatusRefused as refused:
            value = {"status": refused.status()}
        return self._rendered(name, value)

    def _rendered(self, name: str, value: dict[str, Any]) -> bytes:
        """The envelope with the operation's result, spoiled where that is asked for."""
        ns_id = f"WEBSERVICES_{self._account.account_id}_{next(self._numbers)}"
        said = {_RESULTS[name]: value, "_soapheaders": {"documentInfo": {"nsId": ns_id}}}
        envelope = operations()[name].output.serialize(**said).content
        if self._spoilers:
            self._spoilers.popleft()(envelope)
        content: bytes = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
        return content

    def _operation(self, name: str) -> Callable[[Any], dict[str, Any]]:
        return {
            "search": lambda m: self.searches.begin(m.body.searchRecord, m.header.searchPreferences),
            "searchMoreWithId": lambda m: self.searches.more(m.body.searchId, m.body.pageIndex),
            "getDeleted": lambda m: self._deleted(m.body.getDeletedFilter, m.body.pageIndex),
            "getServerTime": lambda _: self._time(),
            "getList": lambda m: self._list(m.body.baseRef),
        }[name]

    def _check_login(self, header: Any) -> None:
        passport = header.tokenPassport if header is not None else None
        if passport is None or self._desk is None:
            self.refusals.append("There is no tokenPassport, or the account takes none.")
            raise invalid_login()
        said = {name: str(passport[name]) for name in ("account", "consumerKey", "token", "nonce", "timestamp")}
        try:
            self._desk.check_passport(said, passport.signature.algorithm, passport.signature._value_1)
        except PassportRefused as refused:
            self.refusals.append(str(refused))
            raise invalid_login() from None

    def _time(self) -> dict[str, Any]:
        now = self._account.clock().replace(microsecond=0)
        return {"status": {"isSuccess": True}, "serverTime": moment(now, self._account.session_zone)}

    def _deleted(self, asked: Any, index: int) -> dict[str, Any]:
        if "deletedrecord" not in self._account.schema():
            raise not_permitted("deletedRecord")
        holds = moment_test(asked.deletedDate) if asked.deletedDate is not None else lambda _: True
        types = {str(word) for word in asked.type.searchValue} if asked.type is not None else None
        graves = [row for row in self._account.rows("deletedrecord") if holds(row.get("deleteddate"))]
        found = [(kind, row) for row in graves if (kind := _DELETED_TYPES.get(str(row.get("type"))))]
        found = [(kind, row) for kind, row in found if types is None or kind in types]
        pages = -(-len(found) // LARGEST_PAGE)
        if index < 1 or index > max(pages, 1):
            raise StatusRefused("INVALID_SEARCH_PAGE_INDEX", f"There is no page {index} of {pages}.")
        shown = found[(index - 1) * LARGEST_PAGE : index * LARGEST_PAGE]
        return {
            "status": {"isSuccess": True},
            "totalRecords": len(found),
            "pageSize": LARGEST_PAGE,
            "totalPages": pages,
            "pageIndex": index,
            "deletedRecordList": {"deletedRecord": [self._grave(kind, row) for kind, row in shown]} if shown else None,
        }

    def _grave(self, kind: str, row: Row) -> dict[str, Any]:
        ref = type_named(CORE, "RecordRef")(internalId=str(row["recordid"]), type=kind, name=row.get("name"))
        return {"deletedDate": moment(row["deleteddate"], self._account.session_zone), "record": ref}

    def _list(self, refs: list[Any]) -> dict[str, Any]:
        if len(refs) > _LARGEST_LIST:
            raise SoapFault("exceededRecordCountFault", "EXCEEDED_MAX_RECORDS", f"At most {_LARGEST_LIST} at once.")
        return {"status": {"isSuccess": True}, "readResponse": [self._read_one(ref) for ref in refs]}

    def _read_one(self, ref: Any) -> dict[str, Any]:
        kind = KINDS.get(str(ref.type))
        if kind is None or kind.table not in self._account.schema():
            raise not_permitted(str(ref.type))
        row = self._account.find(kind.table, ref.internalId)
        if row is None or not kind.takes(row):
            missing = StatusRefused("RCRD_DSNT_EXIST", "That record does not exist.")
            return {"status": missing.status()}
        return {"status": {"isSuccess": True}, "record": self._made(kind, row)}

    def _made(self, kind: RecordKind, row: Row) -> Any:
        (made,) = records(self._account, [kind], [row], lines=True)
        return made


def unknown_element(record: str, element: str = "aNewerField") -> Spoil:
    """Every record of this type begins with an element that the schema does not know."""

    def change(envelope: etree._Element) -> None:
        for node in _records(envelope, record):
            namespace = etree.QName(node[-1]).namespace
            added = etree.Element(f"{{{namespace}}}{element}")
            added.text = "1"
            node.insert(0, added)

    return change


def misorder(record: str, element: str) -> Spoil:
    """The element of this name stands first in every record of this type, where the schema has it later."""

    def change(envelope: etree._Element) -> None:
        for node in _records(envelope, record):
            for child in [child for child in node if etree.QName(child).localname == element]:
                node.insert(0, child)

    return change


def _records(envelope: etree._Element, record: str) -> list[etree._Element]:
    kind = "{http://www.w3.org/2001/XMLSchema-instance}type"
    return [node for node in envelope.iter() if node.get(kind, "").rpartition(":")[2] == record]


def _read(content: bytes) -> tuple[str, Any]:
    """The operation that the envelope calls, and its message (`header`, `body`). Raises SoapFault for what is none."""
    try:
        envelope = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
        name = etree.QName(envelope.find(f"{_SOAP}Body")[0]).localname
        logins = {etree.QName(node).localname for node in envelope.iterfind(f"{_SOAP}Header/*")}
        message = operations()[name].input.deserialize(envelope)
    except (etree.XMLSyntaxError, ZeepError, KeyError, IndexError, TypeError, ValueError) as error:
        raise SoapFault("unexpectedErrorFault", "USER_ERROR", f"The request cannot be read: {error}") from None
    if "tokenPassport" in logins and logins & {"passport", "applicationInfo"}:
        raise ambiguous_login()
    return name, message
