"""Names in a query to places in rows, through lookups to parents where the path walks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from sandbox.salesforce.errors import InvalidField, InvalidType
from sandbox.salesforce.fields import TEXT, Field, Value
from sandbox.salesforce.org import OrgView
from sandbox.salesforce.soql_syntax import Path, Query
from sandbox.salesforce.table import Row, Shape, TableView

Getter = Callable[[Row], Value]


@dataclass(frozen=True)
class Step:
    """From a row to its parent: `name` as the org spells it, `follow` gives the parent's row or None."""

    name: str
    follow: Callable[[Row], Row | None]
    parent: Shape


@dataclass(frozen=True)
class Column:
    """A field reached from the queried object. `get` is null where a parent on the way is missing."""

    field: Field
    place: int
    steps: tuple[Step, ...]
    get: Getter

    @property
    def key(self) -> Getter:
        """The value as comparisons and orders see it: text without its case."""
        get = self.get
        if self.field.type not in TEXT:
            return get
        return lambda row: folded(get(row))

    @property
    def name(self) -> str:
        return ".".join((*(step.name for step in self.steps), self.field.name))


class Source:
    """The queried object in a view of the org."""

    def __init__(self, query: Query, view: OrgView) -> None:
        table = view.table(query.source)
        if table is None:
            raise InvalidType(_no_such_object(query.source), query.source_at)
        self._view = view
        self._own_names = {query.source.lower(), (query.alias or query.source).lower()}
        self.table: TableView = table

    def column(self, path: Path) -> Column:
        """InvalidField where the org has no such relationship or column."""
        names = path.names
        if len(names) > 1 and names[0].lower() in self._own_names:
            names = names[1:]
        shape = self.table.shape
        steps: list[Step] = []
        for name in names[:-1]:
            steps.append(self._step(shape, name, path))
            shape = steps[-1].parent
        place = shape.place(names[-1])
        if place is None:
            raise InvalidField(_no_such_column(names[-1], shape.name), path.at)
        return Column(shape.fields[place], place, tuple(steps), _getter(place, steps))

    def _step(self, shape: Shape, name: str, path: Path) -> Step:
        place = shape.lookup(name)
        target = self._view.target(shape, shape.fields[place]) if place is not None else None
        parent = self._view.table(target) if target else None
        if place is None or parent is None:
            raise InvalidField(_no_such_relationship(name), path.at)
        return Step(shape.fields[place].relationship or name, _follower(place, parent.rows), parent.shape)


def folded(value: Value) -> Value:
    return value.upper() if isinstance(value, str) else value


def _getter(place: int, steps: list[Step]) -> Getter:
    get: Getter = itemgetter(place)
    for step in reversed(steps):
        get = _through(step.follow, get)
    return get


def _through(follow: Callable[[Row], Row | None], get: Getter) -> Getter:
    def value(row: Row) -> Value:
        parent = follow(row)
        return None if parent is None else get(parent)

    return value


def _follower(place: int, parents: Mapping[str, Row]) -> Callable[[Row], Row | None]:
    return lambda row: parents.get(str(row[place]))


def _no_such_object(name: str) -> str:
    return (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    )


def _no_such_column(name: str, object_name: str) -> str:
    return (
        f"No such column '{name}' on entity '{object_name}'. If you are attempting to use a custom field, be sure to "
        "append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
        "appropriate names."
    )


def _no_such_relationship(name: str) -> str:
    return (
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
        "be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe "
        "call for the appropriate names."
    )
