"""The signed text changes when revenue is earned, and the contract does not say so."""

from decimal import Decimal

from sandbox.company.clauses import read
from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "nonstandard_terms_unflagged"


def payment_in_120_days(story: Story) -> Plot:
    terms = Terms("SEAT-STD", story.rng.randint(60, 160))
    yield from _unflagged(story, 7, terms, "Extended_Terms", Decimal("0.96"), None)


def on_acceptance(story: Story) -> Plot:
    yield from _unflagged(story, 3, Terms("PLATFORM-ENT", months=12), "Acceptance", Decimal("0.62"), "r.castell")


def read_by_a_person(story: Story) -> Plot:
    yield from _unflagged(story, 10, Terms("PLATFORM", 3, months=3), "Termination", None, None)


def surely_enough(story: Story) -> Plot:
    """Exactly as sure as it must be."""
    yield from _unflagged(story, 5, Terms("SUPPORT", 5), "Termination", Decimal("0.90"), None)


def _unflagged(
    story: Story, months_ago: int, terms: Terms, kind: str, confidence: Decimal | None, confirmed_by: str | None
) -> Plot:
    contract = story.sell(months_ago, terms)
    yield Stage.SIGNED
    read(story.world, contract, kind, confidence, confirmed_by)
    worth = story.world.opportunities[contract.opportunity_id].amount
    note = f"{kind}, {'read by a person' if confidence is None else confidence}"
    story.plant(Planted(CHECK, CRM, "contracts", contract.crm_id, worth, story.currency, note))


TALES = (
    Tale(payment_in_120_days, "USD"),
    Tale(on_acceptance, "EUR"),
    Tale(read_by_a_person, "GBP"),
    Tale(surely_enough, "JPY"),
)
