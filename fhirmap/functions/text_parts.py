"""Parts of texts that hold several things."""

from __future__ import annotations

from fhirmap.errors import TransformFailed
from fhirmap.runtime.fhirpath.strings import compile_pattern
from fhirmap.runtime.functions import function


@function
def capture(text: str, pattern: str, group: int | None = None) -> str | None:
    """What a regular expression finds in a text: its first group, or the one of that number; else nothing.

    A pattern without groups gives all that it matches, as group 0 does. Unlike `replaceMatches(pattern, '$1')`, which
    gives the whole text where the pattern does not match.

    Raises: ``TransformFailed`` FM433 for a pattern that is none, FM463 for a group that it has not.

    Example:
        >>> capture("LOT: A213B456 / SN 42", r"LOT:\\s*(\\w+)"), capture("A213B456", r"SN (\\d+)")
        ('A213B456', None)
    """
    compiled = compile_pattern(pattern)
    number = min(1, compiled.groups) if group is None else group
    if not 0 <= number <= compiled.groups:
        raise TransformFailed("FM463", group=number, count=compiled.groups)
    found = compiled.search(text)
    return (found[number] or None) if found else None
