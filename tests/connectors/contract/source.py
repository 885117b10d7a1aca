"""What the contract test needs of a kind of source: a simulator that it can write to, break, and compare with books.

One module beside this one per kind, `<kind>_source.py`, with a class of this shape, and a line in `sources.py`.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol, runtime_checkable

from sandbox.faults import Faults

Place = tuple[str, str]  # an entity of the books, and the key of a row in it
Said = dict[str, Any]  # columns of a row, those that the mapping fills


class ContractSource(Protocol):
    """A running simulator with the mapping that reads it. Records have numbers, from 0; a record holds one text.

    The simulator's clock is the test's: only the test moves it, so that records tie. `close` stops everything.
    """

    @property
    def kind(self) -> str:
        """The connector's name."""

    @property
    def mapping(self) -> str:
        """The text of a mapping file; at least one object has a cursor, and two fill different entities."""

    @property
    def faults(self) -> Faults:
        """What goes wrong between the socket and the simulator."""

    def settings(self) -> Mapping[str, Any]:
        """What tieout.yaml would say under `settings`, with pages small enough that a few records need several."""

    def secrets(self) -> Mapping[str, str]:
        """The secret settings, under their names."""

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        """Insert the record, or change it. One that was removed before comes back: under its key, or under another.

        `late`: committed now, stamped so much earlier; within the look-back.
        """

    def remove(self, number: int) -> None:
        """Delete a live record as users do: where the source keeps a list of deletions, it is in it."""

    def purge(self, number: int) -> None:
        """A live record vanishes, and no list says so. The same as `remove` where there is no such list."""

    def truth(self) -> Mapping[Place, Said]:
        """What the books must say of the live records, from what `put` was told: not read through the connector."""

    def mishaps(self) -> Mapping[str, Callable[[], None]]:
        """What can go wrong at this vendor alone, by name: each arms one fault that a later poll must outlive.

        An ended session, an error inside a 200, a paging token that does not advance, a busy answer of its own form.
        """

    def over_limit(self) -> int:
        """How many requests came while the vendor's limit was reached; 0 is what the tests want."""

    def close(self) -> None:
        """Stop the simulator."""


@runtime_checkable
class Restrictable(Protocol):
    """What a ContractSource has besides where the rights of the integration user can shrink. Both last while inside."""

    def hidden_field(self) -> AbstractContextManager[None]:
        """A field that the mapping names is not shown any more."""

    def lost_permission(self) -> AbstractContextManager[None]:
        """An object that the mapping names is not shown any more."""
