from tests.gateway.prebill.prebill_fixtures import base_books, caller, serve, unpublished, world, worlds

__all__ = ["base_books", "caller", "serve", "unpublished", "world", "worlds"]
