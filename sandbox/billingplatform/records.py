"""Creating, changing and deleting records: each object of a request by itself, so that a 200 may hold failures.

Facts: vendors.md C1 and D. Keys of the replies: ErrorCode ("0" for done), ErrorText, ErrorElementField, Id.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.billingplatform.invoice_life import check_invoice
from sandbox.billingplatform.organisation import Organisation
from sandbox.billingplatform.refusals import BadRequest, FieldRefused
from sandbox.billingplatform.schema import PLAIN_TYPES
from sandbox.billingplatform.scope import RELATION

Given = Mapping[str, Any]
Result = dict[str, Any]
_NOT_DONE = "1"


def objects_of(body: object) -> Sequence[Given]:
    """The `brmObjects` of a request: one, or a list. Raises BadRequest."""
    given = body.get("brmObjects") if isinstance(body, dict) else None
    listed = [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, dict)]
    if not listed or (isinstance(given, list) and len(listed) != len(given)):
        raise BadRequest('Bad Request - the body must be {"brmObjects": an object or a list of objects}.')
    return listed


class Records:
    """Writes to one organisation. Every call answers with a result per object; raises Refusal for the whole."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation

    def create(self, entity: str, body: object) -> list[Result]:
        return self._each(entity, body, lambda name, given: self._insert(name, given))

    def update(self, entity: str, body: object, key: str = "") -> list[Result]:
        """`key` is the Id where the path names it."""
        return self._each(
            entity, body, lambda name, given: self._change(name, {**given, **({"Id": key} if key else {})})
        )

    def upsert(self, entity: str, body: object) -> list[Result]:
        """Update the record with that value of the field `externalIDFieldName`, or create it."""
        field = body.get("externalIDFieldName") if isinstance(body, dict) else None
        if not isinstance(field, str) or not field:
            raise BadRequest("Bad Request - externalIDFieldName is missing.")
        return self._each(entity, body, lambda name, given: self._put(name, field, given))

    def delete(self, entity: str, body: object) -> list[Result]:
        """Into the recycle bin; for good where EmptyRecycleBin is "1"."""
        for_good = isinstance(body, dict) and str(body.get("EmptyRecycleBin", "0")) == "1"

        def drop(name: str, given: Given) -> Result:
            key = self._key(name, given)
            if for_good:
                self._organisation.purge(name, key)
            else:
                self._organisation.remove(name, key)
            return {"Id": key}

        return self._each(entity, body, drop)

    def undelete(self, entity: str, body: object) -> list[Result]:
        def bring_back(name: str, given: Given) -> Result:
            key = self._key(name, given, deleted=True)
            self._organisation.restore(name, key)
            return {"Id": key}

        return self._each(entity, body, bring_back)

    def _each(self, entity: str, body: object, act: Callable[[str, Given], Result]) -> list[Result]:
        self._organisation.seen(entity)
        name = self._organisation.named(entity)
        return [self._result(name, given, act) for given in objects_of(body)]

    def _result(self, entity: str, given: Given, act: Callable[[str, Given], Result]) -> Result:
        done: Result = {"ErrorCode": "0", "ErrorText": "", "ErrorElementField": "", "Id": ""}
        with self._organisation.lock:
            try:
                return done | act(entity, given)
            except FieldRefused as error:
                return done | {"ErrorCode": _NOT_DONE, "ErrorText": str(error), "ErrorElementField": error.field}

    def _insert(self, entity: str, given: Given) -> Result:
        fields = self._fields(entity, {name: value for name, value in given.items() if name.lower() != "id"})
        if entity == "INVOICE":
            check_invoice({}, fields)
        return {"Id": self._organisation.put(entity, fields)}

    def _change(self, entity: str, given: Given) -> Result:
        key = self._key(entity, given)
        fields = self._fields(entity, {name: value for name, value in given.items() if name.lower() != "id"})
        if entity == "INVOICE":
            fields |= check_invoice(self._organisation.find(entity, key) or {}, fields, self._organisation.clock())
        self._organisation.put(entity, {**fields, "Id": key})
        return {"Id": key}

    def _put(self, entity: str, field: str, given: Given) -> Result:
        value = next((value for name, value in given.items() if name.lower() == field.lower()), None)
        if value in (None, ""):
            raise FieldRefused("The external id is missing.", field)
        known = self._having(entity, field, value)
        done = self._insert(entity, given) if known is None else self._change(entity, {**given, "Id": str(known)})
        return {**done, "success": True, "created": known is None}

    def _key(self, entity: str, given: Given, *, deleted: bool = False) -> str:
        key = str(next((value for name, value in given.items() if name.lower() == "id"), ""))
        if not key.isdecimal() or self._organisation.find(entity, key, deleted=deleted) is None:
            raise FieldRefused(f"There is no record {key!r}.", "Id")
        return key

    def _fields(self, entity: str, given: Given) -> dict[str, Any]:
        """The fields to write, lookups by external id resolved. Raises FieldRefused."""
        fields: dict[str, Any] = {}
        for name, value in given.items():
            if name == "fieldsToNull":
                fields |= dict.fromkeys(value if isinstance(value, list) else [value])
            elif name.endswith(RELATION) and isinstance(value, dict):
                fields[name.removesuffix(RELATION)] = self._looked_up(entity, name, value)
            else:
                fields[name] = value
        self._check(entity, fields)
        return fields

    def _check(self, entity: str, fields: Given) -> None:
        seen = {name.lower(): kind for name, kind in self._organisation.seen(entity).items()}
        for name, value in fields.items():
            kind = seen.get(name.lower())
            if kind is None:
                raise FieldRefused(f"{entity} has no field {name}.", name)
            try:
                self._organisation.stored(entity, {name: value})
            except ValueError as error:
                raise FieldRefused(str(error), name) from None
            if kind not in PLAIN_TYPES and value not in (None, "") and not self._organisation.find(kind, str(value)):
                raise FieldRefused(f"There is no {kind} {value}.", name)

    def _looked_up(self, entity: str, name: str, value: Given) -> str:
        target = self._organisation.seen(entity).get(name.removesuffix(RELATION), "text")
        if target in PLAIN_TYPES or len(value) != 1:
            raise FieldRefused("A lookup names one external id of a related record.", name)
        ((field, wanted),) = value.items()
        found = self._having(target, field, wanted)
        if found is None:
            raise FieldRefused(f"There is no {target} whose {field} is {wanted!r}.", name)
        return str(found)

    def _having(self, entity: str, field: str, value: object) -> int | None:
        spelled = {name.lower(): name for name in self._organisation.seen(entity)}
        if field.lower() not in spelled or field.lower() == "id":
            raise FieldRefused(f"{entity} has no field {field}.", field)
        ((name, kept),) = self._organisation.stored(entity, {field: value}).items()
        return self._organisation.database.having(entity, name, kept)
