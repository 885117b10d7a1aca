"""Runs that are large for a reason that the schedule knows."""

from decimal import Decimal

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING
from sandbox.company.stories import Plot, Stage, Story, Tale


def a_year_in_advance(story: Story) -> Plot:
    """A contract many times the usual size bills its year in this run."""
    contract = story.sell(12, Terms("PLATFORM-ENT", 90, Decimal(5_000), months=12), term=36)
    yield Stage.INVOICED
    draft = story.drafted(story.charge(contract, "PLATFORM-ENT"))
    note = "an annual contract that falls due in the run"
    story.resemble("run_total_anomaly", BILLING, "invoices", draft.invoice_id, note)


TALES = (Tale(a_year_in_advance, "USD", CLEAN_BATCH),)
