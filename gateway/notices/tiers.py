"""Where news of a case goes, by its severity, its confidence and its size. Pure.

S1 and S2 are told at once at any confidence. Confidence steers the others: S3 above `alert_above` in the daily digest;
S3 between the limits, and S4, in the weekly one; below `digest_from` they wait in the review queue and nobody is told,
unless the amount is large or cannot be compared: then the owner reads it in the daily digest. Exactly at a limit is
the digest. Deadlines are told whatever the confidence is.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

URGENT = frozenset({"S1", "S2"})


class Tier(StrEnum):
    """What the confidence alone says: `alert` above the upper limit, `digest` between them, `review` below."""

    ALERT = "alert"
    DIGEST = "digest"
    REVIEW = "review"


class Route(StrEnum):
    """How an owner hears of it."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"
    REVIEW = "review"


@dataclass(frozen=True)
class Tiers:
    """From `review_limit` on, in the reporting currency, somebody is told although the finding is unsure."""

    alert_above: Decimal = Decimal("0.90")
    digest_from: Decimal = Decimal("0.70")
    review_limit: Decimal = Decimal(1000)

    def tier(self, confidence: Decimal) -> Tier:
        if confidence > self.alert_above:
            return Tier.ALERT
        return Tier.DIGEST if confidence >= self.digest_from else Tier.REVIEW

    def route(self, severity: str, confidence: Decimal, reporting_amount: Decimal | None) -> Route:
        """`reporting_amount` None: there is no rate, so nobody can say that it is small."""
        if severity in URGENT:
            return Route.AT_ONCE
        tier = self.tier(confidence)
        if tier is Tier.REVIEW:
            large = reporting_amount is None or reporting_amount >= self.review_limit
            return Route.DAILY if large else Route.REVIEW
        return Route.DAILY if severity == "S3" and tier is Tier.ALERT else Route.WEEKLY
