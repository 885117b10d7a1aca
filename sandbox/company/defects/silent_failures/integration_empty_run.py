"""A flow of the platform ended well and left most of its records where they were."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from sandbox.company.amounts import document, local_price
from sandbox.company.flow_records import Flow, FlowRun
from sandbox.company.flows import good_runs, run_of
from sandbox.company.labels import PLATFORM, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "integration_empty_run"


def nothing_of_what_the_source_counts(story: Story) -> Plot:
    yield from _short(story, days_ago=1, usual=120, moved=0)


def a_quarter_of_what_the_source_counts(story: Story) -> Plot:
    yield from _short(story, days_ago=3, usual=260, moved=65)


def rejected_a_few_and_saw_no_more(story: Story) -> Plot:
    """What was rejected is in the error queue; the rest is nowhere."""
    yield from _short(story, days_ago=12, usual=48, moved=10, rejected=3)


def nothing_on_a_day_that_is_never_empty(story: Story) -> Plot:
    """Nobody asks the source for a count: the weekdays before say what is usual."""
    flow = _flow(story, 75, counts=False)
    yield Stage.INVOICED
    runs = _good(story, flow)
    runs[-2] = replace(runs[-2], written=0, amount=None)
    before = [run.written for run in runs[:-2] if run.started_at.weekday() == runs[-2].started_at.weekday()]
    assert flow.each is not None
    amount = document(Decimal(sum(before)) / len(before) * flow.each, story.currency)
    _tell(story, runs, runs[-2], amount, "nothing, on a weekday on which something always comes")


def _short(story: Story, days_ago: int, usual: int, moved: int, rejected: int = 0) -> Plot:
    flow = _flow(story, usual, counts=True)
    yield Stage.INVOICED
    runs = _good(story, flow)
    count = usual + story.rng.randint(-9, 9)
    short = run_of(flow, _day(story, days_ago), moved, source_count=count)
    runs[-days_ago] = replace(short, rejected=rejected)
    assert flow.each is not None
    amount = document((count - moved - rejected) * flow.each, story.currency)
    _tell(story, runs, runs[-days_ago], amount, f"{moved} moved of {count}")


def _flow(story: Story, usual: int, *, counts: bool) -> Flow:
    """A flow of its own, so that nothing else is said of it."""
    each = local_price(Decimal(story.rng.randint(15, 400)), story.currency)
    name = f"orders_to_billing_{story.world.ids.number('flow')}"
    return Flow(name, "webshop", "zuora", "Order", (usual,) * 7, each, story.currency, counts, hour=6)


def _good(story: Story, flow: Flow) -> list[FlowRun]:
    return list(good_runs(story.world, flow, 50))


def _day(story: Story, days_ago: int) -> date:
    return story.today - timedelta(days=days_ago)


def _tell(story: Story, runs: list[FlowRun], short: FlowRun, amount: Decimal, note: str) -> None:
    story.world.flow_runs.extend(runs)
    day = short.started_at.date()
    story.plant(Planted(CHECK, PLATFORM, "integration_runs", short.run_id, amount, story.currency, note, day))


TALES = (
    Tale(nothing_of_what_the_source_counts, "USD"),
    Tale(a_quarter_of_what_the_source_counts, "EUR"),
    Tale(nothing_on_a_day_that_is_never_empty, "GBP"),
    Tale(rejected_a_few_and_saw_no_more, "JPY"),
)
