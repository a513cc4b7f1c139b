"""Numbers of persons, practitioners and establishments: normalised, their check digits verified.

The arithmetic is a line each here and not a call of python-stdnum, which is the oracle in the tests: one Luhn sum takes
it 4.5 us where 0.5 do, on the path of every record, and importing `stdnum.fr` takes 70 ms of a start.
"""

from __future__ import annotations

import re

from fhirmap.functions.repaired_numbers import NumberKind, mended_number, repaired
from fhirmap.runtime.cell_text import MISSING, is_spreadsheet_date
from fhirmap.runtime.functions import function

# The first digit is the sex, or a number given for the time being: 0 and 9 are fillers.
_NIR_13 = re.compile(r"[1-8][0-9]{4}(?:[0-9]{2}|2A|2B)[0-9]{6}")
_NIR_15 = re.compile(r"[1-8][0-9]{4}(?:[0-9]{2}|2A|2B)[0-9]{8}")
_EXPONENT = re.compile(r"[+-]?(?:[0-9](?:[.,][0-9]+)?[Ee][+-]|[0-9]+[.,][0-9]+[Ee])[0-9]{1,3}")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")


@function
def nir_number(nir: str) -> str:
    """The NIR without the blanks, dots and dashes it is written with, in capitals.

    What a spreadsheet or a copy did to it is undone where that is certain (`.0` at the end, `="…"`, an apostrophe,
    `1.49E14` with all its digits, invisible signs, `O` for 0 where the key agrees): a warning of the record, FM470.

    Spec: the registry takes 15 characters and no space.

    Example:
        >>> nir_number("2 84 05 2a 123 456 78"), nir_number("'284052A12345678")
        ('284052A12345678', '284052A12345678')
    """
    return mended_number(nir, NIR)


@function
def nir_key(nir: str) -> str | None:
    """The two check digits of a NIR (its first 13 characters); nothing where it has not the shape of one.

    97 minus the number modulo 97; in Corsica `2A` counts as 19 and `2B` as 18.

    Example:
        >>> nir_key("254062A953007"), nir_key("1 00 01 75 101 001")
        ('56', '51')
    """
    body = repaired(nir, NIR).text[:13]
    return _key(body) if _NIR_13.fullmatch(body) else None


@function
def nir_with_key(nir: str, key: str | None = None) -> str | None:
    """The NIR in 15 characters: as it is where it has its key, else with ``key``, else with the key computed.

    A wrong key is kept: sending what the source says and reporting it is better than changing an identity. What has not
    the shape of a NIR comes back tidied and no more, for the contract to refuse; nothing for separators alone. Repairs
    are those of `nirNumber`.

    Example:
        >>> nir_with_key("2540629953007", "7"), nir_with_key("254062A953007"), nir_with_key("254062A95300756", "11")
        ('254062995300707', '254062A95300756', '254062A95300756')
    """
    number = nir if _NIR_13.fullmatch(nir) else mended_number(nir, NIR)
    if len(number) != 13:
        return number or None
    digits = mended_number(key, KEY) if key else ""
    if digits:
        return number + digits.zfill(2)
    return number + _key(number) if _NIR_13.fullmatch(number) else number


@function
def nir_key_valid(nir: str) -> bool:
    """Does a NIR of 15 characters end in its right key?

    Example:
        >>> nir_key_valid("100017510100151"), nir_key_valid("100017510100152"), nir_key_valid("1000175101001")
        (True, False, False)
    """
    if not _NIR_15.fullmatch(nir):
        nir = repaired(nir, NIR).text
        if not _NIR_15.fullmatch(nir):
            return False
    return _is_keyed(nir)


@function
def rpps_number(rpps: str) -> str:
    """The RPPS number in 11 digits: no blanks, no `8` of the national identifier in front, no `.0` at the end.

    Dots and dashes between the digits are left out as blanks are. What a spreadsheet or a copy did to it is undone as
    for a NIR (`nirNumber`); that, and an `8` in front, are warnings of the record, FM470. What is no such number comes
    back without its blanks, for the contract to refuse.

    Example:
        >>> rpps_number("8 10100 473148"), rpps_number("10999000010,0"), rpps_number("1,0999E+10")
        ('10100473148', '10999000010', '1,0999E+10')
    """
    return mended_number(rpps, RPPS)


