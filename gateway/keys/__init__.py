"""API keys: shown once, kept as hashes, each with the scopes that it may use."""
