"""Which moves a case allows, and what it says when it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exceptions.errors import MoveRefused
from gateway.exceptions.states import ACTIVE, CLOSED, PENDING, Move, State, after

LEGAL = {
    (State.OPEN, Move.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Move.EXPIRE): State.OPEN,
    (State.ACKNOWLEDGED, Move.START): State.IN_PROGRESS,
    (State.IN_PROGRESS, Move.PEND): State.PENDING_VENDOR,
    (State.RESOLVED, Move.VERIFY): State.VERIFIED,
    **{(state, Move.RESUME): State.IN_PROGRESS for state in PENDING},
    **{(state, Move.RESOLVE): State.RESOLVED for state in ACTIVE - {State.OPEN}},
    **{(state, Move.CLEAR): State.RESOLVED for state in ACTIVE},
    **{(state, Move.REGRESS): State.OPEN for state in CLOSED},
    **{(state, move): state for state in State for move in (Move.ASSIGN, Move.COMMENT, Move.CHANGE, Move.ESCALATE)},
}


@given(st.sampled_from(State), st.sampled_from(Move))
def test_every_move_from_every_state(state: State, move: Move) -> None:
    if (state, move) in LEGAL:
        assert after("EXC-1", state, move, State.PENDING_VENDOR) is LEGAL[state, move]
    else:
        with pytest.raises(MoveRefused, match="EXC-1 is"):
            after("EXC-1", state, move, State.PENDING_VENDOR)


def test_a_refusal_says_what_would_be_needed() -> None:
    with pytest.raises(MoveRefused) as refused:
        after("EXC-7", State.OPEN, Move.START)
    assert str(refused.value) == "EXC-7 is open and cannot be started; it would have to be acknowledged."


def test_waiting_needs_somebody_to_wait_for() -> None:
    with pytest.raises(MoveRefused, match="customer, a vendor or an approval"):
        after("EXC-7", State.IN_PROGRESS, Move.PEND, State.OPEN)
