"""A connection to PostgreSQL that does not wait for ever: libpq has a limit for connecting, and none for an answer."""

from __future__ import annotations

from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg

__all__ = ["ImpatientConnection", "NoAnswerError"]

Value = TypeVar("Value")


class NoAnswerError(psycopg.OperationalError):
    """The server sent nothing for as long as it may."""


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is closed where the server sends nothing for ``answer_s`` seconds."""

    answer_s = 1800.0

    def wait(self, gen: Generator[Any, Any, Value], *args: Any, **options: Any) -> Value:  # noqa: ANN401 - psycopg's own
        """As of `psycopg.Connection`. Raises: NoAnswerError."""
        try:
            return super().wait(_limited(gen, self.answer_s), *args, **options)
        except NoAnswerError:
            # What follows, such as a rollback, would wait as long again.
            self.pgconn.finish()
            raise


def _limited(gen: Generator[Any, Any, Value], limit_s: float) -> Generator[Any, Any, Value]:
    """The same conversation: psycopg passes nothing, each tenth of a second, as long as nothing comes."""
    last = monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                last = monotonic()
            elif monotonic() - last > limit_s:
                raise NoAnswerError
            wanted = gen.send(ready)
    except StopIteration as end:
        value: Value = end.value
        return value
