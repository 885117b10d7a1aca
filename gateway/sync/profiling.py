"""Profiles of mapped fields, taken with DuckDB from the `raw` JSON of the published books, and their baselines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from books.engine import Engine
from connectors.mapping import Mapping
from gateway.db.session import Database
from gateway.sync.profile import Bands, Profile, moved
from gateway.sync.tables import FieldProfile

_SHAPE = """CASE
    WHEN regexp_full_match(value, '[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?') THEN 'number'
    WHEN regexp_full_match(value, '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?') THEN 'date'
    WHEN lower(value) IN ('true', 'false') THEN 'flag'
    ELSE 'text' END"""


@dataclass(frozen=True)
class Place:
    """A field as it stands in the rows of one entity of one system."""

    system: str
    entity: str
    field: str


@dataclass(frozen=True)
class Moved:
    """What is different about a field's values; the sentence follows the field's name."""

    place: Place
    text: str


class Profiles:
    """Takes profiles of one system's fields and compares them with the baselines in PostgreSQL."""

    def __init__(self, database: Database, engine: Engine, system: str, mapping: Mapping, bands: Bands) -> None:
        self._database = database
        self._engine = engine
        self._system = system
        self._mapping = mapping
        self._bands = bands

    def compare(self, now: datetime, window: timedelta) -> list[Moved]:
        """The records of the last window against each field's baseline.

        A field without one gets it here, from the records before the window, if they are enough.
        """
        baselines, found = self._baselines(), list[Moved]()
        for place in self.places():
            begin = now - window
            if place in baselines:
                before, until = baselines[place]
                recent = self.profile(place, max(begin, until), now)
            else:
                before = self.profile(place, None, begin)
                recent = self.profile(place, begin, now)
                if before.rows >= self._bands.rows:
                    self._keep(place, before, begin, now)
            found += [Moved(place, text) for text in moved(before, recent, self._bands)]
        return found

    def accept(self, now: datetime, window: timedelta) -> int:
        """Make the present look of every field its baseline; returns how many fields have one now.

        That of the last window where it holds enough records: older ones still look as before.
        """
        kept = 0
        for place in self.places():
            recent = self.profile(place, now - window, now)
            profile = recent if recent.rows >= self._bands.rows else self.profile(place, None, now)
            if profile.rows >= self._bands.rows:
                self._keep(place, profile, now, now)
                kept += 1
        return kept

    def places(self) -> Iterator[Place]:
        """Every field that is kept in `raw`, once per entity. Sensitive ones are in no row."""
        found = {
            Place(self._system, target.entity.name, field.path): None
            for mapped in self._mapping.objects.values()
            for target in mapped.targets
            for field in target.raw
            if not field.path.startswith("_")
        }
        yield from found

    def profile(self, place: Place, start: datetime | None, end: datetime) -> Profile:
        """Of the live rows that were changed in [start, end); by the source's stamp, else by when they were written."""
        path = '$."' + place.field.replace('"', '\\"') + '"'
        begins = "" if start is None else f"AND changed_at >= TIMESTAMPTZ '{start.isoformat()}'"
        self._engine.define(
            "looked_at",
            f"""SELECT json_extract_string(raw, '{_quoted(path)}') AS value
                FROM (SELECT raw, coalesce(modified_at, synced_at) AS changed_at FROM "{place.entity}"
                      WHERE system = '{_quoted(place.system)}' AND NOT deleted)
                WHERE changed_at < TIMESTAMPTZ '{end.isoformat()}' {begins}""",
        )
        return self._looked_at()

    def _looked_at(self) -> Profile:
        (total,) = self._engine.rows("SELECT count(*) AS n, count(value) AS filled FROM looked_at")
        filled = "FROM looked_at WHERE value IS NOT NULL"
        shapes = self._engine.rows(f"SELECT {_SHAPE} AS shape, count(*) AS n {filled} GROUP BY 1")
        limit = self._bands.most_values + 1
        values = self._engine.rows(f"SELECT value, count(*) AS n {filled} GROUP BY 1 LIMIT {limit}")
        number = f"{filled} AND ({_SHAPE}) = 'number' AND TRY_CAST(value AS DOUBLE) <> 0"
        (size,) = self._engine.rows(
            f"""SELECT median(abs(TRY_CAST(value AS DOUBLE))) AS typical,
                max(length(regexp_extract(value, '[.]([0-9]*)', 1))) AS digits {number}"""
        )
        return Profile(
            total["n"],
            total["filled"],
            {row["shape"]: row["n"] for row in shapes},
            {row["value"]: row["n"] for row in values} if len(values) < limit else {},
            size["typical"],
            size["digits"] or 0,
        )

    def _baselines(self) -> dict[Place, tuple[Profile, datetime]]:
        with self._database.session() as session:
            rows: Sequence[FieldProfile] = session.scalars(
                select(FieldProfile).where(FieldProfile.system == self._system)
            ).all()
        return {Place(row.system, row.entity, row.field): (Profile(**row.profile), row.until) for row in rows}

    def _keep(self, place: Place, profile: Profile, until: datetime, now: datetime) -> None:
        values = {"profile": profile.document(), "until": until, "stored_at": now}
        named = {"system": place.system, "entity": place.entity, "field": place.field}
        with self._database.session() as session:
            statement = insert(FieldProfile).values(**named, **values)
            session.execute(statement.on_conflict_do_update(index_elements=list(named), set_=values))


def _quoted(text: str) -> str:
    return text.replace("'", "''")
