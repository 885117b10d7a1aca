"""The HTTP API under /v1: thin routes, one error shape (RFC 9457)."""
