"""Numbers of persons, practitioners and establishments as sources write them: mended alike, whatever the kind.

One table says what is done (`REPAIRS`), one what a number of each kind is (`NIR`, `RPPS`, `FINESS`). A way of writing
is tidied without a word: blanks, dots and dashes between digits, a small letter. What was done to a number by a
spreadsheet, a copy or a keyboard is undone where it is certain, and is a warning of the record (`report_repair`); what
is not certain is left as it is, for the contract to refuse. Digits are put right only where the check digit agrees.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fhirmap.runtime.repairs import report_repair

__all__ = ["NumberKind", "Repair", "RepairedNumber", "mended_number", "repaired", "tidied"]


class Repair(StrEnum):
    """What was undone. The values are variants of FM470."""

    INVISIBLE = "invisible"
    WRAPPED = "wrapped"
    DECIMALS = "decimals"
    EXPONENT = "exponent"
    LETTER = "letter"
    TYPE_DIGIT = "type_digit"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class NumberKind:
    """A kind of number. ``shape``: of one that is whole; ``is_valid``: is its check digit right, if it has one?

    ``type_digit``: what the national identifier of health professionals and establishments puts before it, with its
    length then; empty where there is none. ``lost_zero``: its length without a leading zero, 0 if it never has one.
    """

    shape: re.Pattern[str]
    is_valid: Callable[[str], bool]
    type_digit: str = ""
    typed_length: int = 0
    lost_zero: int = 0


@dataclass(frozen=True, slots=True)
class RepairedNumber:
    """The text, and what was undone, in the order in which it was."""

    text: str
    repairs: tuple[Repair, ...] = ()


_INVISIBLE = {ord(sign): None for sign in "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"}
_SEPARATORS = re.compile(r"[\s.\-\u00a0\u2007\u2009\u202f\u2010-\u2015]+")
_WRAPPED = re.compile(r"=\"([^\"]*)\"|='([^']*)'|=([0-9]+)|\"([^\"]*)\"|['’]([^'’]*)['’]?")
_DECIMALS = re.compile(r"([0-9]+)[.,]0+")
_EXPONENT = re.compile(r"([0-9])[.,]([0-9]+)[Ee]\+?([0-9]{1,2})")
_LETTERS = str.maketrans("Oo", "00")


def tidied(text: str) -> str:
    """The text without blanks, dots and dashes, in capitals."""
    return _SEPARATORS.sub("", text).upper()


def repaired(text: str, kind: NumberKind) -> RepairedNumber:
    """What ``text`` was, if that is certain; else the text, tidied.

    Example:
        >>> luhn = NumberKind(re.compile(r"[0-9]{4}"), lambda number: True, "8", 5)
        >>> repaired('="8 1234"', luhn)
        RepairedNumber(text='1234', repairs=(<Repair.WRAPPED: 'wrapped'>, <Repair.TYPE_DIGIT: 'type_digit'>))
    """
    if kind.shape.fullmatch(text):
        return RepairedNumber(text)
    done: list[Repair] = []
    plain = text.translate(_INVISIBLE)
    if plain != text:
        done.append(Repair.INVISIBLE)
    plain = "".join(plain.split())
    wrapped = _WRAPPED.fullmatch(plain)
    if wrapped:
        done.append(Repair.WRAPPED)
        plain = next(part for part in wrapped.groups() if part is not None)
    for repair, mend in _OF_SPREADSHEETS:
        whole = mend(plain)
        if whole is not None:
            done.append(repair)
            plain = whole
    if _EXPONENT.fullmatch(plain):
        # Digits are lost: nothing is known, and dots are no separators here.
        return RepairedNumber("".join(text.split()))
    number = tidied(plain)
    for repair, mend_digits in _OF_DIGITS:
        better = None if kind.shape.fullmatch(number) else mend_digits(number, kind)
        if better is not None:
            done.append(repair)
            number = better
    # What is no such number even so is refused as it is: nothing of it was mended.
    return RepairedNumber(number, tuple(done) if kind.shape.fullmatch(number) else ())


def mended_number(text: str, kind: NumberKind) -> str:
    """The same, each repair reported to the record."""
    if kind.shape.fullmatch(text):
        return text
    if "." not in text and "," not in text:
        # Most of the others are written in groups.
        number = tidied(text)
        if kind.shape.fullmatch(number):
            return number
    found = repaired(text, kind)
    for repair in found.repairs:
        report_repair(repair.value)
    return found.text


def _without_decimals(text: str) -> str | None:
    shape = _DECIMALS.fullmatch(text)
    return shape[1] if shape else None


def _without_exponent(text: str) -> str | None:
    """The digits of `1.49113897061759E14`, if all of them are there."""
    shape = _EXPONENT.fullmatch(text)
    return shape[1] + shape[2] if shape and len(shape[2]) == int(shape[3]) else None


def _without_letter(number: str, kind: NumberKind) -> str | None:
    """The number with zeros for letters `O`."""
    better = number.translate(_LETTERS)
    for text in (better, better.removeprefix(kind.type_digit) if len(better) == kind.typed_length else better):
        if better != number and kind.shape.fullmatch(text) and kind.is_valid(text):
            return better
    return None


def _without_type_digit(number: str, kind: NumberKind) -> str | None:
    is_typed = bool(kind.type_digit) and len(number) == kind.typed_length and number[0] == kind.type_digit
    return number[1:] if is_typed and kind.shape.fullmatch(number[1:]) else None


def _with_zero(number: str, kind: NumberKind) -> str | None:
    """The number with the zero that it began with as a text."""
    better = f"0{number}"
    is_whole = len(number) == kind.lost_zero and kind.shape.fullmatch(better) is not None
    return better if is_whole and kind.is_valid(better) else None


_OF_SPREADSHEETS: tuple[tuple[Repair, Callable[[str], str | None]], ...] = (
    (Repair.EXPONENT, _without_exponent),
    (Repair.DECIMALS, _without_decimals),
)
_OF_DIGITS: tuple[tuple[Repair, Callable[[str, NumberKind], str | None]], ...] = (
    (Repair.LETTER, _without_letter),
    (Repair.TYPE_DIGIT, _without_type_digit),
    (Repair.ZERO, _with_zero),
)
