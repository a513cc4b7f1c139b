"""Names for models and elements, from those of tables, columns and JSON members."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["UniqueNames", "camel_case", "is_identifier_name", "is_quantity_name", "is_revision_name", "pascal_case"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_REVISION = re.compile(r"(?i)(updat|modif|version|revision|maj$|^maj|lastchange)")
_IDENTIFIER = re.compile(r"(?i)(^id$|id$|^id_|key$|numero$|number$|^no$|^num)")
_QUANTITY = re.compile(r"(?i)^(qte|qty|quant|nombre|count$)")


def camel_case(text: str) -> str:
    """An element's name from a column's: letters and digits, no accents.

    Example:
        >>> camel_case("N° séjour"), camel_case("DATE_DEBUT"), camel_case("2e côté"), camel_case("œil")
        ('nSejour', 'dateDebut', 'x2ECote', 'oeil')
    """
    words = _words(text)
    return words[0].lower() + "".join(word.capitalize() for word in words[1:])


def pascal_case(text: str) -> str:
    """A model's name from a table's.

    Example:
        >>> pascal_case("POSE_DMI")
        'PoseDmi'
    """
    return "".join(word.capitalize() for word in _words(text))


def is_identifier_name(name: str) -> bool:
    """Is ``name`` one that columns of record numbers usually have?"""
    return _IDENTIFIER.search(name) is not None


def is_revision_name(name: str) -> bool:
    """Is ``name`` one that columns of a change's date or number usually have?"""
    return _REVISION.search(name) is not None


def is_quantity_name(name: str) -> bool:
    """Is ``name`` one that columns of a number of pieces usually have?"""
    return _QUANTITY.search(name) is not None


def _words(text: str) -> list[str]:
    plain = text.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae").replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", plain.replace("°", " "))
    words = _WORDS.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
    return words if words and words[0][0].isalpha() else ["x", *words]


class UniqueNames:
    """Gives each name once: the second that wants it gets a number."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        """``wanted``, or ``wanted2``, ``wanted3`` … where it is taken."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}{number}"
        self._taken.add(name)
        return name
