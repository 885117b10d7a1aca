"""Events that were applied in the wrong order, or after the fact."""
