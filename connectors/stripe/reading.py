"""Objects of one kind as the mapping sees them: listed, or asked for by id, from lists within lists as well."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote
from zoneinfo import ZoneInfo

from connectors.contract import Record
from connectors.errors import MappingError, UnknownRecord
from connectors.mapping import ObjectMapping
from connectors.stripe.api import Params, StripeApi
from connectors.stripe.expressions import PARENT, Expressions
from connectors.stripe.resources import RESOURCES, Resource

NUMBER, PREVIOUS = "_number", "_previous"


class Reader:
    """Reads one resource. Records come whole, with the computed fields that the mapping names."""

    def __init__(
        self, api: StripeApi, resource: Resource, expressions: Expressions, expand: Sequence[str] = ()
    ) -> None:
        self.resource = resource
        self._api = api
        self._expressions = expressions
        self._expand = (*resource.expand, *expand)
        self._asked = RESOURCES[resource.parent] if resource.walks_parent else resource

    @classmethod
    def mapped(cls, api: StripeApi, mapped: ObjectMapping, zone: ZoneInfo) -> "Reader":
        """Raises MappingError for an object that is not known, and for fields that cannot be computed."""
        if mapped.name not in RESOURCES:
            raise MappingError(f"Stripe has no object {mapped.name!r} that can be read; it has {', '.join(RESOURCES)}.")
        expand = mapped.options.get("expand", [])
        if not isinstance(expand, list) or not all(isinstance(name, str) for name in expand):
            raise MappingError(f"The 'expand' of {mapped.name} must be a list of field names.")
        return cls(api, RESOURCES[mapped.name], Expressions.among(mapped.fields, zone), expand)

    def pages(self, after: str = "") -> Iterator[tuple[Sequence[Record], str]]:
        """Every page of the list, and after which id the next one starts; "" with the last page.

        Raises CursorLost when there is no object of the id `after` any more.
        """
        params = {**self._asked.params, **self._expanding("data.")}
        for page in self._api.pages(self._asked.path, params, after):
            yield self.records(page.records), page.last

    def named(self, identity: str) -> Sequence[Record]:
        """The object with this id. Of those in a list of another: all that the one with this id has."""
        try:
            if self.resource.parent and not self.resource.walks_parent:
                return self.records(self._rest(identity, self._expanding("data.")))
            found = self._api.get(f"{self._asked.path}/{quote(identity, safe='')}", self._expanding(""))
        except UnknownRecord:
            return ()
        return () if found.get("deleted") is True else self.records([found])

    def fetched(self, key: str) -> Sequence[Record]:
        """The record with this key; of those in a list of another, the other's id gives all that it has.

        Raises LookupError where Stripe tells nobody which list an id is in.
        """
        resource = self.resource
        parent, slash, number = key.rpartition("/")
        if slash:
            return [record for record in self.named(parent) if str(record.get(NUMBER)) == number]
        if not resource.prefix or not key.startswith(resource.prefix):
            return self.named(key)
        if not resource.path:
            raise LookupError(key)
        try:
            link = self._api.get(f"{resource.path}/{quote(key, safe='')}").get(resource.link)
        except UnknownRecord:
            return ()
        return [record for record in self.named(str(link)) if record.get("id") == key]

    def records(self, found: Sequence[Record]) -> Sequence[Record]:
        """Objects that were asked for as records of the mapping."""
        if self.resource.walks_parent:
            found = [child for parent in found for child in self._children(parent)]
        return [self._expressions.added(record) for record in found]

    def _children(self, parent: Record) -> Iterator[Record]:
        previous = None
        for number, child in enumerate(self._members(parent), 1):
            yield {**child, PARENT: parent, NUMBER: number, PREVIOUS: previous}
            previous = child

    def _members(self, parent: Record) -> Sequence[Record]:
        """The whole list within an object, of which the object holds but the beginning (vendors.md C3)."""
        held = parent.get(self.resource.within)
        if isinstance(held, Mapping) and held.get("has_more") is False:
            return list(held.get("data", ()))
        if not self.resource.rest[0]:
            return held if isinstance(held, list) else ()
        try:
            return self._rest(str(parent["id"]), {})
        except UnknownRecord:
            return ()

    def _rest(self, identity: str, params: Params) -> list[Record]:
        path, fixed = self.resource.rest
        asked = {name: value.replace("{id}", identity) for name, value in fixed.items()}
        pages = self._api.pages(path.replace("{id}", quote(identity, safe="")), {**asked, **params})
        return [record for page in pages for record in page.records]

    def _expanding(self, prefix: str) -> Params:
        return {"expand[]": [f"{prefix}{name}" for name in self._expand]} if self._expand else {}
