"""UDI labels read into their parts: GS1 (raw scan, human readable, EAN-13), HIBC, ICCBBA, and what scanners do to them.

One string goes in, a flat structure comes out; no object tree, because an operation has five labels and each has
about two microseconds. biip reads an intact GS1 label into the same parts, which the tests check, but takes ten times
as long, says nothing about a damaged one, and knows neither HIBC nor ICCBBA.

``problems`` holds any of: `check-digit`; `gs-lost`, the separator after a lot or a serial was missing (and has been put
back where that is certain); `date`; `keyboard-layout`; `no-device-identifier`; `exponent`, a spreadsheet shortened
the number; `unreadable`.

The functions are here, since a plug-in's functions are those of the module that its entry names; `gs1.py`, `hibc.py`
and `iccbba.py` read the labels of one issuer each, `repair.py` undoes what scanners did to a GS1 label.
"""

from __future__ import annotations

from base64 import b64encode

from fhirmap.functions.udi.gs1 import common_gs1, raw_gs1, readable_gs1
from fhirmap.functions.udi.gs1_tables import (
    DATED,
    FIXED,
    GS,
    PREFIX,
    PRINTED,
    RAW,
    READABLE,
    READABLE_PART,
    SCANNED,
    SHOWN_GS,
)
from fhirmap.functions.udi.hibc import HIBC, checked, hibc
from fhirmap.functions.udi.iccbba import iccbba
from fhirmap.functions.udi.parts import GS1, HIBCC, ICCBBA, ZEROS_14, Udi, is_gtin_valid
from fhirmap.runtime.functions import FhirBase64, function

__all__ = [
    "GS1",
    "HIBCC",
    "ICCBBA",
    "Udi",
    "gtin_check_valid",
    "parse_udi",
    "udi_carrier",
    "udi_check_valid",
    "udi_from_gtin",
]


@function
def parse_udi(text: str, lot: str | None = None, serial: str | None = None) -> Udi:
    """The parts of a UDI label, in whatever form it was scanned or typed, with what is wrong with it.

    ``lot`` and ``serial`` are what the source's own columns say: where the separator between them was lost they show
    where one ends, which the label alone cannot. Day 00 of a GS1 date is the last day of its month; years 80 to 99
    are of the last century. The human-readable form is the source's own where it was readable. A
    lot of `INCONNU` and its like is no lot.

    Spec: GS1 General Specifications 3, 7.8; ANSI/HIBC 2.6; ISBT 128 standard, data structures 32-37.

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
    """
    if text[:1] == "(":
        common = PRINTED.fullmatch(text)
        if common:
            return common_gs1(text, *common.groups())
    else:
        common = SCANNED.fullmatch(text)
        if common and (common[3] == lot or not (lot or serial or DATED.fullmatch(common[3]))):
            return common_gs1("", *common.groups())
    text = text.strip("\t\r\n\xa0").lstrip()
    first = text[:1]
    if first != "+":
        text = text.rstrip()
    if first == "(":
        return readable_gs1(text)
    if first == "+":
        return hibc(text)
    if first == "=" or text[:3] == "&,1":
        return iccbba(text)
    return raw_gs1(text, lot, serial)


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
    if raw[:1] == "(":
        if not READABLE.fullmatch(raw):
            return None
        parts = READABLE_PART.findall(raw)
        ends = ["" if identifier[:2] in FIXED else GS for identifier, _ in parts[:-1]] + [""]
        raw = "".join(identifier + value.strip() + end for (identifier, value), end in zip(parts, ends, strict=True))
    elif raw[:1] not in ("+", "=", "&"):
        raw = SHOWN_GS.sub(GS, PREFIX.sub("", raw, count=1)).lstrip(GS)
        if not RAW.fullmatch(raw):
            return None
    return b64encode(raw.encode()).decode()


@function
def udi_check_valid(udi: str) -> bool:
    """Is the check digit of a UDI's GTIN, or the check character of a HIBC label, right? True for what has none.

    Example:
        >>> udi_check_valid("(01)00844588003296(17)250315(10)A213B458"), udi_check_valid("+A123BJC5D6E71G")
        (False, True)
    """
    if udi[:4] == "(01)":
        codes = udi[4:18].encode("utf-8", "replace")
        return codes.isdigit() and len(codes) == 14 and (sum(codes) + 2 * sum(codes[::2])) % 10 == ZEROS_14
    if udi[:1] == "+" and "+$" not in udi[1:] and HIBC.fullmatch(udi):
        return checked(udi)[1] != "check-digit"
    return "check-digit" not in parse_udi(udi).get("problems", ())


@function
def gtin_check_valid(gtin: str) -> bool:
    """Is the last digit of a GTIN (8, 12, 13 or 14 digits) its check digit?

    Example:
        >>> gtin_check_valid("04012345678901"), gtin_check_valid("00844588003296")
        (True, False)
    """
    return len(gtin) in (8, 12, 13, 14) and gtin.isascii() and gtin.isdecimal() and is_gtin_valid(gtin)


@function
def udi_from_gtin(
    gtin: str, lot: str | None = None, serial: str | None = None, expiry: str | None = None
) -> str | None:
    """A human-readable GS1 UDI made of a catalogue's GTIN and what is known of the piece; nothing for no GTIN.

    Example:
        >>> udi_from_gtin("2999100000905", "A558331")
        '(01)02999100000905(10)A558331'
    """
    number = gtin.strip()
    if not (8 <= len(number) <= 14 and number.isascii() and number.isdecimal()):
        return None
    udi = f"(01){number.zfill(14)}"
    if expiry:
        udi += f"(17){expiry[2:4]}{expiry[5:7]}{expiry[8:10] or '00'}"
    if lot:
        udi += f"(10){lot}"
    if serial:
        udi += f"(21){serial}"
    return udi
