"""The contract is in billing, but one of its lines was left behind."""

from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Planted
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "order_lines_missing_in_billing"


def support_left_out(story: Story) -> Plot:
    contract = story.sell(9, Terms("SEAT-PRO", story.rng.randint(20, 90)), Terms("SUPPORT"))
    yield Stage.SIGNED
    _leave_out(story, contract, "SUPPORT", "the smaller of two monthly lines")


def annual_platform_left_out(story: Story) -> Plot:
    contract = story.sell(
        7, Terms("PLATFORM-ENT", months=12), Terms("SEAT-VIEW", story.rng.randint(200, 500), months=12)
    )
    yield Stage.SIGNED
    _leave_out(story, contract, "PLATFORM-ENT", "the annual fee, due once so far")


def seats_left_out(story: Story) -> Plot:
    contract = story.sell(
        4, Terms("PLATFORM", months=3), Terms("SEAT-STD", story.rng.randint(30, 70), months=3), Terms("TRAINING", 2)
    )
    yield Stage.SIGNED
    _leave_out(story, contract, "SEAT-STD", "one of three lines, quarterly")


def _leave_out(story: Story, contract: Contract, product: str, note: str) -> None:
    line = story.line(contract, product)
    story.world.not_charged.add(line.crm_id)
    story.plant(Planted(CHECK, CRM, "contract_lines", line.crm_id, None, story.currency, note))


TALES = (Tale(support_left_out, "USD"), Tale(annual_platform_left_out, "GBP"), Tale(seats_left_out, "JPY"))
