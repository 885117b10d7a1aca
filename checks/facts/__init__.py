"""Relations that several checks read: what was agreed, subscribed, due, billed."""
