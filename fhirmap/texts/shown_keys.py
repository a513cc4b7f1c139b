"""How a record's key is shown: as it is, on one line; by a keyed hash where it looks like a person's number.

A number of 13 digits, or 15 with its check digits, whose structure is that of a French social security number is hashed
with HMAC-SHA-256 and a secret that each journal makes for itself (`show_with`): the same key is shown by the same hash
as long as the journal lives, and no one computes it from outside. Words that contain such a number show its hash too.

The number (INSEE): sex (1 to 4, 7, 8), year, month (01-12; 20-42 and 50-99 where a birth date is not complete),
department (2A, 2B for Corsica), commune, rank; then 97 minus the number modulo 97.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from itertools import zip_longest
from typing import Any, TypeVar, cast

from fhirmap.texts.folded_text import FoldedText, fold
from fhirmap.texts.public_names import public_names
from fhirmap.texts.visible_text import visible

__all__ = [
    "hide",
    "is_shown_form",
    "looks_personal",
    "personal_numbers",
    "show_with",
    "shown_data",
    "shown_key",
    "shown_words",
]

_PREFIX = "key-"
_LENGTH = 16
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")
"""A hash has no digit: nothing takes it for a number."""
_FORM = re.compile(rf"{_PREFIX}[bcdfghjklmnpqrst]{{{_LENGTH}}}")
_SHAPE = re.compile(r"[1-478][0-9]{2}([0-9]{2})(?!00)(?:[0-9]{2}|2a|2b)[0-9]{6}([0-9]{2})?")
_DAY = re.compile(r"20[0-3][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_KEYS = frozenset(("acknowledged", "held", "in_doubt", "key", "keys", "possible_duplicates"))
"""Members that hold keys of records, one or several."""
_GAP = 4
"""Signs between two digits of one number at most."""
_DIGITS = 13


Shown = TypeVar("Shown")


def _no_secret() -> bytes:
    return b""


class _Display:
    """What keys are hashed with in this process, and what else is never shown in clear."""

    secret = b""
    find_secret: Callable[[], bytes] = staticmethod(_no_secret)
    hidden: frozenset[str] = frozenset()


def show_with(secret: bytes, find: Callable[[], bytes] = _no_secret) -> None:
    """Hash with ``secret`` from now on, in all threads: that of the journal in use. ``find`` gives it where it is not
    known yet, when a hash is first shown. Where there is none, the process makes one for itself."""
    _Display.secret = secret
    _Display.find_secret = staticmethod(find)
    _Display.hidden = frozenset()


def hide(texts: Collection[str]) -> None:
    """Show these by their hash from now on, whatever they look like: identifiers that repeat a record's values."""
    _Display.hidden |= frozenset(texts)


def looks_personal(key: str) -> bool:
    """Does ``key``, or a part of it, look like a person's number, however it is spelled?

    Example:
        >>> looks_personal("2 84 05 2A 123.456/78"), looks_personal("12|1510246102043"), looks_personal("20250312001")
        (True, True, False)
    """
    return _may_hold_one(key) and any(True for _ in personal_numbers(fold(key)))


def shown_key(key: str) -> str:
    """``key`` as it is shown, wherever it is: see this module."""
    return _hashed(key) if key in _Display.hidden or looks_personal(key) else visible(key)


def shown_words(words: str) -> str:
    """``words`` as they are shown: on one line, with the hash of each number in them that looks like a person's."""
    if not _may_hold_one(words):
        return visible(words)
    folded, at = fold(words), 0
    parts: list[str] = []
    for start, end in personal_numbers(folded):
        begin, stop = folded.starts[start], folded.ends[end - 1]
        parts += (words[at:begin], _hashed(words[begin:stop]))
        at = stop
    return visible("".join((*parts, words[at:])))


def shown_data(value: Shown) -> Shown:
    """Data with every text in it as it is shown, the names of members too: values of JSON, dataclasses, named tuples.

    What `_KEYS` names holds keys. Numbers, and what is of no such kind, stay as they are.
    """
    return cast(Shown, _shown(value, is_key=False))


