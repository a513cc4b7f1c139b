"""UDI labels read into their parts: GS1 (raw scan, human readable, EAN-13), HIBC, ICCBBA, and what scanners do to them.

One string goes in, a flat structure comes out; no object tree, because an operation has five labels and each has
about two microseconds. biip reads an intact GS1 label into the same parts, which the tests check, but takes ten times
as long, says nothing about a damaged one, and knows neither HIBC nor ICCBBA.

``problems`` holds any of:

- `check-digit`: a check digit is wrong, or a number alone has not the length of a GTIN;
- `gs-lost`: the separator after a lot or a serial was missing, and has been put back;
- `date`: no day of the calendar;
- `keyboard-layout`: typed through a French keyboard layout, and translated back;
- `no-device-identifier`: the label names no article, so it is no UDI and has no human-readable form;
- `exponent`: a spreadsheet shortened the number;
- `characters`: a part holds characters that GS1 does not allow, and is left out;
- `unprintable`: a part holds parentheses, or a text that means the separator (`<GS>`). It is left out of the
  form that people read, where it would be read as something else;
- `too-long`: a lot or a serial has more than 20 characters (HIBC: 18), and is left out;
- `two-values`: two expiry dates, lots, serials or articles that differ; none of them is taken;
- `link`: the second HIBC label does not belong to the first;
- `ambiguous`: a number that is a GTIN, and a label of an expiry date and a lot as well;
- `unreadable`.

The functions are here, since a plug-in's functions are those of the module that its entry names; `gs1.py`, `hibc.py`
and `iccbba.py` read the labels of one issuer each, `repair.py` undoes what scanners did to a GS1 label.
"""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache

from fhirmap.functions.udi.gs1 import bare_number, common_gs1, printed_parts, raw_gs1, readable_gs1
from fhirmap.functions.udi.gs1_tables import (
    DATED,
    FIXED,
    FORMULA,
    FULL_DATE,
    GS,
    LABEL_TEXT,
    PREFIX,
    PRINTED,
    SCANNABLE,
    SCANNED,
    SEPARATED,
    SHEET_ESCAPE,
    SHOWN_GS,
    SYMBOLOGY,
    UNPRINTABLE,
    has_brackets,
)
from fhirmap.functions.udi.hibc import HIBC, checked, hibc
from fhirmap.functions.udi.iccbba import iccbba
from fhirmap.functions.udi.parts import GS1, HIBCC, ICCBBA, ZEROS_14, Udi, gs1_date, is_gtin_valid
from fhirmap.runtime.functions import FhirBase64, function

__all__ = [
    "GS1",
    "HIBCC",
    "ICCBBA",
    "Udi",
    "gtin14",
    "gtin_check_valid",
    "parse_udi",
    "udi_carrier",
    "udi_check_valid",
    "udi_from_gtin",
]

_OTHER_ISSUERS = ("+", "=", "&")
"""How labels of HIBC and ICCBBA begin."""


@function
def parse_udi(text: str, lot: str | None = None, serial: str | None = None) -> Udi:
    """The parts of a UDI label, in whatever form it was scanned or typed, with what is wrong with it.

    ``lot`` and ``serial`` are what the source's own columns say: where the separator between them was lost they show
    where one ends, which the label alone cannot. The parts may come in any order. Day 00 of a GS1 date is the last day
    of its month; a year of two digits is one of the 49 years before this one, this one, or one of the 50 after it.
    The human-readable form is the source's own where it was readable, and absent where the label names no article. A
    lot of `INCONNU` and its like is no lot. Identifiers may be in parentheses, brackets or braces; the separator may be
    written as text (`<GS>`, `<0x1D>`, HL7's `\\X1D\\`, `^]`). An article of 12 or 13 digits gets its zeros, which is a
    warning of the record, FM470.

    Spec: GS1 General Specifications 3, 7.8, 7.12; ANSI/HIBC 2.6; ISBT 128 standard, data structures 32-37.

    Example:
        >>> label = parse_udi("]d2010401234567890117290600" + "10ABC123" + chr(29) + "21S42")
        >>> label["humanReadable"], label["expiry"]
        ('(01)04012345678901(17)290600(10)ABC123(21)S42', '2029-06-30')
        >>> parse_udi("0104012345678901" + "10ABC12321S42", "ABC123", "S42")["problems"]
        ['gs-lost']
        >>> parse_udi("+A123BJC5D6E71G")["deviceIdentifier"]
        'A123BJC5D6E71'
        >>> parse_udi("2,99911E+12")
        {'problems': ['exponent']}
        >>> parse_udi("3109998508210")["problems"]
        ['check-digit']
    """
    if "_" in text and SHEET_ESCAPE in text.lower():
        text = SHOWN_GS.sub(GS, text)
    if text[:1] == "(":
        common = PRINTED.fullmatch(text)
        if common:
            return common_gs1(text, *common.groups())
    else:
        common = SCANNED.fullmatch(text)
        if common and (common[3] == lot or not (lot or serial or DATED.fullmatch(common[3]))):
            return common_gs1("", *common.groups())
    text = _bare(text)
    first = text[:1]
    if first == "+":
        return hibc(text)
    text = text.rstrip()
    if first == "=" or (first == "&" and text[1:2] in (",", ">", "}")):
        return iccbba(text)
    if has_brackets(text):
        return readable_gs1(text) or raw_gs1(text, lot, serial)
    return raw_gs1(text, lot, serial)


