"""Reads mapping files: YAML in, `Mapping` out, and a MappingError that says where and what for everything else.

    connector: salesforce              # kind of connector
    objects:
      Contract:                        # the source's name of the object
        key: Id                        # a field, or several that together are the key
        modified: SystemModstamp       # the cursor; without it the object is read in full each time
        targets:
          - entity: contracts
            account: AccountId         # or {from: CrmId, by: crm}
            where: {Type: [New, Renewal]}
            columns:
              number: ContractNumber   # the field, converted as the column's kind asks
              end_date: {from: EndDate, as: day_after}
              status: {from: Status, as: choice, values: {Activated: activated}, otherwise: draft}
              charge_type: {constant: recurring}

A `where` lists the values of a field that count; `{filled: true}` is any value, `{filled: false}` none.
`from` may name several fields: the first that has a value counts; `join` puts several together. `otherwise` is the
value where no field has one, and in a choice also where none of the values matches. `zone` is the time zone of
instants that name none. Further keys of an object: look_back (seconds), filter (in the source's own language),
look_ups, join, on_demand, sensitive (fields that stay out of `raw`), raw (fields to keep besides the mapped ones),
and those of one connector: pattern, list, delimiter (files), table, format (lake), deleted_types, lines (netsuite),
reread_hours (salesforce), expand (stripe).

`optional: true` is for an object of a feature that not every account has. While the account does not show it, and
never has, the object is left out: nothing fails, and what it fills stays unknown. An optional object that was read
once and is not shown any more is a lost permission like any other.
"""

import hashlib
import json
import re
from collections import abc
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from books.columns import Kind
from books.entities import ENTITIES
from connectors import transforms
from connectors.errors import MappingError
from connectors.fields import ColumnRule, Field, word
from connectors.mapping import (
    Account,
    Filled,
    Join,
    LookUp,
    Mapping,
    ObjectMapping,
    Target,
    own_columns,
)
from connectors.registry import KINDS
from connectors.transforms import BadValue

SHIPPED = Path(__file__).parent / "mappings"
_OBJECT_KEYS = {"key", "modified", "look_back", "filter", "on_demand", "optional", "raw", "sensitive", "targets"}
_TARGET_KEYS = {"entity", "key", "account", "where", "columns"}
_COLUMN_KEYS = {"from", "join", "constant", "as", "values", "otherwise", "zone"}
# The key that says where the records of an object are, for the kinds of which the object's name does not.
_PLACED_BY = {"files": "pattern", "lake": "table"}
_ACCOUNT_BY = ("own", "crm", "billing_number")


