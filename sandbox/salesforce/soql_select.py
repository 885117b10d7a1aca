"""The SELECT list as a shape of JSON: a record, the parents that it nests, and the totals of an aggregate."""

from collections.abc import Callable, Sequence
from operator import itemgetter

from sandbox.salesforce.fields import ID
from sandbox.salesforce.soql_columns import Column, Step
from sandbox.salesforce.table import Row, Shape
from sandbox.salesforce.wire import value_text

Writer = Callable[[Row], str]


class Selection:
    """The fields of one object that a record shows, in the order of the SELECT list; each parent appears once."""

    def __init__(self, shape: Shape, columns: Sequence[Column], depth: int = 0) -> None:
        self._shape = shape
        self._fields: dict[str, int] = {}
        nested: dict[str, list[Column]] = {}
        self._order: list[str] = []
        for column in columns:
            name = column.steps[depth].name if len(column.steps) > depth else column.field.name
            if name not in self._order:
                self._order.append(name)
            if len(column.steps) > depth:
                nested.setdefault(name, []).append(column)
            else:
                self._fields[name] = column.place
        self._parents = {name: _parent(found, depth) for name, found in nested.items()}

    def writer(self, version: str) -> Writer:
        """What turns a row into the JSON text of its record, with the URLs of API version `version`."""
        url = f"/services/data/v{version}/sobjects/{self._shape.name}/"
        head = f'{{"attributes":{{"type":"{self._shape.name}","url":"{url}'
        parts = [self._part(name, version) for name in self._order]
        return lambda row: f'{head}{row[ID]}"}},' + ",".join([part(row) for part in parts]) + "}"

    def _part(self, name: str, version: str) -> Writer:
        label = f'"{name}":'
        if name in self._fields:
            place = self._fields[name]
            return lambda row: label + value_text(row[place])
        step, selection = self._parents[name]
        write = selection.writer(version)

        def part(row: Row) -> str:
            parent = step.follow(row)
            return label + ("null" if parent is None else write(parent))

        return part


def whole_record(shape: Shape) -> Selection:
    """Every field of the object itself."""
    places = [(place, field) for place, field in enumerate(shape.fields) if field in shape.visible]
    return Selection(shape, [Column(field, place, (), itemgetter(place)) for place, field in places])


def totals_writer(names: Sequence[str]) -> Writer:
    """What turns a row of totals into the JSON text of an aggregate record."""
    labels = [f',"{name}":' for name in names]

    def write(row: Row) -> str:
        totals = (label + value_text(value) for label, value in zip(labels, row, strict=True))
        return '{"attributes":{"type":"AggregateResult"}' + "".join(totals) + "}"

    return write


def _parent(columns: list[Column], depth: int) -> tuple[Step, Selection]:
    step = columns[0].steps[depth]
    return step, Selection(step.parent, columns, depth + 1)
