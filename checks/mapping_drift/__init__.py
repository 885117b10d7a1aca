"""Fields that no longer mean what their mapping says."""
