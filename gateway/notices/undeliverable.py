"""A message that reaches nobody is itself an exception, for IT. Declared like a check, so that it is owned,
promised and shown like any other; no sweep asks it, dispatch does.

Why it matters: An owner who does not hear of an exception cannot keep its deadline, and nobody notices.

Usual cause: A webhook was removed, a channel archived, an address mistyped, or the mail server refuses us.

How to fix: Read what the receiver said in the evidence, correct the channel in owners.yaml or its environment
variable, and start Tieout again. The case resolves by itself when the channel has taken messages again.

What it is not: A receiver that is only down for a while. Its messages are sent again, and nothing is reported.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

import ibis.expr.types as ir

from books.reading import Books
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Outcome,
    Owner,
    Params,
    Pattern,
    Scope,
    Severity,
    Spans,
)
from checks.findings import Evaluation, Finding, Record

SYSTEM = "tieout"


def _asked_by_dispatch_only(_: Books, __: Params) -> ir.Table:
    raise NotImplementedError("notice_undeliverable is found by dispatch, not in the books")


UNDELIVERABLE = Check(
    id="notice_undeliverable",
    doc=__doc__,
    pattern=Pattern.CONTROL_HEALTH,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.IT),
    mode=Mode.MONITOR,
    scope=Scope.RUN,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(),
    arithmetic=Arithmetic.of(expected="delivered", actual="0", amount="0"),
    message="The channel {subject} does not take messages: {error}",
    find=_asked_by_dispatch_only,
)


def account(channel: str) -> str:
    """What stands for the channel where a case has its account, so that channels are covered one by one."""
    return f"{SYSTEM}:{channel}"


def evaluation(dead: Mapping[str, str], tried: Collection[str], now: datetime) -> Evaluation:
    """What dispatch has found: channel to the last error. Of the channels that were tried, the others work."""
    findings = tuple(_finding(channel, error, now) for channel, error in sorted(dead.items()))
    outcome = Outcome.FAILED if findings else Outcome.PASSED
    return Evaluation(UNDELIVERABLE, outcome, None, findings, accounts=frozenset(account(one) for one in tried))


def _finding(channel: str, error: str, now: datetime) -> Finding:
    record = Record(SYSTEM, "channels", channel)
    return Finding(
        check=UNDELIVERABLE.id,
        version=UNDELIVERABLE.version,
        severity=UNDELIVERABLE.severity,
        mode=UNDELIVERABLE.mode,
        scope=UNDELIVERABLE.scope,
        kind=UNDELIVERABLE.kind,
        owners=UNDELIVERABLE.owners,
        record=record,
        account_key=account(channel),
        subject=channel,
        period=(None, None),
        expected=Decimal(1),
        actual=Decimal(0),
        amount=Decimal(0),
        currency=None,
        terms={"delivered": Decimal(1)},
        arithmetic="1 message expected, 0 delivered",
        message=UNDELIVERABLE.message.format(subject=channel, error=error),
        evidence=(record,),
        invoice_key=None,
        line_key=None,
        fails_from=now,
    )
