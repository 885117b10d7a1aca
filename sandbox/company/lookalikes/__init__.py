"""The look-alikes: cases that a rule might take for a defect, and that none may report."""

from sandbox.company.lookalikes import (
    amendments,
    cash,
    credits,
    deals,
    flows,
    hand_overs,
    invoices,
    pauses,
    second_subscriptions,
    usage,
)
from sandbox.company.lookalikes import amendments, cash, deals, flows, invoices, tie_outs, usage
from sandbox.company.stories import Tale

LOOKALIKES: tuple[Tale, ...] = (
    *deals.TALES,
    *amendments.TALES,
    *invoices.TALES,
    *usage.TALES,
    *cash.TALES,
    *flows.TALES,
    *pauses.TALES,
    *second_subscriptions.TALES,
    *hand_overs.TALES,
    *credits.TALES,
    *tie_outs.TALES,
)
