"""The states of a case and the moves between them. Pure.

open ─ acknowledge → acknowledged ─ start → in_progress ⇄ pending_customer | pending_vendor | pending_approval
acknowledged ─ expire → open                   nothing happened after the acknowledgement
any but open ─ resolve → resolved              by a person: provisional
any active ─ clear → resolved                  by clean evaluations
resolved ─ verify → verified
resolved | verified ─ regress → open           a new cycle
"""

from enum import StrEnum

from gateway.exceptions.errors import MoveRefused


class State(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    PENDING_CUSTOMER = "pending_customer"
    PENDING_VENDOR = "pending_vendor"
    PENDING_APPROVAL = "pending_approval"
    RESOLVED = "resolved"
    VERIFIED = "verified"


PENDING = frozenset({State.PENDING_CUSTOMER, State.PENDING_VENDOR, State.PENDING_APPROVAL})
CLOSED = frozenset({State.RESOLVED, State.VERIFIED})
ACTIVE = frozenset(State) - CLOSED


class Move(StrEnum):
    """What happens to a case. Each is the kind of an event; those that change no state are in UNMOVING."""

    OPEN = "opened"
    ACKNOWLEDGE = "acknowledged"
    EXPIRE = "ack_expired"
    START = "started"
    PEND = "pended"
    RESUME = "resumed"
    RESOLVE = "resolved"
    CLEAR = "auto_resolved"
    VERIFY = "verified"
    REGRESS = "regressed"
    ASSIGN = "assigned"
    COMMENT = "commented"
    CHANGE = "changed"  # amount, message or severity of what was found
    ESCALATE = "escalated"  # a step of the ladder, a reminder or a breach


UNMOVING = frozenset({Move.ASSIGN, Move.COMMENT, Move.CHANGE, Move.ESCALATE})


class Resolution(StrEnum):
    """Why a case was closed. The codes that a person may give, and `auto_verified`, which only a check gives."""

    FIXED_AT_SOURCE = "fixed_at_source"
    CORRECTED_INVOICE = "corrected_invoice"
    CREDIT_ISSUED = "credit_issued"
    FALSE_POSITIVE = "false_positive"
    ACCEPTED_RISK = "accepted_risk"
    DUPLICATE_OF = "duplicate_of"
    NOT_REPRODUCIBLE = "not_reproducible"
    AUTO_VERIFIED = "auto_verified"


class FalsePositive(StrEnum):
    """What misled the check."""

    TIMING = "timing"
    PRORATION = "proration"
    COTERM = "coterm"
    TAX = "tax"
    FX = "fx"
    ROUNDING = "rounding"
    MAPPING = "mapping"
    TEST_DATA = "test_data"


_FROM: dict[Move, frozenset[State]] = {
    Move.ACKNOWLEDGE: frozenset({State.OPEN}),
    Move.EXPIRE: frozenset({State.ACKNOWLEDGED}),
    Move.START: frozenset({State.ACKNOWLEDGED}),
    Move.PEND: frozenset({State.IN_PROGRESS}),
    Move.RESUME: PENDING,
    Move.RESOLVE: ACTIVE - {State.OPEN},
    Move.CLEAR: ACTIVE,
    Move.VERIFY: frozenset({State.RESOLVED}),
    Move.REGRESS: CLOSED,
}
_TO: dict[Move, State] = {
    Move.ACKNOWLEDGE: State.ACKNOWLEDGED,
    Move.EXPIRE: State.OPEN,
    Move.START: State.IN_PROGRESS,
    Move.RESUME: State.IN_PROGRESS,
    Move.RESOLVE: State.RESOLVED,
    Move.CLEAR: State.RESOLVED,
    Move.VERIFY: State.VERIFIED,
    Move.REGRESS: State.OPEN,
}
_INFINITIVE: dict[Move, str] = {
    Move.ACKNOWLEDGE: "be acknowledged",
    Move.EXPIRE: "lose its acknowledgement",
    Move.START: "be started",
    Move.PEND: "wait",
    Move.RESUME: "be resumed",
    Move.RESOLVE: "be resolved by hand",
    Move.CLEAR: "be resolved by its check",
    Move.VERIFY: "be verified",
    Move.REGRESS: "come back",
}


def after(reference: str, state: State, move: Move, pending: State | None = None) -> State:
    """The state that a move leads to; `pending` says for whom a `pended` case waits. MoveRefused if illegal."""
    if move in UNMOVING:
        return state
    allowed = _FROM.get(move, frozenset())
    if state not in allowed:
        raise MoveRefused(
            f"{reference} is {spoken(state)} and cannot {_INFINITIVE.get(move, 'be opened again')}; "
            f"it would have to be {' or '.join(sorted(spoken(one) for one in allowed)) or 'new'}."
        )
    if move is Move.PEND:
        if pending not in PENDING:
            raise MoveRefused(f"{reference} can wait for the customer, a vendor or an approval; say for which.")
        return pending
    return _TO[move]


def spoken(state: State) -> str:
    """The state in words."""
    return state.value.replace("pending_", "waiting for ").replace("_", " ")
