"""Which primitive type may be written where another is declared, and what that costs.

Spec: FML, transforms, implicit conversions. A conversion *keeps* a value when its text says the same in both types; the
others are tried on each record and are a fault where the text does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable

from fhirmap.fhir_types import INTEGERS, PRIMITIVES, QUANTITIES, TEXTS

__all__ = ["INTEGERS", "PRIMITIVES", "TEXTS", "best", "can", "keeps"]

_KEPT = {
    "date": ("dateTime",),
    "instant": ("dateTime",),
    "integer": ("decimal",),
    "positiveInt": ("decimal",),
    "unsignedInt": ("decimal",),
}
_COMPLEX = {"CodeableConcept": ("Coding",), "Reference": (), "Identifier": ()}
_FROM_TEXT = ("Reference", "CodeableConcept", "CodeableReference")


def keeps(given: str, wanted: str) -> bool:
    """Does a value of type ``given`` say the same as a ``wanted``?

    Example:
        >>> keeps("date", "dateTime"), keeps("string", "date")
        (True, False)
    """
    if given == wanted or (given in TEXTS and wanted in TEXTS) or (given in INTEGERS and wanted in INTEGERS):
        return True
    if given in PRIMITIVES and wanted in ("string", "markdown") and given != "boolean":
        return given in INTEGERS or given == "decimal"
    if given in QUANTITIES and wanted in QUANTITIES:
        return True
    return wanted in _KEPT.get(given, ()) or given in _COMPLEX.get(wanted, ()) or (
        given in TEXTS and wanted in _FROM_TEXT
    )  # fmt: skip


def can(given: str, wanted: str) -> bool:
    """May a ``given`` be written where a ``wanted`` is expected, perhaps after a conversion that can fail?"""
    return keeps(given, wanted) or (given in PRIMITIVES and wanted in PRIMITIVES)


def best(given: str, allowed: Iterable[str]) -> str | None:
    """The one of ``allowed`` a ``given`` is written as: itself, else one that keeps it, else one it converts to.

    Example:
        >>> best("code", ["dateTime", "string"])
        'string'
        >>> best("HumanName", ["string"]) is None
        True
    """
    choices = list(allowed)
    if given in choices:
        return given
    ranked = sorted(choices, key=lambda name: (name != "string", name))
    for fits in (keeps, can):
        for name in ranked:
            if fits(given, name):
                return name
    return None
