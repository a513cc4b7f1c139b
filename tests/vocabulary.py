"""Words that no text shown to a person uses, each with what is written instead."""

from __future__ import annotations

import re

PLAIN_WORDS = {
    r"stands?\b|stood": "is, comes, is written",
    r"behind": "after",
    r"told|tells?": "reported, shown",
    r"lays?|laid": "place",
    r"judge[sd]?": "validate, classify",
    r"silence": "transport error, no answer",
    r"hopeless": "fatal, final",
    r"courier": "dispatcher",
    r"tank": "definitions",
    r"house|floors?|rooms?": "architecture, layer, package",
    r"store plan": "source plan",
    r"straight path": "fast path",
    r"close look": "full check",
    r"blind slices?": "slice without discriminator",
    r"remarkable": "needing attention",
    r"nobody": "no one can, nothing says",
    r"gives? nothing": "has no value",
    r"at home": "in",
}
"""A pattern of words to avoid, and the plain ones."""
_CODE = re.compile(r"```.*?```|`[^`\n]*`|\{\w+\}", re.DOTALL)


def odd_words(text: str) -> list[str]:
    """Every word of a text to avoid, with what to write instead; code and placeholders do not count."""
    prose = _CODE.sub(" ", text)
    return [
        f"{found.group()}: write {plain}"
        for words, plain in PLAIN_WORDS.items()
        for found in re.finditer(rf"\b(?:{words})\b", prose, re.IGNORECASE)
    ]
