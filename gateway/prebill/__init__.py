"""The gate: a verdict on an invoice run before it is posted. It fails closed."""
