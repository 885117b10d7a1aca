"""Periods, money and rates: what several checks count with."""
