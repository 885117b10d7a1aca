"""Made-up names of customers, and where customers of a currency sit."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import count, product
from random import Random

_FIRST = (
    "Alderbrook Amberline Ashgrove Birchmoor Brackenfield Bluehollow Cinderford Clearmarsh Copperdale Crestwick "
    "Driftwood Dunmere Eastermill Elmstead Fairhaven Fernbank Foxglove Glenharrow Goldcrest Greyfell Harrowgate "
    "Hazelmere Highmoor Hollybrook Ironbridge Juniper Kestrelway Kingsmoor Larkspur Longmeadow Maplecroft Millstone "
    "Mistral Northgate Oakhurst Oldbury Pinecrest Quillon Ravenscar Redfern Rosemount Saltmarsh Silverbeck Stonehaven "
    "Sunderby Thornfield Umberland Valewood Westmere Willowbank"
)
_SECOND = ("Foods", "Logistics", "Analytics", "Health", "Energy", "Textiles", "Robotics", "Media", "Insurance", "Labs")

_TOWNS = (
    "Antwerp Bergen Calgary Dresden Exeter Fresno Geneva Hobart Innsbruck Jaipur Kyoto Lisbon Mendoza Nantes Oporto "
    "Perth Quito Rotterdam Salerno Tampere Uppsala Verona Windsor Yokohama Zagreb"
)

TIME_ZONES = {
    "USD": ("America/New_York", "America/Chicago", "America/Los_Angeles"),
    "EUR": ("Europe/Berlin", "Europe/Paris", "Europe/Madrid"),
    "GBP": ("Europe/London",),
    "JPY": ("Asia/Tokyo",),
}
SELLERS = {"USD": "US Inc", "EUR": "DE GmbH", "GBP": "UK Ltd", "JPY": "JP KK"}
"""Which of the company's own legal entities sells in which currency."""
PLACES = {
    "USD": (("120 Harbor Street", "Boston", "02110", "US"), ("48 Lake Drive", "Chicago", "60601", "US")),
    "EUR": (("Lindenallee 14", "Hamburg", "20095", "DE"), ("7 rue du Port", "Nantes", "44000", "FR")),
    "GBP": (("9 Mill Lane", "Leeds", "LS1 4DY", "GB"),),
    "JPY": (("3-8 Sakae", "Nagoya", "460-0008", "JP"),),
}
"""Street, city, postal code and country of customers of a currency."""
PEOPLE = ("Ana Reyes", "Tom Okafor", "Mia Lindqvist", "Ken Mori", "Ines Duarte", "Paul Weber", "Ruth Adeyemi")
TAXES = {
    "USD": ((Decimal("0"), "US-NONTAXABLE"), (Decimal("0.0825"), "US-SAAS"), (Decimal("0.06"), "US-SAAS")),
    "EUR": ((Decimal("0.19"), "EU-STANDARD"), (Decimal("0.20"), "EU-STANDARD")),
    "GBP": ((Decimal("0.20"), "UK-STANDARD"),),
    "JPY": ((Decimal("0.10"), "JP-STANDARD"),),
}


def names_of(rng: Random) -> Iterator[str]:
    """Names in an order of the seed, no two alike: five hundred plain ones, then as many of each town."""
    plain = [f"{first} {second}" for first, second in product(_FIRST.split(), _SECOND)]
    rng.shuffle(plain)
    yield from plain
    for turn in count(1):
        for town in _TOWNS.split():
            yield from (f"{name} {town}{f' {turn}' if turn > 1 else ''}" for name in plain)
