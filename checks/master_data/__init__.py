"""Customer data that differ between copies, or are incomplete."""
