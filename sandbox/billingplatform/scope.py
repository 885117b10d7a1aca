"""What the names of a statement stand for: entities, their fields, and fields of related records."""

from itertools import count

from sqlglot import exp

from sandbox.billingplatform.organisation import Organisation
from sandbox.billingplatform.refusals import BadRequest, UnknownColumn
from sandbox.billingplatform.schema import PLAIN_TYPES

RELATION = "Obj"
"""A lookup `AccountId` is the relation `AccountIdObj`."""


class Scope:
    """The entities of FROM and JOIN under their aliases, which are written into the tree. Raises Refusal."""

    def __init__(self, organisation: Organisation, select: exp.Select) -> None:
        self._organisation = organisation
        self._entities: dict[str, str] = {}
        self._outputs = {item.alias.lower() for item in select.expressions if item.alias}
        self._numbers = count(1)
        for clause in (select.args["from_"], *select.args.get("joins", [])):
            self._add(clause.this)

    def resolved(self, column: exp.Column) -> exp.Expr:
        """The column of a table, or a query for the field of a related record."""
        alias, path = self.path(column)
        if alias:
            return self._reached(alias, self._entities[alias], path)
        if len(path) == 1 and path[0].lower() in self._outputs and column.find_ancestor(exp.Order):
            return column.copy()
        raise UnknownColumn(".".join(path))

    def path(self, column: exp.Column) -> tuple[str, list[str]]:
        """The alias of the entity, empty where none has such a field, and the way from there."""
        parts = [part.name for part in column.parts]
        if parts[0].lower() in self._entities and len(parts) > 1:
            return parts[0].lower(), parts[1:]
        return self._owner(parts), parts

    def _add(self, source: exp.Expr) -> None:
        if not isinstance(source, exp.Table) or source.args.get("db"):
            raise BadRequest("Invalid query: FROM takes entities.")
        alias, entity = source.alias_or_name.lower(), source.name.upper()
        if alias in self._entities:
            raise BadRequest(f"Invalid query: {source.alias_or_name} stands twice in FROM.")
        self._organisation.seen(source.name)
        self._entities[alias] = entity
        source.set("this", exp.to_identifier(entity, quoted=True))
        source.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))

    def _owner(self, parts: list[str]) -> str:
        first = parts[0] if len(parts) == 1 else parts[0].removesuffix(RELATION)
        owners = [alias for alias, entity in self._entities.items() if first.lower() in self._spelled(entity)]
        if len(owners) > 1:
            raise BadRequest(f'ORA-00918: the column "{parts[0]}" is ambiguously defined.')
        return owners[0] if owners else ""

    def _reached(self, alias: str, entity: str, path: list[str]) -> exp.Expr:
        step, rest = path[0], path[1:]
        spelled = self._spelled(entity)
        if not rest:
            if step.lower() not in spelled:
                raise UnknownColumn(step)
            return exp.column(spelled[step.lower()], table=alias, quoted=True)
        lookup = spelled.get(step.lower().removesuffix(RELATION.lower()), "")
        target = self._organisation.seen(entity).get(lookup, "text")
        if not step.lower().endswith(RELATION.lower()) or target in PLAIN_TYPES:
            raise UnknownColumn(".".join(path))
        self._organisation.seen(target)
        related = f"related{next(self._numbers)}"
        found = exp.select(self._reached(related, target, rest))
        found = found.from_(exp.to_table(target, alias=related))
        same = exp.EQ(this=exp.column("Id", table=related), expression=exp.column(lookup, table=alias, quoted=True))
        return exp.Paren(this=found.where(same))

    def _spelled(self, entity: str) -> dict[str, str]:
        return {field.lower(): field for field in self._organisation.seen(entity)}
