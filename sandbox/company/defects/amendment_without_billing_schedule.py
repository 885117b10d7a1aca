"""An amendment was ordered and has taken effect, and billing still bills the old quantity."""

from sandbox.company.amending import change
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, CRM, Consequence, Planted
from sandbox.company.model import ARREARS, Change
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "amendment_without_billing_schedule"


def more_annual_seats(story: Story) -> Plot:
    """The year is paid for already, so no later invoice shows what is missing."""
    contract = story.sell(9, Terms("SEAT-PRO", story.rng.randint(50, 120), months=12))
    delta = story.rng.randint(8, 25)
    made = change(story.deals, story.line(contract, "SEAT-PRO"), delta, story.months_ago(3))
    yield Stage.SIGNED
    _ignore(story, made, "seats added in the middle of an annual period")


def more_quarterly_seats(story: Story) -> Plot:
    contract = story.sell(8, Terms("SEAT-STD", story.rng.randint(80, 200), months=3), Terms("SUPPORT", months=3))
    delta = story.rng.randint(10, 30)
    made = change(story.deals, story.line(contract, "SEAT-STD"), delta, story.months_ago(1))
    yield Stage.SIGNED
    _ignore(story, made, "seats added in the middle of a quarter")


def more_seats_in_arrears(story: Story) -> Plot:
    """The first period that the change touches ends after the run, so no invoice line is wrong yet."""
    contract = story.sell(11, Terms("SEAT-STD", story.rng.randint(80, 200), months=6, timing=ARREARS))
    delta = story.rng.randint(10, 30)
    made = change(story.deals, story.line(contract, "SEAT-STD"), delta, story.months_ago(4))
    yield Stage.SIGNED
    _ignore(story, made, "seats added, billed twice a year in arrears")


def more_monthly_seats(story: Story) -> Plot:
    """The draft of this month bills the old quantity too, which is wrong for the same reason."""
    contract = story.sell(6, Terms("SEAT-VIEW", story.rng.randint(100, 300)))
    middle = story.months_ago(1).replace(day=story.rng.randint(9, 19))
    made = change(story.deals, story.line(contract, "SEAT-VIEW"), story.rng.randint(20, 60), middle)
    yield Stage.SIGNED
    story.world.not_applied.add(made.amendment_id)
    yield Stage.INVOICED
    draft = story.drafted(story.charge(contract, "SEAT-VIEW"))
    wrong = Consequence("contract_terms_vs_billing", BILLING, "invoice_lines", draft.billing_id, draft.start)
    _plant(story, made, "seats added in the middle of last month, billed monthly", (wrong,))


def _ignore(story: Story, made: Change, note: str) -> None:
    story.world.not_applied.add(made.amendment_id)
    _plant(story, made, note, ())


def _plant(story: Story, made: Change, note: str, also: tuple[Consequence, ...]) -> None:
    price = story.world.lines[made.line_id].price
    said = f"{note}: {made.delta:+} at {price} {story.currency} a month since {made.effective}"
    story.plant(Planted(CHECK, CRM, "amendments", made.amendment_id, None, story.currency, said, also=also))


TALES = (
    Tale(more_annual_seats, "USD"),
    Tale(more_quarterly_seats, "GBP"),
    Tale(more_seats_in_arrears, "JPY"),
    Tale(more_monthly_seats, "EUR"),
)
