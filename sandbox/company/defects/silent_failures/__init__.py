"""Flows that failed, or did nothing, and told nobody."""
