"""The database's history, one dated file per change (Alembic)."""
