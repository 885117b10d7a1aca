"""Booked, billed, recognised and collected, tied to each other."""
