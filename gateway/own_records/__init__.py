"""Our own cases, holds and overrides as rows of the books, so that checks on our controls read them like any other."""
