"""What an object of Zuora has: the XML of `GET /v1/describe/{Object}`, read without trusting it.

Shape (vendors.md C2; developer.zuora.com, "Describe an object"): one `field` element per field, with `name`, `type`
and, for a picklist, `options`; `selectable` and `required` are older elements that a tenant may leave out. Elements
count in whatever namespace.
"""

from collections.abc import Iterator
from xml.etree import ElementTree

from connectors.contract import SourceField
from connectors.http import Form


class _NoDoctype(ElementTree.TreeBuilder):
    """A document type is where entities are declared that expand without end or name files. Zuora sends none."""

    def doctype(self, *_: object) -> None:
        raise ValueError("The document declares a document type.")


def _tree(content: bytes) -> ElementTree.Element:
    parser = ElementTree.XMLParser(target=_NoDoctype())
    try:
        return ElementTree.fromstring(content, parser)
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error


XML = Form("XML", _tree)


def described(root: ElementTree.Element) -> Iterator[SourceField]:
    """The fields that a query may name, in the order of the document."""
    for field in root.iterfind("./{*}fields/{*}field"):
        name = _text(field, "name")
        if name and _text(field, "selectable") != "false":
            options = (option.text or "" for option in field.iterfind("./{*}options/{*}option"))
            nullable = _text(field, "required") != "true"
            yield SourceField(name, _text(field, "type"), nullable, tuple(filter(None, map(str.strip, options))))


def _text(element: ElementTree.Element, tag: str) -> str:
    return (element.findtext("{*}" + tag) or "").strip()