def load(path: Path | str) -> Mapping:
    """The mapping in a file. Raises MappingError, with the file's name, for whatever is wrong in it."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"The mapping file {path.name} cannot be read: {error}.") from error
    return parse(text, path.name)


def shipped(name: str) -> Mapping:
    """A mapping that comes with Tieout, by the name of its file in `mappings/`."""
    return load(SHIPPED / f"{name}.yaml")


def parse(text: str, name: str = "mapping") -> Mapping:
    """The mapping that the text says; `name` stands in the messages."""
    try:
        content = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise MappingError(f"{name} is not readable YAML: {' '.join(str(error).split())}.") from error
    top = _Spot(name).table(content, {"connector", "objects"})
    kind = top.text("connector")
    if kind not in KINDS:
        raise top.wrong(f"names the connector {kind!r}; there are {', '.join(KINDS)}")
    objects = _Spot(name).table(top.need("objects"))
    digest = hashlib.sha256(json.dumps(_ordered(content)).encode()).hexdigest()
    return Mapping(
        kind, {str(n): _object(objects.at(str(n)), str(n), o, kind) for n, o in objects.items()}, f"sha256:{digest}"
    )


def _ordered(content: Any) -> Any:
    """The content with its tables as lists in the order of their keys: two files that say the same are the same."""
    if isinstance(content, dict):
        return sorted([word(key), _ordered(value)] for key, value in content.items())
    return [_ordered(value) for value in content] if isinstance(content, list) else content


class _Spot:
    """A place in the file, with the keys that stand there."""

    def __init__(self, where: str, content: abc.Mapping[str, Any] | None = None) -> None:
        self._where = where
        self._content = content or {}

    def wrong(self, what: str) -> MappingError:
        return MappingError(f"{self._where} {what}.")

    def at(self, step: str) -> "_Spot":
        return _Spot(f"{self._where}, {step}" if " " in self._where else f"{self._where}: {step}")

    def table(self, content: object, known: abc.Set[str] | None = None) -> "_Spot":
        """The same place, holding a table that has no other keys than the known ones."""
        if not isinstance(content, dict) or not content:
            raise self.wrong("must be a table of keys and values")
        unknown = [str(key) for key in content if known is not None and key not in known]
        if unknown:
            raise self.wrong(f"has the unknown key {unknown[0]!r}; known are {', '.join(sorted(known or ()))}")
        return _Spot(self._where, {word(key): value for key, value in content.items()})

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def items(self) -> abc.ItemsView[str, Any]:
        return self._content.items()

    def get(self, key: str, default: Any = None) -> Any:
        return self._content.get(key, default)

    def need(self, key: str) -> Any:
        if self._content.get(key) in (None, "", [], {}):
            raise self.wrong(f"has no {key!r}, which it needs")
        return self._content[key]

    def text(self, key: str) -> str:
        value = self.need(key)
        if not isinstance(value, str):
            raise self.wrong(f"has {key!r} set to {value!r}; it must be a text")
        return value

    def fields(self, key: str) -> tuple[Field, ...]:
        """A field name or a list of them; () where the key is absent."""
        value = self.get(key)
        names = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(name, str) and name for name in names):
            raise self.wrong(f"has {key!r} set to {value!r}; it must be a field name or a list of field names")
        return tuple(Field(name) for name in names)


def _object(spot: _Spot, name: str, content: object, connector: str) -> ObjectMapping:
    spot = spot.table(content, _OBJECT_KEYS | KINDS[connector].options)
    key, modified = spot.fields("key"), _modified(spot)
    look_back = spot.get("look_back")
    if look_back is not None and (type(look_back) is not int or look_back < 0):
        raise spot.wrong(f"has 'look_back' set to {look_back!r}; it must be a whole number of seconds")
    targets = spot.need("targets")
    if not isinstance(targets, list):
        raise spot.wrong("has 'targets' that are not a list")
    options = {option: spot.get(option) for option in KINDS[connector].options - {"look_ups", "join"} if option in spot}
    if connector in _PLACED_BY:
        spot.text(_PLACED_BY[connector])
    return ObjectMapping(
        name=name,
        key=key,
        modified=modified.fields[0] if modified else None,
        look_back_s=look_back,
        filter=spot.text("filter") if "filter" in spot else "",
        look_ups=tuple(_look_up(spot.at("look_ups"), entry) for entry in spot.get("look_ups") or ()),
        join=_join(spot.at("join"), spot.get("join")) if "join" in spot else None,
        on_demand=spot.get("on_demand") is True,
        options=options,
        targets=tuple(_target(spot.at(f"target {n}"), t, name, spot, modified) for n, t in enumerate(targets, 1)),
        optional=spot.get("optional") is True,
    )


def _modified(spot: _Spot) -> ColumnRule | None:
    if "modified" not in spot:
        return None
    rule = _column(spot.at("modified"), "modified_at", Kind.INSTANT, spot.get("modified"))
    if len(rule.fields) != 1 or rule.joined:
        raise spot.wrong("has a 'modified' that is not one field")
    return rule


def _target(spot: _Spot, content: object, name: str, owner: _Spot, modified: ColumnRule | None) -> Target:
    spot = spot.table(content, _TARGET_KEYS)
    entity = ENTITIES.get(spot.text("entity"))
    if entity is None:
        raise spot.wrong(f"fills the unknown entity {spot.text('entity')!r}; the books know {', '.join(ENTITIES)}")
    key = spot.fields("key") or owner.fields("key")
    if not key:
        raise owner.wrong("has no 'key', which it needs")
    kinds = own_columns(entity)
    columns = spot.at("columns").table(spot.need("columns"))
    unknown = [column for column, _ in columns.items() if column not in kinds]
    if unknown:
        raise spot.wrong(f"fills {entity.name}.{unknown[0]}, which is no column; it has {', '.join(kinds)}")
    rules = tuple(_column(columns.at(name), name, kinds[name], rule) for name, rule in columns.items())
    account = _account(spot.at("account"), spot.get("account")) if "account" in spot else None
    where = _where(spot.at("where"), spot.get("where")) if "where" in spot else ()
    sensitive = frozenset(f.path for f in owner.fields("sensitive"))
    read = [*key, *(f for f, _ in where), *(f for rule in rules for f in rule.fields), *owner.fields("raw")]
    read += [account.field] if account else []
    kept = dict.fromkeys(f for f in read if f.path not in sensitive)
    return Target(name, entity, key, modified, account, where, rules, tuple(kept), sensitive)


def _account(spot: _Spot, content: object) -> Account:
    if isinstance(content, str):
        return Account(Field(content))
    spot = spot.table(content, {"from", "by"})
    by = spot.get("by", "own")
    if by not in _ACCOUNT_BY:
        raise spot.wrong(f"is matched by {by!r}; it can be {', '.join(_ACCOUNT_BY)}")
    return Account(Field(spot.text("from")), by)


def _where(spot: _Spot, content: object) -> tuple[tuple[Field, abc.Container[str]], ...]:
    return tuple((Field(name), _counting(spot.at(name), value)) for name, value in spot.table(content).items())


def _counting(spot: _Spot, content: Any) -> abc.Container[str]:
    """The words of a field that a condition lets through."""
    if not isinstance(content, dict):
        return frozenset(map(word, _listed(content)))
    wanted = spot.table(content, {"filled"}).get("filled")
    if not isinstance(wanted, bool):
        raise spot.wrong(f"has 'filled' set to {wanted!r}; it must be true or false")
    return Filled() if wanted else frozenset({""})


def _column(spot: _Spot, column: str, kind: Kind, content: object) -> ColumnRule:
    if isinstance(content, str | list):
        content = {"from": content}
    spot = spot.table(content, _COLUMN_KEYS)
    sources = [key for key in ("from", "join", "constant") if key in spot]
    if len(sources) != 1:
        raise spot.wrong("must have exactly one of 'from', 'join' and 'constant'")
    name = spot.get("as", transforms.names_for(kind)[0])
    if name not in transforms.names_for(kind):
        fitting = ", ".join(transforms.names_for(kind))
        raise spot.wrong(f"has the transform {name!r}, which gives no {kind.value}; there are {fitting}")
    if ("values" in spot) > transforms.takes_values(name) or (name == "choice" and "values" not in spot):
        raise spot.wrong(f"has 'values' only with, and always with, the transform 'choice': not with {name!r}")
    if sources == ["constant"]:
        return ColumnRule(column, kind, (), None, _typed(spot, kind, spot.get("constant")))
    otherwise = _typed(spot, kind, spot.get("otherwise"))
    values = _values(spot, kind)
    convert = transforms.transform(name, kind, values, _zone(spot))
    if transforms.takes_values(name) and "otherwise" in spot:
        convert = _else(convert, otherwise)
    fields = spot.fields(sources[0])
    if not fields:
        raise spot.wrong(f"has an empty {sources[0]!r}")
    choices = tuple(values) if name == "choice" else ()
    joined = sources == ["join"]
    return ColumnRule(column, kind, fields, convert, otherwise, joined=joined, choices=choices, transform=name)


def _else(convert: transforms.Convert, otherwise: Any) -> transforms.Convert:
    def converted(value: Any) -> Any:
        try:
            return convert(value)
        except BadValue:
            return otherwise

    return converted


def _values(spot: _Spot, kind: Kind) -> abc.Mapping[str, Any]:
    if "values" not in spot:
        return {}
    table = spot.at("values").table(spot.get("values"))
    return {key: _typed(spot, kind, value) for key, value in table.items()}


def _typed(spot: _Spot, kind: Kind, value: Any) -> Any:
    """A value written in the file as the column holds it."""
    if value is None:
        return None
    try:
        return transforms.transform(transforms.names_for(kind)[0], kind, {}, None)(value)
    except BadValue as error:
        raise spot.wrong(f"has a value that {error}") from error


def _zone(spot: _Spot) -> ZoneInfo | None:
    if "zone" not in spot:
        return None
    try:
        return ZoneInfo(spot.text("zone"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise spot.wrong(f"has the unknown time zone {spot.text('zone')!r}") from error


def _look_up(spot: _Spot, content: object) -> LookUp:
    spot = spot.table(content, {"object", "as", "by", "match", "first_by"})
    name = spot.text("as") if "as" in spot else spot.text("object")
    first_by = spot.text("first_by") if "first_by" in spot else None
    match = spot.text("match") if "match" in spot else "Id"
    return LookUp(spot.text("object"), name, Field(spot.text("by")), match, first_by)


def _join(spot: _Spot, content: object) -> Join:
    spot = spot.table(content, {"table", "as", "on"})
    return Join(spot.text("table"), spot.text("as"), spot.text("on"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class _Loader(yaml.SafeLoader):
    """YAML where a key may stand once, and where dates, fractions and words such as `No` stay the text they are."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"(?:true|false)$", ["t", "f"]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
