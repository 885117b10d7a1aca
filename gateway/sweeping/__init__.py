"""What a sweep has to look at again: what changed, what is due, what waited."""
