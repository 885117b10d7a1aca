"""What a case was promised when it opened: deadlines and ladder of every severity, frozen with it. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gateway.exceptions.span import Span, Unit

PAUSE_BUDGET = Span(10, Unit.DAY)  # waiting for others may stop the clock for two working weeks per cycle


@dataclass(frozen=True)
class Rung:
    """One step of a ladder. `after` counts from the step before, or from the opening.

    `to`: "owner", "technical_owner", "lead", "technical_lead", "role:finance_ops" or "person:dana".
    """

    to: str
    after: Span


@dataclass(frozen=True)
class Ladder:
    """Whom an unacknowledged case reaches, and when. With `wall_clock`, nights and holidays count."""

    rungs: tuple[Rung, ...]
    loops: int = 1
    wall_clock: bool = False


@dataclass(frozen=True)
class Policy:
    """The deadlines of one severity. `ack` None: no acknowledgement is asked for.

    `ack_timeout`: an acknowledged case on which nothing happens for so long is open again.
    `before_cut_off`: the run's cut-off is a deadline too, where it comes earlier.
    """

    ack: Span | None
    resolve: Span
    ack_timeout: Span | None
    ladder: Ladder
    before_cut_off: bool = False
    pause_budget: Span = PAUSE_BUDGET


@dataclass(frozen=True)
class Terms:
    """A policy per severity, because a case may become more severe while it is open."""

    policies: Mapping[str, Policy]

    @cached_property
    def document(self) -> dict[str, Any]:
        return {severity: _policy_document(policy) for severity, policy in sorted(self.policies.items())}

    @cached_property
    def digest(self) -> str:
        """Equal terms have equal digests, whoever froze them."""
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()[:32]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Terms":
        return cls({severity: _policy(part) for severity, part in document.items()})


def _policy_document(policy: Policy) -> dict[str, Any]:
    return {
        "ack": _text(policy.ack),
        "resolve": str(policy.resolve),
        "ack_timeout": _text(policy.ack_timeout),
        "before_cut_off": policy.before_cut_off,
        "pause_budget": str(policy.pause_budget),
        "ladder": {
            "rungs": [{"to": rung.to, "after": str(rung.after)} for rung in policy.ladder.rungs],
            "loops": policy.ladder.loops,
            "wall_clock": policy.ladder.wall_clock,
        },
    }


def _policy(document: Mapping[str, Any]) -> Policy:
    ladder = document["ladder"]
    return Policy(
        ack=_span(document["ack"]),
        resolve=Span.parse(document["resolve"]),
        ack_timeout=_span(document["ack_timeout"]),
        before_cut_off=document["before_cut_off"],
        pause_budget=Span.parse(document["pause_budget"]),
        ladder=Ladder(
            rungs=tuple(Rung(rung["to"], Span.parse(rung["after"])) for rung in ladder["rungs"]),
            loops=ladder["loops"],
            wall_clock=ladder["wall_clock"],
        ),
    )


def _text(span: Span | None) -> str | None:
    return None if span is None else str(span)


def _span(text: str | None) -> Span | None:
    return None if text is None else Span.parse(text)
