from tests.gateway.prebill.prebill_fixtures import base_books, unpublished, worlds

__all__ = ["base_books", "unpublished", "worlds"]
