"""What looks like a number or a name and is of no one: addresses of terminologies, object identifiers of registers."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["public_names"]

_HOSTS = (
    "esante.gouv.fr",
    "hl7.fr",
    "hl7.org",
    "ihe.net",
    "loinc.org",
    "snomed.info",
    "unitsofmeasure.org",
    "w3.org",
    "who.int",
)
# Arcs of countries' and organisations' registers. A person's number in dots begins like none of them: `1.2.250` has a
# year of one digit, `2.16.840` a month of three.
_ROOTS = ("1.2.250.1.", "1.2.276.0.", "1.2.840.", "1.3.6.1.4.1.", "2.16.756.", "2.16.840.1.")
_MOST_DIGITS = 12
"""Digits below a root: one more could be a number of a person."""

# Without what is asked of an address (`?`), and without one that an `@` makes another.
_ADDRESS = re.compile(
    rf"https?://(?:[a-z0-9-]+\.)*(?:{'|'.join(map(re.escape, _HOSTS))})(?:/[A-Za-z0-9_\-.~/]*)?(?![\w.@:-])"
)
_IDENTIFIER = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, _ROOTS))})([0-9]+(?:\.[0-9]+)*)(?![\w-])")


def public_names(text: str) -> Iterator[tuple[int, int]]:
    """Where ``text`` has one: its first sign and the one after its last.

    Example:
        >>> list(public_names("urn:oid:1.2.250.1.213.1.4.10 1.2.250.1.213.2840510123456"))
        [(8, 28)]
    """
    if "://" in text:
        yield from (found.span() for found in _ADDRESS.finditer(text))
    for found in _IDENTIFIER.finditer(text):
        if sum(map(str.isdigit, found[1])) <= _MOST_DIGITS:
            yield found.span()
