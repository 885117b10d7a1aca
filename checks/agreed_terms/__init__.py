"""Prices, discounts and terms as agreed against what is billed."""
