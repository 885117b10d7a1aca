"""Usage: events that senders report to a meter, and what it counted for a customer (vendors.md C3)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.stripe.account import Object, StripeAccount
from sandbox.stripe.errors import invalid, lacking, missing, unknown
from sandbox.stripe.lists import PAGING
from sandbox.stripe.params import whole

UNIQUE = timedelta(hours=24)
OLDEST, AHEAD = timedelta(days=35), timedelta(minutes=5)
LONGEST_IDENTIFIER = 100
_WINDOWS = {"hour": 3_600, "day": 86_400}


@dataclass(frozen=True)
class Usage:
    """One event that was taken."""

    event_name: str
    customer: str
    value: Decimal
    moment: int
    identifier: str
    received: int


class Meters:
    """The meter endpoints of an account. Every method raises Refusal where Stripe refuses."""

    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self._usage: list[Usage] = []

    def take(self, params: Mapping[str, Any]) -> Object:
        """Take one event, as `POST /v1/billing/meter_events` does."""
        for name in params:
            if name not in ("event_name", "payload", "identifier", "timestamp", "expand"):
                raise unknown(name)
        payload = params.get("payload")
        if not params.get("event_name") or not isinstance(payload, dict):
            raise lacking("payload" if params.get("event_name") else "event_name")
        now = self._account.now()
        customer, value = self._measured(params, payload)
        moment, identifier = self._moment(params, now), self._identifier(params, now)
        taken = Usage(str(params["event_name"]), customer, value, moment, identifier, now)
        self._usage.append(taken)
        return {
            "object": "billing.meter_event",
            "created": now,
            "event_name": taken.event_name,
            "identifier": taken.identifier,
            "livemode": False,
            "payload": payload,
            "timestamp": taken.moment,
        }

    def summaries(self, identity: str, params: Mapping[str, Any]) -> list[Object]:
        """What a meter counted for a customer between two moments, by hour, by day, or in all; newest first."""
        meter = self._account.get("billing.meter", identity)
        if meter is None:
            raise missing("meter", identity)
        start, end, width = _window(params)
        customer = str(params["customer"])
        if self._account.get("customer", customer) is None:
            raise missing("customer", customer, "customer")
        mine = [u for u in self._usage if (u.event_name, u.customer) == (meter["event_name"], customer)]
        formula = meter["default_aggregation"]["formula"]
        return [
            _summary(identity, customer, begin, begin + width, _aggregated(formula, counted))
            for begin in reversed(range(start, end, width))
            if (counted := [u for u in mine if begin <= u.moment < begin + width])
        ]

    def _measured(self, params: Mapping[str, Any], payload: Mapping[str, Any]) -> tuple[str, Decimal]:
        """The customer and the value, by the names that the meter has for them."""
        meters = self._account.all("billing.meter", {"event_name": params["event_name"], "status": "active"})
        if not meters:
            raise invalid("event_name", f"No active meter found for event name {params['event_name']}.")
        customer = payload.get(meters[0]["customer_mapping"]["event_payload_key"])
        if not customer:
            raise invalid("payload", "The payload does not name a customer.")
        try:
            value = Decimal(str(payload.get(meters[0]["value_settings"]["event_payload_key"])))
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            raise invalid("payload", "The payload's value is not a number.")
        return str(customer), value

    def _moment(self, params: Mapping[str, Any], now: int) -> int:
        moment = whole(params, "timestamp")
        moment = now if moment is None else moment
        if not now - OLDEST.total_seconds() <= moment <= now + AHEAD.total_seconds():
            raise invalid("timestamp", "The timestamp is not within the past 35 days or up to 5 minutes ahead.")
        return moment

    def _identifier(self, params: Mapping[str, Any], now: int) -> str:
        identifier = str(params.get("identifier") or f"meter-event-{len(self._usage) + 1}")
        if len(identifier) > LONGEST_IDENTIFIER:
            raise invalid("identifier", f"The identifier has more than {LONGEST_IDENTIFIER} characters.")
        if any(u.identifier == identifier and now - u.received < UNIQUE.total_seconds() for u in self._usage):
            raise invalid("identifier", f"An event already exists with identifier {identifier}.")
        return identifier


def _window(params: Mapping[str, Any]) -> tuple[int, int, int]:
    """Start, end and the width of a summary; aligned as Stripe asks for."""
    known = {*PAGING, "customer", "start_time", "end_time", "value_grouping_window"}
    for name in params:
        if name not in known:
            raise unknown(name)
    for name in ("customer", "start_time", "end_time"):
        if not params.get(name):
            raise lacking(name)
    start, end = whole(params, "start_time") or 0, whole(params, "end_time") or 0
    if start >= end:
        raise invalid("end_time", "The end_time must be after the start_time.")
    grouping = params.get("value_grouping_window")
    if grouping not in (None, *_WINDOWS):
        raise invalid("value_grouping_window", "Invalid value_grouping_window: must be one of hour, day")
    step = _WINDOWS.get(str(grouping), 60)
    for name, moment in (("start_time", start), ("end_time", end)):
        if moment % step:
            raise invalid(name, f"The {name} must be aligned with {grouping or 'minute'} boundaries.")
    return start, end, step if grouping else end - start


def _aggregated(formula: str, counted: Sequence[Usage]) -> Decimal:
    if formula == "count":
        return Decimal(len(counted))
    if formula == "last":
        return max(counted, key=lambda usage: usage.moment).value
    return sum((usage.value for usage in counted), Decimal(0))


def _summary(meter: str, customer: str, start: int, end: int, value: Decimal) -> Object:
    digest = hashlib.sha256(f"{meter} {customer} {start} {end}".encode()).hexdigest()[:24]
    return {
        "id": f"mtrusg_{digest}",
        "object": "billing.meter_event_summary",
        "aggregated_value": value,
        "end_time": end,
        "livemode": False,
        "meter": meter,
        "start_time": start,
    }
