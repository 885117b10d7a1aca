"""From the sources into the books: positions, watermarks, rejects and published snapshots."""
