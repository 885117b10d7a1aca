"""Dates, periods and cut-offs on which systems disagree."""
