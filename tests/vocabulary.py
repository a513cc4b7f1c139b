"""Words that no text shown to a person uses, each with what is written instead."""

from __future__ import annotations

import re

PLAIN_WORDS = {
    r"stands?|standing|stood": "is, comes, is written",
    r"behind": "after",
    r"told|tells?|telling": "reported, shown",
    r"lays?|laid|laying": "place, implant",
    r"judge[sd]?|judging|judge?ments?|misjudge[sd]?": "validate, classify",
    r"silence": "transport error, no answer",
    r"hopeless": "fatal, final",
    r"couriers?": "dispatcher",
    r"tanks?": "definitions",
    r"houses?|floors?|rooms?": "architecture, layer, package",
    r"store ?plans?": "source plan",
    r"straight path": "fast path",
    r"close looks?": "full check",
    r"blind slices?": "slice without discriminator",
    r"remarkable": "needing attention",
    r"heed(?:s|ed|ing)?": "handle, follow",
    r"habits?": "common mistakes, notations",
    r"write whole": "atomic write",
    r"nobody": "no one can, nothing says",
    r"gives? nothing": "has no value",
    r"at home": "in",
}
"""A pattern of words to avoid, and the plain ones."""
_IN_FIELD = re.compile(r"behind (?:an?|the|its)(?: \w+)? proxy|ROUND FLOOR|(?<=[\"'.])floor(?=[\"'(])", re.IGNORECASE)
"""Words of the list as the field uses them."""
_CODE = re.compile(r"```.*?```|`[^`\n]*`|\{\w+\}", re.DOTALL)
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def odd_words(text: str) -> list[str]:
    """Every word of a text to avoid, with what to write instead; code and placeholders do not count."""
    return _found(_CODE.sub(" ", text))


def odd_names(text: str) -> list[str]:
    """As `odd_words`, of a program: its comments and texts, and its names word by word (`_is_told`, `RoomPlan`)."""
    return _found(_CAPITAL.sub(" ", text).replace("_", " "))


def _found(text: str) -> list[str]:
    prose = _IN_FIELD.sub(" ", text)
    return [
        f"{found.group()}: write {plain}"
        for words, plain in PLAIN_WORDS.items()
        for found in re.finditer(rf"\b(?:{words})\b", prose, re.IGNORECASE)
    ]
