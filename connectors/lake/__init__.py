"""Reads tables that already exist in a lakehouse, where they are."""

from connectors.kind import Kind
from connectors.lake.connector import Lake, LakeConfig, rewritten_each_time

KIND = Kind(
    "lake",
    LakeConfig,
    Lake,
    options=frozenset({"table", "format"}),
    reads_in_full=rewritten_each_time,
)
