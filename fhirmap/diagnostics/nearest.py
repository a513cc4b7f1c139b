"""The nearest right name for a misspelt one, and the names that are known: values, put into words by `Diagnostic`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict
from unicodedata import combining, normalize

from fhirmap.texts import Text

_MOST_LISTED = 16


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` most likely meant, or ``None`` where nothing is near enough.

    Case, accents and the separators ``_``, ``-`` and blank count little; a swap of two neighbours counts once.

    Example:
        >>> nearest("perfomed", ["performed", "performer", "code"])
        'performed'
        >>> nearest("xyz", ["performed"]) is None
        True
    """
    plain = _plain(name)
    best: tuple[int, bool, int, int, str] | None = None
    others = [candidate for candidate in dict.fromkeys(candidates) if candidate != name]
    for order, candidate in enumerate(others):
        other = _plain(candidate)
        # A letter more or less counts one, whatever the letters are.
        if best is None or abs(len(plain) - len(other)) <= best[0]:
            distance = _distance(plain, other)
            if best is None or distance <= best[0]:
                starts_alike = bool(plain) and other[:1] == plain[:1]
                rank = (distance, not starts_alike, _distance(name, candidate), order, candidate)
                best = rank if best is None else min(best, rank)
    if best is None:
        return None
    distance, *_, found = best
    shorter, longer = sorted((len(name), len(found)))
    if distance == 0 or distance <= max(1, shorter // 3) < longer:
        return found
    return _holding(plain, others)


def is_slip(name: str, other: str) -> bool:
    """Is ``name`` most likely ``other`` with one letter wrong, or in other case or accents? Short names and names with
    digits may be meant as they are.

    Example:
        >>> is_slip("statut", "status"), is_slip("lot1", "lot2"), is_slip("dateAnnulation", "dateValidation")
        (True, False, False)
    """
    if any(letter.isdigit() for letter in name + other):
        return False
    left, right = _plain(name), _plain(other)
    return left == right or (min(len(left), len(right)) > 3 and _distance(left, right) == 1)


class Suggestion(TypedDict):
    """What may have been meant by a wrong name: the keyword arguments that `Diagnostic` takes for it."""

    meant: str | None
    known: tuple[str, ...]


def suggestion(name: str, candidates: Iterable[str]) -> Suggestion:
    """The nearest candidate, and all that are known.

    Example:
        >>> suggestion("no_lott", ["no_lot", "udi"])
        {'meant': 'no_lot', 'known': ('no_lot', 'udi')}
    """
    known = tuple(dict.fromkeys(candidates))
    return Suggestion(meant=nearest(name, known), known=known)


def listed(names: Sequence[str]) -> Text:
    """The first of ``names`` in backticks, and how many more there are.

    Example:
        >>> str(listed(["no_lot", "udi"]))
        '`no_lot`, `udi`'
    """
    shown = ", ".join(f"`{entry}`" for entry in names[:_MOST_LISTED])
    if len(names) <= _MOST_LISTED:
        return Text("lists.names", {"names": shown})
    return Text("lists.names_and_more", {"names": shown, "count": len(names) - _MOST_LISTED})


def _plain(name: str) -> str:
    letters = normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter not in "_- " and not combining(letter))


def _holding(plain: str, candidates: Iterable[str]) -> str | None:
    """The only candidate that contains ``plain`` or is contained in it (`lot` for `no_lot`), from three letters on."""
    held = [
        candidate
        for candidate in dict.fromkeys(candidates)
        if _are_akin(plain, _plain(candidate)) and (plain in _plain(candidate) or _plain(candidate) in plain)
    ]
    return held[0] if len(held) == 1 else None


def _are_akin(left: str, right: str) -> bool:
    """Is the shorter one enough of the longer one to mean it: its beginning, or at least half of it?"""
    shorter, longer = sorted((left, right), key=len)
    return len(shorter) >= 3 and (longer.startswith(shorter) or 2 * len(shorter) >= len(longer))


def _distance(left: str, right: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours that turn ``left`` into ``right``."""
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, previous = previous, current
    return previous[-1]