def _shown(value: Any, *, is_key: bool) -> Any:  # noqa: ANN401 - of every kind that data has
    if isinstance(value, StrEnum):
        return value
    if isinstance(value, str):
        return shown_key(value) if is_key or value in _Display.hidden else shown_words(value)
    if isinstance(value, Mapping):
        return {_shown(name, is_key=False): _shown(inner, is_key=name in _KEYS) for name, inner in value.items()}
    if isinstance(value, tuple):
        names: Sequence[str] = getattr(value, "_fields", ())
        held = [_shown(inner, is_key=is_key or name in _KEYS) for name, inner in zip_longest(names, value)]
        return type(value)(*held) if names else tuple(held)
    if isinstance(value, list):
        return [_shown(inner, is_key=is_key) for inner in value]
    if is_dataclass(value) and not isinstance(value, type):
        members = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
        return replace(value, **_shown(members, is_key=False))
    return value


def is_shown_form(text: str) -> bool:
    """May ``text`` be what `shown_key` shows for a key that looks like a person's number?"""
    return _FORM.fullmatch(text) is not None


def personal_numbers(folded: FoldedText) -> Iterator[tuple[int, int]]:
    """Where a text has what looks like a person's number: its first letter and the one after its last."""
    letters, last, at = folded.letters, len(folded.letters), 0
    public, place = sorted(public_names(folded.original)), 0
    while at + _DIGITS <= last:
        end = _end_of_number(folded, at) if letters[at] in "123478" else 0
        while place < len(public) and public[place][1] <= folded.starts[at]:
            place += 1
        is_public = place < len(public) and public[place][0] <= folded.starts[at]
        if end and not (is_public and folded.ends[end - 1] <= public[place][1]):
            yield at, end
        at = end or at + 1


def _end_of_number(folded: FoldedText, start: int) -> int:
    """Where the number that begins at the letter ``start`` ends; 0 where there is none.

    Right before or after other digits it is one only with its check digits: a number with a count after it.
    """
    letters, gaps = folded.letters, folded.gaps
    goes_on = start > 0 and not gaps[start] and letters[start - 1].isdecimal()
    for length in (_DIGITS + 2, _DIGITS):
        end = start + length
        if end > len(letters) or max(gaps[start + 1 : end]) > _GAP:
            continue
        is_followed = end < len(letters) and not gaps[end] and letters[end].isdecimal()
        if not (goes_on or is_followed):
            if _is_number(letters[start:end]):
                return end
        elif not (goes_on and is_followed) and length > _DIGITS and _has_key(letters[start:end]):
            return end
    return 0


def _has_key(digits: str) -> bool:
    """Are 15 signs a number with its right check digits?"""
    return _SHAPE.fullmatch(digits) is not None and _key(digits[:_DIGITS]) == int(digits[_DIGITS:])


def _is_number(digits: str) -> bool:
    found = _SHAPE.fullmatch(digits)
    if found is None:
        return False
    month, key = found[1], found[2]
    if key is not None and _has_key(digits):
        return True
    if "01" <= month <= "12":
        return True
    # A number that begins with a day of our time is counted by days, more likely than of somebody born in no month.
    is_odd_month = "20" <= month <= "42" or month >= "50"
    return key is None and is_odd_month and _DAY.match(digits) is None


def _key(digits: str) -> int:
    return 97 - int(digits.replace("2a", "19", 1).replace("2b", "18", 1) if not digits.isdecimal() else digits) % 97


def _may_hold_one(text: str) -> bool:
    return len(text) >= _DIGITS and sum(map(str.isdigit, text)) + text.count("%") + text.count("&") >= _DIGITS - 1


def _hashed(text: str) -> str:
    import hmac
    import secrets

    if not _Display.secret:
        _Display.secret = _Display.find_secret() or secrets.token_bytes(32)
    digest = hmac.digest(_Display.secret, text.encode("utf-8", "surrogatepass"), "sha256")
    return _PREFIX + digest.hex()[:_LENGTH].translate(_LETTERS)
