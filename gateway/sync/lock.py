"""The right to write the books: one cycle at a time over all processes."""

SYNC_LOCK = 4_701_002  # any number that nothing else in Tieout locks
