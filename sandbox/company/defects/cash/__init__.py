"""Payments that failed or were never applied."""
