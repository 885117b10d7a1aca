"""What meters counted, per customer and day (UTC), as `billing.meter_event_summary`.

Stripe keeps no list of summaries: they are asked for by meter and customer. The customers are those with a subscription
item whose price names the meter. Events may come 35 days late (vendors.md C3), so that many days are read again.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from connectors.contract import Record
from connectors.fields import Field
from connectors.stripe.api import StripeApi
from connectors.stripe.expressions import PARENT, Expressions
from connectors.stripe.reading import Reader
from connectors.stripe.resources import RESOURCES

LATE = timedelta(days=35)
DAY = timedelta(days=1)
_METER, _CUSTOMER = Field("price.recurring.meter"), Field("_parent.customer")


class MeterUsage:
    """Summaries as records, with their `customer`, and their meter as `_parent`."""

    def __init__(self, api: StripeApi, expressions: Expressions) -> None:
        self._api = api
        self._expressions = expressions
        self._meters = Reader(api, RESOURCES["billing.meter"], Expressions({}))
        self._items = Reader(api, RESOURCES["subscription_item"], Expressions({}))

    def pages(self, start: datetime | None, now: datetime) -> Iterator[Sequence[Record]]:
        """From the day of `start`, or of each meter's first, to the end of today."""
        metered = self._metered()
        meters = [meter for records, _ in self._meters.pages() for meter in records]
        for meter in meters:
            for customer in sorted(metered.get(str(meter["id"]), ())):
                yield from self._summaries(meter, customer, start, now)

    def _summaries(
        self, meter: Record, customer: str, start: datetime | None, now: datetime
    ) -> Iterator[Sequence[Record]]:
        born = datetime.fromtimestamp(int(meter["created"]), UTC)
        window = {
            "customer": customer,
            "start_time": str(_day(max(born, start) if start else born)),
            "end_time": str(_day(now) + int(DAY.total_seconds())),
            "value_grouping_window": "day",
        }
        for page in self._api.pages(f"/v1/billing/meters/{quote(str(meter['id']), safe='')}/event_summaries", window):
            found = [{**summary, "customer": customer, PARENT: meter} for summary in page.records]
            yield [self._expressions.added(record) for record in found]

    def _metered(self) -> dict[str, set[str]]:
        """The customers of each meter."""
        found: dict[str, set[str]] = {}
        for items, _ in self._items.pages():
            for item in items:
                meter, customer = _METER.read(item), _CUSTOMER.read(item)
                if isinstance(meter, str) and isinstance(customer, str):
                    found.setdefault(meter, set()).add(customer)
        return found


def _day(moment: datetime) -> int:
    """Unix seconds of the midnight before a moment; days of summaries are days in UTC."""
    return int(moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
