"""What the company sells."""

from dataclasses import dataclass
from decimal import Decimal

RECURRING, ONE_TIME, USAGE = "Recurring", "One-Time", "Usage"
OVER_TIME, POINT_IN_TIME, NO_RECOGNITION = "Over time", "Point in time", "None"


@dataclass(frozen=True)
class Product:
    """`list_price` is in dollars per unit, per month where the product recurs.

    `rollup` is the code of the bundle under which a component is billed; `unit` what one of it is.
    """

    code: str
    name: str
    family: str
    charge_type: str
    list_price: Decimal
    recognition: str
    unit: str = "Each"
    rollup: str | None = None
    meter: str | None = None


_ALL = (
    Product("SEAT-STD", "Standard seat", "Seats", RECURRING, Decimal(40), OVER_TIME, "Seat"),
    Product("SEAT-PRO", "Professional seat", "Seats", RECURRING, Decimal(75), OVER_TIME, "Seat"),
    Product("SEAT-VIEW", "Viewer seat", "Seats", RECURRING, Decimal(12), OVER_TIME, "Seat"),
    Product("PLATFORM", "Platform fee", "Platform", RECURRING, Decimal(1800), OVER_TIME),
    Product("PLATFORM-ENT", "Enterprise platform fee", "Platform", RECURRING, Decimal(6500), OVER_TIME),
    Product("SUPPORT", "Premium support", "Support", RECURRING, Decimal(450), OVER_TIME),
    Product("SUITE", "Revenue suite", "Bundles", RECURRING, Decimal(60), OVER_TIME, "Seat"),
    Product("SUITE-FORECAST", "Forecasting", "Bundles", RECURRING, Decimal(18), OVER_TIME, "Seat", "SUITE"),
    Product("SUITE-MOBILE", "Mobile access", "Bundles", RECURRING, Decimal(0), OVER_TIME, "Seat", "SUITE"),
    Product("API-CALL", "API calls", "Usage", USAGE, Decimal("0.004"), POINT_IN_TIME, "Call", meter="api_calls"),
    Product("MESSAGE", "Messages sent", "Usage", USAGE, Decimal("0.012"), POINT_IN_TIME, "Message", meter="messages"),
    Product("STORAGE", "Storage", "Usage", USAGE, Decimal("0.12"), POINT_IN_TIME, "GB", meter="storage"),
    Product("TRANSACTION", "Transactions", "Usage", USAGE, Decimal(60), POINT_IN_TIME, "Payment", meter="transactions"),
    Product("SMS", "Text messages", "Usage", USAGE, Decimal(9), POINT_IN_TIME, "Text", meter="sms"),
    Product("COMPUTE", "Compute hours", "Usage", USAGE, Decimal("0.35"), POINT_IN_TIME, "Hour", meter="compute"),
    Product("LOOKUP", "Address look-ups", "Usage", USAGE, Decimal("0.006"), POINT_IN_TIME, "Address", meter="lookup"),
    Product("ROUTER", "Edge router", "Hardware", ONE_TIME, Decimal(420), POINT_IN_TIME, "Piece"),
    Product("CONSULTING", "Consulting", "Services", USAGE, Decimal(160), POINT_IN_TIME, "Hour of work"),
    Product("COMMIT", "Shortfall of the commitment", "Usage", USAGE, Decimal(0), POINT_IN_TIME, "Commitment"),
    Product("SETUP", "Implementation", "Services", ONE_TIME, Decimal(4800), POINT_IN_TIME),
    Product("TRAINING", "Training day", "Services", ONE_TIME, Decimal(1200), POINT_IN_TIME, "Day"),
    Product("GOODWILL", "Goodwill credit", "Adjustments", ONE_TIME, Decimal(0), NO_RECOGNITION),
)
PRODUCTS = {product.code: product for product in _ALL}
