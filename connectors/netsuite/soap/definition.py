"""The account's web service as zeep reads it: loaded once per process, tolerant of new elements, exact in numbers.

zeep would make an `xsd:double` a float; every number and date here stays the text that the account wrote.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from lxml import etree
from zeep import Settings, ns
from zeep.exceptions import Error as ZeepError
from zeep.wsdl import Document
from zeep.xsd.types.builtins import BuiltinType

from connectors.errors import PermanentError, SchemaChanged, TransientError
from connectors.http import CONNECT_S

LOAD_S = 60.0
KEPT = 8
_BINDING = "NetSuiteBinding"
_VERSION = re.compile(r"_(\d{4}_\d)\.")


class AsWritten(BuiltinType):
    """A simple type whose values are the text on the wire."""

    accepted_types = [str]  # noqa: RUF012 - zeep reads a list from the class

    def __init__(self, qname: etree.QName) -> None:
        BuiltinType.__init__(self, qname, is_global=True)

    def xmlvalue(self, value: Any) -> str:
        return str(value)

    def pythonvalue(self, value: Any, _schema: Any = None) -> str:
        return str(value).strip()


class _Exact(Document):
    """A description whose numbers and dates are read as they are written."""

    def load(self, location: str) -> None:
        (builtin,) = self.types.documents.get_by_namespace(ns.XSD, fail_silently=False)
        for name in ("double", "float", "decimal", "dateTime", "date"):
            qname = etree.QName(ns.XSD, name)
            builtin.register_type(qname, AsWritten(qname))
        Document.load(self, location)


class _Loader:
    """Gets the files of a description. A description that came over HTTP cannot name a file of this machine."""

    def __init__(self, location: str) -> None:
        self._remote = _is_url(location)

    def load(self, url: str) -> bytes:
        if _is_url(url):
            return _got(url)
        if self._remote:
            raise PermanentError("The WSDL of NetSuite names a file of this machine, which is not read.")
        return Path(url.removeprefix("file://")).read_bytes()


class Definition:
    """The web service: its binding, its version such as 2023_2, and its types."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.binding = next((name for name in document.bindings if name.endswith(f"}}{_BINDING}")), "")
        version = _VERSION.search(self.binding)
        if version is None:
            raise PermanentError(f"The WSDL of NetSuite has no binding {_BINDING}. Correct the setting `wsdl`.")
        self.version = version[1]
        self._types = {kind.qname.localname: kind for kind in document.types.types if kind.qname is not None}

    def type(self, name: str) -> Any:
        """A type by its name. Raises SchemaChanged where the service has none."""
        if name not in self._types:
            raise SchemaChanged(f"SuiteTalk {self.version} has no type {name}. Correct the mapping, or the `wsdl`.")
        return self._types[name]

    def search(self, record: str) -> tuple[Any, dict[str, Any]]:
        """The search type for a record, and the criteria that leave only records of that type in it."""
        if f"{record}Search" in self._types:
            return self._types[f"{record}Search"], {}
        only = {"operator": "anyOf", "searchValue": [f"_{reference_type(record)}"]}
        return self.type("TransactionSearch"), {"type": only}


def reference_type(record: str) -> str:
    """The word for a record in references: `creditMemo` for CreditMemo."""
    return record[:1].lower() + record[1:]


@lru_cache(maxsize=KEPT)
def definition_at(location: str) -> Definition:
    """The web service described at a URL or in a file.

    Raises TransientError where it cannot be got now, PermanentError where it is none.
    """
    loader: Any = _Loader(location)
    # Strict while the files are read, because zeep would mend a file that is cut off; tolerant with replies.
    settings = Settings(strict=True, xml_huge_tree=True)
    try:
        document = _Exact(location, loader, settings=settings)
    except (ZeepError, etree.LxmlError, OSError, LookupError, ValueError) as error:
        raise PermanentError(
            f"The WSDL of NetSuite cannot be used ({type(error).__name__}). Correct the setting `wsdl`."
        ) from error
    settings.strict = False
    return Definition(document)


def _is_url(location: str) -> bool:
    return urlsplit(location).scheme in ("http", "https")


def _got(url: str) -> bytes:
    try:
        reply = httpx.get(url, timeout=httpx.Timeout(LOAD_S, connect=CONNECT_S), follow_redirects=False)
    except httpx.TransportError as error:
        raise TransientError(f"The WSDL of NetSuite could not be loaded ({type(error).__name__}).") from error
    if reply.status_code >= 500 or reply.status_code == 429:
        raise TransientError(f"The WSDL of NetSuite was answered with HTTP {reply.status_code}.")
    if reply.status_code != 200:
        raise PermanentError(
            f"The WSDL of NetSuite was answered with HTTP {reply.status_code}. Correct the setting `wsdl`."
        )
    return reply.content
