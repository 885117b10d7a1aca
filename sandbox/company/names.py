"""Made-up names of customers, and where customers of a currency sit."""

from decimal import Decimal
from itertools import product
from random import Random

_FIRST = (
    "Alderbrook Amberline Ashgrove Birchmoor Brackenfield Bluehollow Cinderford Clearmarsh Copperdale Crestwick "
    "Driftwood Dunmere Eastermill Elmstead Fairhaven Fernbank Foxglove Glenharrow Goldcrest Greyfell Harrowgate "
    "Hazelmere Highmoor Hollybrook Ironbridge Juniper Kestrelway Kingsmoor Larkspur Longmeadow Maplecroft Millstone "
    "Mistral Northgate Oakhurst Oldbury Pinecrest Quillon Ravenscar Redfern Rosemount Saltmarsh Silverbeck Stonehaven "
    "Sunderby Thornfield Umberland Valewood Westmere Willowbank"
)
_SECOND = ("Foods", "Logistics", "Analytics", "Health", "Energy", "Textiles", "Robotics", "Media", "Insurance", "Labs")

TIME_ZONES = {
    "USD": ("America/New_York", "America/Chicago", "America/Los_Angeles"),
    "EUR": ("Europe/Berlin", "Europe/Paris", "Europe/Madrid"),
    "GBP": ("Europe/London",),
    "JPY": ("Asia/Tokyo",),
}
TAXES = {
    "USD": ((Decimal("0"), "US-NONTAXABLE"), (Decimal("0.0825"), "US-SAAS"), (Decimal("0.06"), "US-SAAS")),
    "EUR": ((Decimal("0.19"), "EU-STANDARD"), (Decimal("0.20"), "EU-STANDARD")),
    "GBP": ((Decimal("0.20"), "UK-STANDARD"),),
    "JPY": ((Decimal("0.10"), "JP-STANDARD"),),
}


def shuffled_names(rng: Random) -> list[str]:
    """All the names there are, in an order of the seed; the list runs out after 500."""
    names = [f"{first} {second}" for first, second in product(_FIRST.split(), _SECOND)]
    rng.shuffle(names)
    return names
