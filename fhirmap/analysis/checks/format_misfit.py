"""FM234: a date format that cannot give a value of its element's type."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.date_format import LetterRun, parts, runs
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.fhir_types import NAMED_FORMATS, PRIMITIVES
from fhirmap.texts import Text

TEMPORAL = ("date", "dateTime", "instant", "time")
_NEEDED = {"time": ("hour", "minute"), "instant": ("year", "month", "day", "hour", "minute", "second")}
_VARYING = ("M", "d", "H", "h", "m", "s")
"""Codes that take one digit or two."""
_BEFORE = {"day": "month", "month": "year", "minute": "hour", "second": "minute", "fraction": "second"}


def formats(checked: Checked) -> Iterator[tuple[str, Span, str]]:
    """Each format that the models declare for a type that exists, its place, and that type."""
    for use in checked.declared_models():
        names = use.unit.model_names()
        for element in use.node.elements:
            if element.format is not None and (element.type in PRIMITIVES or element.type in names):
                yield element.format, element.format_span or element.span, element.type


def format_misfit(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each format that its type cannot be read with (FM234).

    Spec: FML, transforms, date formats.
    """
    for text, span, type_name in formats(checked):
        pieces = runs(text)
        if not all(piece.is_known for piece in pieces):
            continue
        variant, args = _misfit(type_name, pieces, text)
        if variant:
            yield Diagnostic("FM234", span, {"format": text, "type": type_name, **args}, variant=variant)


def _misfit(type_name: str, pieces: tuple[LetterRun, ...], text: str) -> tuple[str, dict[str, object]]:
    """The page's variant that says what is wrong, and its arguments; an empty variant where the format fits."""
    held = parts(pieces)
    if type_name not in TEMPORAL:
        return "type", {}
    if text in NAMED_FORMATS:
        return "", {}
    for part in _NEEDED.get(type_name, ("year",)):
        if part not in held:
            return ("year" if part == "year" and "y" not in text else "missing"), {"part": Text(f"words.{part}")}
    for part in sorted(held):
        if (before := _BEFORE.get(part)) and before not in held and not (type_name == "time" and before == "day"):
            return ("months" if {part, before} & {"minute", "month"} and "mm" in text else "missing"), {
                "part": Text(f"words.{before}")
            }
    for piece, following in pairwise(pieces):
        if piece.text in _VARYING and following.part:
            return "width", {"code": piece.text, "following": following.text}
    if "h" in text and "a" not in text:
        return "afternoon", {}
    return "", {}