@function
def rpps_luhn_valid(rpps: str) -> bool:
    """Is the last digit of an RPPS number its check digit (Luhn over all 11)? False for zeros alone.

    Example:
        >>> rpps_luhn_valid("10100473148"), rpps_luhn_valid("12345678901")
        (True, False)
    """
    return len(rpps) == 11 and _luhn_valid(rpps)


@function
def finess_number(finess: str) -> str:
    """The FINESS number in 9 characters: no blanks, no `1` of the national identifier in front, no `.0` at the end.

    Its department is in capitals; dots and dashes are left out as blanks are. What a spreadsheet or a copy did to it is
    undone as for a NIR (`nirNumber`); so is a leading zero that was lost, where the check digit agrees. These, and a
    `1` in front, are warnings of the record, FM470.

    Example:
        >>> finess_number("2a 999 001 5"), finess_number("1310780259"), finess_number("10780005")
        ('2A9990015', '310780259', '010780005')
    """
    return mended_number(finess, FINESS)


@function
def finess_luhn_valid(finess: str) -> bool:
    """Is the last digit of a FINESS number its check digit (Luhn over all 9)? False for zeros alone.

    A Corsican number (2A, 2B) is checked by its form alone: how the letters count is published nowhere that we know of.

    Example:
        >>> finess_luhn_valid("310780259"), finess_luhn_valid("123456789"), finess_luhn_valid("2A9990015")
        (True, False, True)
    """
    if finess[:2] in ("2A", "2B"):
        return len(finess) == 9 and finess[2:].isdecimal()
    return len(finess) == 9 and _luhn_valid(finess)


@function
def lot_number(text: str) -> str | None:
    """A lot or serial number that can be sent; nothing where the text means a missing one or a spreadsheet damaged it.

    Missing: `N/A`, `INCONNU`, `-`, `0`, `0000`, `XXX`, `SANS`, `VRAI` and their like, in any case. Damaged: an exponent
    form, `1,23457E+11`, which has lost digits; a month and a number as a spreadsheet writes them, `mars-12`, which was
    `3-12`. Any blank inside is a plain one.

    Example:
        >>> lot_number("A213B456"), lot_number("inconnu"), lot_number("1,23457E+11"), lot_number("mars-12")
        ('A213B456', None, None, None)
    """
    number = text.strip() if text.isascii() else " ".join(text.split())
    capitals = number.upper()
    damaged = ("E" in capitals and _EXPONENT.fullmatch(number)) or is_spreadsheet_date(number)
    return None if damaged or capitals in MISSING else number


@function
def spreadsheet_exponent(text: str) -> bool:
    """Is the text a number that a spreadsheet shortened to its exponent form, so that digits are lost?

    Example:
        >>> spreadsheet_exponent("2,99911E+12"), spreadsheet_exponent("A213E45")
        (True, False)
    """
    return _EXPONENT.fullmatch(text.strip()) is not None


def _is_keyed(nir: str) -> bool:
    """Does a NIR of 15 characters end in its right key?"""
    return len(nir) == 15 and 97 - _number(nir[:13]) % 97 == int(nir[13:])


def _key(body: str) -> str:
    return f"{97 - _number(body) % 97:02d}"


def _number(body: str) -> int:
    """The 13 characters as the number that the key is computed of."""
    letter = body[6]
    if letter == "A":
        return int(body[:5] + "19" + body[7:])
    return int(body[:5] + "18" + body[7:] if letter == "B" else body)


def _luhn_valid(number: str) -> bool:
    # Sums of the digits' character codes, a doubled digit written as another digit: 48, 8 modulo 10, is a zero.
    codes = number.encode("utf-8", "replace")
    return (
        codes.isdigit()
        and codes.count(b"0") < len(codes)
        and (sum(codes[::-2]) + sum(codes[-2::-2].translate(_DOUBLED))) % 10 == 8 * len(codes) % 10
    )


NIR = NumberKind(re.compile(rf"{_NIR_15.pattern}|{_NIR_13.pattern}"), _is_keyed)
KEY = NumberKind(re.compile(r"[0-9]{1,2}"), lambda _: False)
"""The key of a NIR in a column of its own."""
RPPS = NumberKind(re.compile(r"[0-9]{11}"), rpps_luhn_valid, type_digit="8", typed_length=12)
# A Corsican number has no check digit that is known, so that nothing agrees with a repair of its digits.
FINESS = NumberKind(
    re.compile(r"(?:[0-9]{2}|2A|2B)[0-9]{7}"), _luhn_valid, type_digit="1", typed_length=10, lost_zero=8
)
