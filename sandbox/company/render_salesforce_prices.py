"""The CRM's view of prices: the price book, discounts for a time, and who approved what of a quote."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from sandbox.company.amounts import CURRENCIES, local_price
from sandbox.company.catalog import PRODUCTS
from sandbox.company.model import Discount, QuoteLine, a_day_before
from sandbox.company.world import World
from sandbox.salesforce import make_id

Row = dict[str, Any]

# sbaa is the package of CPQ's approvals. Which record an approval is about stands in a field that each org adds.
OBJECTS: Mapping[str, Mapping[str, str]] = {
    "PricebookEntry": {
        "Product2Id": "reference(Product2)",
        "UnitPrice": "currency",
        "CurrencyIsoCode": "picklist",
        "IsActive": "boolean",
    },
    "Discount__c": {
        "Subscription__c": "reference(SBQQ__Subscription__c)",
        "Name": "string",
        "Rate__c": "percent",
        "Amount__c": "currency",
        "CurrencyIsoCode": "picklist",
        "Start_Date__c": "date",
        "End_Date__c": "date",
        "Stackable__c": "boolean",
    },
    "sbaa__Approval__c": {
        "Quote__c": "reference(SBQQ__Quote__c)",
        "sbaa__Status__c": "picklist",
        "Approved_Discount__c": "percent",
    },
}
_SELLERS_LIMIT = Decimal("0.15")


def render_prices(world: World, product_ids: Mapping[str, str]) -> dict[str, list[Row]]:
    """Rows by object."""
    return {
        "PricebookEntry": list(_price_book(world, product_ids)),
        "Discount__c": [_discount(world, discount) for discount in world.discounts.values()],
        "sbaa__Approval__c": list(_approvals(world)),
    }


def listed_price(world: World, line: QuoteLine) -> Decimal:
    """What a unit costs before any discount, in the customer's currency."""
    account = world.accounts[world.quotes[line.quote_id].account_id]
    return local_price(PRODUCTS[line.product_code].list_price, account.currency)


def _price_book(world: World, product_ids: Mapping[str, str]) -> Iterator[Row]:
    places = ((product, currency) for product in PRODUCTS.values() for currency in CURRENCIES)
    for place, (product, currency) in enumerate(places):
        row = {
            "Id": make_id("01u", 501 + place),
            "Product2Id": product_ids[product.code],
            "UnitPrice": local_price(product.list_price, currency),
            "CurrencyIsoCode": currency,
            "IsActive": product.list_price > 0,
        }
        yield row | dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), world.migrated_at)


def _discount(world: World, discount: Discount) -> Row:
    contract = world.contracts[world.lines[discount.line_id].contract_id]
    row = {
        "Id": discount.crm_id,
        "Subscription__c": discount.line_id,
        "Name": discount.name,
        "Rate__c": None if discount.rate is None else discount.rate * 100,
        "Amount__c": discount.amount,
        "CurrencyIsoCode": world.accounts[contract.account_id].currency,
        "Start_Date__c": discount.start,
        "End_Date__c": a_day_before(discount.end) if discount.end else None,
        "Stackable__c": discount.stackable,
    }
    return row | dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), contract.activated_at)


def _approvals(world: World) -> Iterator[Row]:
    """An approval for each quote whose discount needs one; `approved_up_to` knows those that have another, or none."""
    deepest: dict[str, Decimal] = defaultdict(Decimal)
    for line in world.quote_lines.values():
        listed = listed_price(world, line)
        if line.amends is None and listed:
            deepest[line.quote_id] = max(deepest[line.quote_id], 1 - line.price / listed)
    for quote_id, rate in deepest.items():
        if rate <= _SELLERS_LIMIT:
            continue
        up_to = world.approved_up_to.get(quote_id, rate.quantize(Decimal("0.01"), ROUND_UP))
        if up_to is not None:
            approved_at = world.quotes[quote_id].ordered_at - timedelta(days=1)
            row = {
                "Id": world.ids.crm("approval"),
                "Quote__c": quote_id,
                "sbaa__Status__c": "Approved",
                "Approved_Discount__c": up_to * 100,
            }
            yield row | dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), approved_at)
