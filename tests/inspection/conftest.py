"""The databases of the sources' tests."""

from tests.sources.conftest import database, prefix

__all__ = ["database", "prefix"]
