"""The endpoints of ZOQL: query, queryMore and the description of objects."""

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree

from sandbox.zuora.calls import Answer, Call, json_answer
from sandbox.zuora.errors import Fault
from sandbox.zuora.matching import select
from sandbox.zuora.schema import SYSTEM_FIELDS, Row
from sandbox.zuora.tenant import ZuoraTenant
from sandbox.zuora.walks import Page, Walks
from sandbox.zuora.wire import Json, plain, zoql_instant

MAX_PAGE = 2000


class Queries:
    """POST /v1/action/query and queryMore. A page has `page_size` records at most, fewer where
    `conf.batchSize` says so; a larger batchSize is cut, not refused."""

    def __init__(self, tenant: ZuoraTenant, page_size: int) -> None:
        if not 1 <= page_size <= MAX_PAGE:
            raise ValueError(f"A page holds between 1 and {MAX_PAGE} records, not {page_size}.")
        self._tenant = tenant
        self._page_size = page_size
        self._walks = Walks(tenant.clock)

    def query(self, call: Call) -> Answer:
        body = call.json()
        fields, rows = select(self._tenant.records, _text(body, "queryString"), self._tenant.zone)
        page_size = self._batch_size(body) or self._page_size
        return self._answer(self._walks.start(fields, rows, page_size))

    def query_more(self, call: Call) -> Answer:
        body = call.json()
        return self._answer(self._walks.resume(_text(body, "queryLocator"), self._batch_size(body)))

    def forget(self) -> None:
        """Every locator that was given out is invalid from now on."""
        self._walks.forget_all()

    def _batch_size(self, body: Mapping[str, Any]) -> int | None:
        conf = body.get("conf") or {}
        size = conf.get("batchSize") if isinstance(conf, dict) else conf
        if size is None:
            return None
        if type(size) is not int or size < 1:
            raise Fault("INVALID_VALUE", f"conf.batchSize must be a number from 1 to {MAX_PAGE}, not {size!r}.")
        return min(size, self._page_size)

    def _answer(self, page: Page) -> Answer:
        records: list[Json] = [self._record(row, page.fields) for row in page.rows]
        body: dict[str, Json] = {"size": page.size, "records": records, "done": page.locator is None}
        if page.locator is not None:
            body["queryLocator"] = page.locator
        return json_answer(body)

    def _record(self, row: Row, fields: tuple[str, ...]) -> dict[str, Json]:
        """The fields that have a value; empty ones are left out, as in Zuora."""
        zone = self._tenant.zone
        return {name: plain(row[name], zone, zoql_instant) for name in fields if name in row}


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Fault("MISSING_REQUIRED_VALUE", f"{name} is required.")
    return value


class Descriptions:
    """GET /v1/describe and /v1/describe/{Object}: XML (shape from "Describe an object")."""

    def __init__(self, tenant: ZuoraTenant) -> None:
        self._tenant = tenant

    def all_objects(self, call: Call) -> Answer:
        root = ElementTree.Element("objects")
        for name in self._tenant.records.visible_objects():
            _name_and_label(_child(root, "object", href=f"{call.base_url}/v1/describe/{name}"), name)
        return _xml(root, 200)

    def one_object(self, call: Call) -> Answer:
        name = call.keys["object"]
        if name not in self._tenant.records.visible_objects():
            root = ElementTree.Element("error")
            _child(root, "message", f"There is no object {name}.")
            return _xml(root, 404)
        root = ElementTree.Element("object", href=f"{call.base_url}/v1/describe/{name}")
        _name_and_label(root, name)
        fields = _child(root, "fields")
        for field, kind in self._tenant.records.visible_fields(name).items():
            _describe_field(_child(fields, "field"), field, kind, self._tenant.records.options(name, field))
        _child(root, "related-objects")
        return _xml(root, 200)


def _describe_field(element: ElementTree.Element, name: str, kind: str, options: Iterable[str]) -> None:
    ours = name in SYSTEM_FIELDS
    _name_and_label(element, name)
    _child(element, "selectable", "true")
    _child(element, "createable", _flag(not ours))
    _child(element, "updateable", _flag(not ours))
    _child(element, "filterable", "true")
    _child(element, "custom", _flag(name.endswith("__c")))
    _child(element, "maxlength", "32" if kind == "id" else "")
    _child(element, "required", _flag(name == "Id"))
    # Zuora describes ids as texts of 32 characters.
    _child(element, "type", "text" if kind == "id" else kind)
    if kind == "picklist":
        listed = _child(element, "options")
        for option in options:
            _child(listed, "option", option)
    contexts = _child(element, "contexts")
    _child(contexts, "context", "soap")
    _child(contexts, "context", "export")


def _name_and_label(element: ElementTree.Element, name: str) -> None:
    _child(element, "name", name)
    _child(element, "label", name)


def _child(parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _xml(root: ElementTree.Element, status: int) -> Answer:
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return Answer(status, body, "text/xml")