def _bare(text: str) -> str:
    """A text without what a spreadsheet or a reader put around it: blanks, an apostrophe, `="…"`, asterisks, the
    prefix of a symbology where the label is not GS1's."""
    # A HIBC label may end in a space, which is its check character.
    text = text.strip("\t\r\n\xa0\ufeff\x1d").lstrip()
    formula = FORMULA.fullmatch(text)
    if formula:
        text = formula[1] or formula[2]
    text = text.removeprefix("'")
    prefix = SYMBOLOGY.match(text)
    if prefix and text[prefix.end() : prefix.end() + 1] in ("+", "=", "&", "(", "{"):
        text = text[prefix.end() :]
    if text[:2] == "*+" and text.rstrip()[-1] == "*":
        text = text.rstrip()[1:-1]
    return text


@function
def udi_carrier(text: str) -> FhirBase64 | None:
    """What the barcode itself holds, in base64, as `Device.udiCarrier.carrierAIDC` wants it.

    A scan is taken as it was read, without its symbology prefix; a human-readable GS1 text is put back into the element
    string, with the separator (0x1D) after each part of variable length but the last. Nothing where it cannot be read.

    Example:
        >>> udi_carrier("(01)00844588003288(17)250315(10)A213B456")
        'MDEwMDg0NDU4ODAwMzI4ODE3MjUwMzE1MTBBMjEzQjQ1Ng=='
    """
    raw = text.strip()
    if raw[:1] in _OTHER_ISSUERS:
        return b64encode(raw.encode()).decode()
    printed = printed_parts(raw) if has_brackets(raw) else None
    if printed:
        ends = ["" if identifier[:2] in FIXED else GS for identifier, _ in printed[:-1]] + [""]
        raw = "".join(identifier + value + end for (identifier, value), end in zip(printed, ends, strict=True))
    else:
        # A second barcode scanned after the first one begins with its own prefix.
        scan = PREFIX.sub(GS, raw).strip(GS)
        is_read = SEPARATED.fullmatch(scan) and SHEET_ESCAPE not in scan.lower()
        parts = (scan if is_read else SHOWN_GS.sub(GS, scan)).split(GS)
        raw = GS.join(part.strip(" ") for part in parts if part.strip(" "))
    return b64encode(raw.encode()).decode() if SCANNABLE.fullmatch(raw) else None


@function
def udi_check_valid(udi: str) -> bool:
    """Is the check digit of a UDI's GTIN, or the check character of a HIBC label, right? True for what has none.

    A number alone is a GTIN, and of 8, 12, 13 or 14 digits.

    Example:
        >>> udi_check_valid("(01)00844588003296(17)250315(10)A213B458"), udi_check_valid("+A123BJC5D6E71G")
        (False, True)
    """
    if PRINTED.fullmatch(udi):
        codes = udi[4:18].encode()
        return (sum(codes) + 2 * sum(codes[::2])) % 10 == ZEROS_14
    if udi[:1] == "+" and "+" not in udi[1:] and udi[-1] != " " and HIBC.fullmatch(udi):
        return checked(udi)[1] != "check-digit"
    return "check-digit" not in parse_udi(udi).get("problems", ())


@function
def gtin_check_valid(gtin: str) -> bool:
    """Is the last digit of a GTIN (8, 12, 13 or 14 digits) its check digit?

    Example:
        >>> gtin_check_valid("04012345678901"), gtin_check_valid("00844588003296")
        (True, False)
    """
    return _catalogued(gtin)[1]


@function
def gtin14(gtin: str) -> str | None:
    """A GTIN of 8, 12, 13 or 14 digits in the 14 that labels hold; nothing for any other text.

    Example:
        >>> gtin14("4012345678901"), gtin14("2,99911E+12")
        ('04012345678901', None)
    """
    return _catalogued(gtin)[0]


@lru_cache(4096)
def _catalogued(gtin: str) -> tuple[str | None, bool]:
    """A catalogue's GTIN in 14 digits, if it is one, and whether its check digit is right: kept, since every piece of
    an article asks."""
    number = bare_number(gtin.strip()) or ""
    return (number.zfill(14), is_gtin_valid(number)) if len(number) in (8, 12, 13, 14) else (None, False)


@function
def udi_from_gtin(
    gtin: str, lot: str | None = None, serial: str | None = None, expiry: str | None = None
) -> str | None:
    """A human-readable GS1 UDI made of a catalogue's GTIN and what is known of the piece.

    Nothing where a part cannot be on a GS1 label: no GTIN, a lot or serial of more than 20 characters or with
    characters that GS1 does not allow, or with parentheses, which would be read as those of an identifier; an expiry
    that is no whole date, or not of the hundred years that two digits can say. A month alone is no expiry of an
    implant: labels of healthcare name the day.

    Example:
        >>> udi_from_gtin("2999100000905", "A558331")
        '(01)02999100000905(10)A558331'
        >>> udi_from_gtin("2999100000905", None, None, "2028-04") is None
        True
    """
    number = gtin14(gtin)
    if number is None:
        return None
    udi = f"(01){number}"
    if expiry:
        written = f"{expiry[2:4]}{expiry[5:7]}{expiry[8:]}"
        if FULL_DATE.fullmatch(expiry) is None or gs1_date(written) != expiry:
            return None
        udi += f"(17){written}"
    for identifier, part in (("10", lot), ("21", serial)):
        value = (part or "").strip()
        if value and (not LABEL_TEXT.fullmatch(value) or UNPRINTABLE.search(value)):
            return None
        if value:
            udi += f"({identifier}){value}"
    return udi
