"""The largest text that an expression makes: texts that double would fill the memory."""

from __future__ import annotations

from fhirmap.errors import TransformFailed

__all__ = ["MOST_CHARACTERS", "bounded_sum", "check_length"]

MOST_CHARACTERS = 10_000_000


def check_length(length: int, function: str) -> None:
    """Raise where a text has more characters than any should.

    Raises: ``TransformFailed`` FM433 beyond `MOST_CHARACTERS`.
    """
    if length > MOST_CHARACTERS:
        raise TransformFailed("FM433", variant="long_text", function=function, limit=MOST_CHARACTERS)


def bounded_sum(left: str, right: str, operator: str) -> str:
    """Both texts, one after the other.

    Raises: ``TransformFailed`` FM433 where that is too long (`check_length`).
    """
    if left and right:
        check_length(len(left) + len(right), operator)
    return left + right
