"""What a migration carried over wrongly."""
