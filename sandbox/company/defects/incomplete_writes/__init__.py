"""A transaction that looks complete and is not: one system has it, the next has only a part."""
