"""UDI labels read into their parts: GS1 (raw scan, human readable, EAN-13), HIBC, ICCBBA, and what scanners do to them.

One string goes in, a flat structure comes out; no object tree, because an operation has five labels and each has
about two microseconds. biip reads an intact GS1 label into the same parts, which the tests check, but takes ten times
as long, says nothing about a damaged one, and knows neither HIBC nor ICCBBA.

``problems`` holds any of: `check-digit`; `gs-lost`, the separator behind a lot or a serial was missing (and has been
put back where that can be told); `date`; `keyboard-layout`; `no-device-identifier`; `exponent`, a spreadsheet shortened
the number; `unreadable`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TypedDict

from fhirmap.functions.identity import MISSING, spreadsheet_exponent
from fhirmap.runtime.functions import FhirBase64, FhirDate, FhirUri, function

GS = "\x1d"
GS1 = "http://hl7.org/fhir/NamingSystem/gs1"
HIBCC = "http://hl7.org/fhir/NamingSystem/hibcc"
ICCBBA = "http://hl7.org/fhir/NamingSystem/iccbba"


class Udi(TypedDict, total=False):
    """The parts of a UDI; a part that the label has not is no key."""

    issuer: FhirUri
    deviceIdentifier: str
    lot: str
    serial: str
    expiry: FhirDate
    manufactured: FhirDate
    humanReadable: str
    problems: list[str]


# --- GS1: tables ------------------------------------------------------------------------------------------------------

# Application identifiers with a length of their own (GS1 General Specifications, 7.8.5), by their first two digits.
_FIXED = {"00": 20, "01": 16, "02": 16, "03": 16, "04": 18, "20": 4, "41": 16}
_FIXED |= dict.fromkeys(("11", "12", "13", "14", "15", "16", "17", "18", "19"), 8)
_FIXED |= dict.fromkeys(("31", "32", "33", "34", "35", "36"), 10)
# The others end at a GS or with the string: digits of the identifier, and the most characters that may follow.
_VARIABLE = {"10": (2, 20), "21": (2, 20), "22": (2, 20), "30": (2, 8), "37": (2, 8), "90": (2, 30)}
_VARIABLE |= {f"9{digit}": (2, 90) for digit in "123456789"}
_VARIABLE |= {"23": (3, 28), "24": (3, 30), "25": (3, 30), "40": (3, 30), "42": (3, 20), "71": (3, 20)}
_VARIABLE |= {"39": (4, 18), "43": (4, 70), "70": (4, 30), "72": (4, 30), "80": (4, 90), "81": (4, 70), "82": (4, 70)}

_RAW = re.compile(r"(?:\][CQdeJ][0-9])?\x1d?([0-9]{4,}[!-~\x1d]*)")
# Nine labels in ten: GTIN, expiry, lot, in either order, as scanned or as printed.
# A lot without the signs that stand for a lost separator (`<GS>`, `^]`, `~`, `#`, `|`).
_SCANNED = re.compile(r"(?:\]d2|\]C1)?01([0-9]{14})(?:17([0-9]{6}))?10([!\"%-;=?A-Z_a-z]{1,20})(?:\x1d17([0-9]{6}))?")
# A lot that ends as an expiry date would, had the separator between them been lost.
_DATED = re.compile(r".+17[2-4][0-9][01][0-9][0-3][0-9]")
_PRINTED = re.compile(r"\(01\)([0-9]{14})(?:\(17\)([0-9]{6}))?\(10\)([!-'*-~]{1,20})(?:\(17\)([0-9]{6}))?")
_PREFIX = re.compile(r"\][CQdeJ][0-9]")
_SHOWN_GS = re.compile(r"<GS>|\{GS\}|\[GS\]|\\x1[dD]|\\u001[dD]|\\035|\^\]|␝|~|#|\||\x1e", re.IGNORECASE)
_READABLE = re.compile(r"(?:\([0-9]{2,4}\)[^()\x1d]+)+")
_READABLE_PART = re.compile(r"\(([0-9]{2,4})\)([^()\x1d]+)")
_SHELF = re.compile(r"[0-9]{12,14}")
_AZERTY = re.compile(r"(?:\][CQde][à&é\"'(\-è_ç])?à&[à&é\"'(\-è_ç]{14}.*")
_FROM_AZERTY = str.maketrans("&é\"'(-è_çàQqAaWwZz?,)", "1234567890AaQqZzWwMm-")

_GTIN_14 = re.compile(r"[0-9]{14}")
# A GTIN's digits are summed by their character codes, every other one thrice: what that comes to, modulo 10, for zeros.
_ZEROS_14 = (14 + 2 * 7) * ord("0") % 10
_DAYS = frozenset(
    f"{month:02d}{day:02d}"
    for month, last in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
    for day in range(last + 1)
)
_LAST_DAY = {"01": "31", "03": "31", "04": "30", "05": "31", "06": "30", "07": "31", "08": "31"}
_LAST_DAY |= {"09": "30", "10": "31", "11": "30", "12": "31"}


@function
def parse_udi(text: str, lot: str | None = None, serial: str | None = None) -> Udi:
    """The parts of a UDI label, in whatever form it was scanned or typed, with what is wrong with it.

    ``lot`` and ``serial`` are what the source says beside the label: where the separator between them was lost they
    tell where one ends, which the label alone cannot. Day 00 of a GS1 date is the last day of its month; years 80 to 99
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
        common = _PRINTED.fullmatch(text)
        if common:
            return _common_gs1(text, *common.groups())
    else:
        common = _SCANNED.fullmatch(text)
        if common and (common[3] == lot or not (lot or serial or _DATED.fullmatch(common[3]))):
            return _common_gs1("", *common.groups())
    text = text.strip("\t\r\n\xa0").lstrip()
    first = text[:1]
    if first != "+":
        text = text.rstrip()
    if first == "(":
        return _readable_gs1(text)
    if first == "+":
        return _hibc(text)
    if first == "=" or text[:3] == "&,1":
        return _iccbba(text)
    return _raw_gs1(text, lot, serial)


@function
def udi_carrier(text: str) -> FhirBase64 | None:
    """What the barcode itself holds, in base64, as `Device.udiCarrier.carrierAIDC` wants it.

    A scan is taken as it was read, without its symbology prefix; a human-readable GS1 text is put back into the element
    string, with the separator (0x1D) behind each part of variable length but the last. Nothing where it cannot be read.

    Example:
        >>> udi_carrier("(01)00844588003288(17)250315(10)A213B456")
        'MDEwMDg0NDU4ODAwMzI4ODE3MjUwMzE1MTBBMjEzQjQ1Ng=='
    """
    raw = text.strip()
    if raw[:1] == "(":
        if not _READABLE.fullmatch(raw):
            return None
        parts = _READABLE_PART.findall(raw)
        ends = ["" if identifier[:2] in _FIXED else GS for identifier, _ in parts[:-1]] + [""]
        raw = "".join(identifier + value.strip() + end for (identifier, value), end in zip(parts, ends, strict=True))
    elif raw[:1] not in ("+", "=", "&"):
        raw = _SHOWN_GS.sub(GS, _PREFIX.sub("", raw, count=1)).lstrip(GS)
        if not _RAW.fullmatch(raw):
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
        return codes.isdigit() and len(codes) == 14 and (sum(codes) + 2 * sum(codes[::2])) % 10 == _ZEROS_14
    if udi[:1] == "+" and "+$" not in udi[1:] and _HIBC.fullmatch(udi):
        return _checked(udi)[1] != "check-digit"
    return "check-digit" not in parse_udi(udi).get("problems", ())


@function
def gtin_check_valid(gtin: str) -> bool:
    """Is the last digit of a GTIN (8, 12, 13 or 14 digits) its check digit?

    Example:
        >>> gtin_check_valid("04012345678901"), gtin_check_valid("00844588003296")
        (True, False)
    """
    return len(gtin) in (8, 12, 13, 14) and gtin.isascii() and gtin.isdecimal() and _gtin_valid(gtin)


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


# --- GS1 --------------------------------------------------------------------------------------------------------------


def _common_gs1(printed: str, gtin: str, before: str | None, lot: str, after: str | None) -> Udi:
    udi: Udi = {"issuer": GS1, "deviceIdentifier": gtin}
    if lot.upper() not in MISSING:
        udi["lot"] = lot
    if printed:
        udi["humanReadable"] = printed
    elif before:
        udi["humanReadable"] = f"(01){gtin}(17){before}(10){lot}"
    elif after:
        udi["humanReadable"] = f"(01){gtin}(10){lot}(17){after}"
    else:
        udi["humanReadable"] = f"(01){gtin}(10){lot}"
    expiry = before or after
    if expiry:
        day = _date(expiry)
        if day:
            udi["expiry"] = day
        else:
            udi["problems"] = ["date"]
    if not _gtin_valid(gtin):
        udi["problems"] = ["check-digit", *udi.get("problems", ())]
    return udi


def _readable_gs1(text: str) -> Udi:
    udi: Udi = {"issuer": GS1}
    if not _READABLE.fullmatch(text):
        return {"issuer": GS1, "problems": ["unreadable"]}
    parts = [(identifier, value.strip()) for identifier, value in _READABLE_PART.findall(text)]
    problems: list[str] = []
    for index, (identifier, value) in enumerate(parts):
        if identifier == "01" and len(value) < 14 and value.isdecimal():
            # An EAN-13 in the place of a GTIN-14 is the same number without its leading zero.
            parts[index] = (identifier, value.zfill(14))
    _take_gs1(parts, udi, problems)
    udi["humanReadable"] = "".join([f"({identifier}){value}" for identifier, value in parts])
    return _finish(udi, problems)


def _raw_gs1(text: str, lot: str | None, serial: str | None) -> Udi:
    problems: list[str] = []
    shape = _RAW.fullmatch(text)
    if shape is None:
        if spreadsheet_exponent(text):
            return {"problems": ["exponent"]}
        if _AZERTY.fullmatch(text):
            problems.append("keyboard-layout")
            text = text.translate(_FROM_AZERTY)
        text = "".join(text.split(" "))
    if shape is None or _SHOWN_GS.search(text) or _PREFIX.search(text):
        # A second barcode scanned behind the first one begins with its own symbology prefix.
        text = _PREFIX.sub(GS, _SHOWN_GS.sub(GS, text)).lstrip(GS).replace(GS + GS, GS)
        shape = _RAW.fullmatch(text)
    if shape is None:
        return {"problems": [*problems, "unreadable"]}
    body = shape[1]
    if _SHELF.fullmatch(body) and _gtin_valid(body):
        number = body.zfill(14)
        return _finish({"issuer": GS1, "deviceIdentifier": number, "humanReadable": f"(01){number}"}, problems)
    lost: list[str] = []
    parts = _elements(body, lot, serial, lost)
    if body[:2] == "01" and not (parts and _gtin_valid(body[2:16])) and _gtin_valid(body[2:15]):
        # An EAN-13 may stand behind the identifier of a GTIN-14; then what follows is cut one digit too late.
        lost_too: list[str] = []
        shifted = _elements(f"010{body[2:]}", lot, serial, lost_too)
        if shifted and (parts is None or _sense(shifted, lot, serial) > _sense(parts, lot, serial)):
            parts, lost = shifted, lost_too
    if parts is None:
        return {"issuer": GS1, "problems": [*problems, "unreadable"]}
    problems += lost
    udi: Udi = {"issuer": GS1}
    _take_gs1(parts, udi, problems)
    udi["humanReadable"] = "".join([f"({identifier}){value}" for identifier, value in parts])
    return _finish(udi, problems)


def _sense(parts: list[tuple[str, str]], lot: str | None, serial: str | None) -> int:
    """How many parts are what they say: a right check digit, a day of the calendar, the lot and serial of the row."""
    told = {"10": lot, "21": serial}
    right = {"01": _gtin_valid, "11": _date, "17": _date}
    return sum(
        bool(right[identifier](value))
        if identifier in right
        else identifier in told and told[identifier] in (value, None)
        for identifier, value in parts
    )


def _elements(body: str, lot: str | None, serial: str | None, problems: list[str]) -> list[tuple[str, str]] | None:
    """The element string cut into (identifier, value); nothing where it cannot be."""
    parts: list[tuple[str, str]] = []
    at, end = 0, len(body)
    while at < end:
        start = body[at : at + 2]
        length = _FIXED.get(start)
        if length:
            stop = at + length
            digits = 2 if start < "31" else 4 if start < "41" else 3
            value = body[at + digits : stop]
            if stop > end or not value.isdecimal():
                return None
            parts.append((body[at : at + digits], value))
            at = stop + 1 if body[stop : stop + 1] == GS else stop
            continue
        if start not in _VARIABLE:
            return None
        digits, most = _VARIABLE[start]
        stop = body.find(GS, at)
        if stop < 0:
            stop = end
        identifier, value = body[at : at + digits], body[at + digits : stop]
        if not value or not identifier.isdecimal():
            return None
        at = stop + 1
        hint = lot if start == "10" else serial if start == "21" else None
        dated = identifier == "10" and not (lot or serial) and "17" not in dict(parts) and _DATED.fullmatch(value)
        if value == hint or (len(value) <= most and not (lot or serial or dated)):
            parts.append((identifier, value))
            continue
        if dated and stop == end and _date(value[-6:]):
            lost: list[tuple[str, str]] | None = [(identifier, value[:-8]), ("17", value[-6:])]
        else:
            lost = _put_back(identifier, value, most, lot, serial)
        if lost:
            problems.append("gs-lost")
            parts += lost
        else:
            if len(value) > most:
                problems.append("gs-lost")
            parts.append((identifier, value))
    return parts


def _put_back(
    identifier: str, value: str, most: int, lot: str | None, serial: str | None
) -> list[tuple[str, str]] | None:
    """The parts that ``value`` holds if the separator inside it was lost; nothing where it need not have been.

    What the source says beside the label decides; without it only a value that is too long for one part is cut, and
    only where there is a single way to do so.
    """
    hint = {"10": lot, "21": serial}.get(identifier)
    if hint:
        return _after(identifier, value, hint, lot, serial)
    if serial and identifier == "10" and value.endswith("21" + serial) and len(value) > len(serial) + 2:
        return [(identifier, value[: -len(serial) - 2]), ("21", serial)]
    if len(value) <= most:
        return None
    ways = [(cut, tail) for cut in range(1, most + 1) if (tail := _tail(value[cut:], lot, serial))]
    return [(identifier, value[: ways[0][0]]), *ways[0][1]] if len(ways) == 1 else None


def _after(identifier: str, value: str, hint: str, lot: str | None, serial: str | None) -> list[tuple[str, str]] | None:
    """``value`` as the lot or serial that the row names and the parts behind it; nothing where it is not both."""
    tail = _tail(value[len(hint) :], lot, serial) if value.startswith(hint) and value != hint else None
    return [(identifier, hint), *tail] if tail else None


def _tail(text: str, lot: str | None, serial: str | None) -> list[tuple[str, str]] | None:
    """``text`` as parts that may well follow a lot: dates that are dates, a serial, a lot, a reference, a count."""
    parts: list[tuple[str, str]] = []
    while text:
        identifier = text[:2]
        if identifier in ("11", "17"):
            if not _date(text[2:8]):
                return None
            parts.append((identifier, text[2:8]))
            text = text[8:]
            continue
        if (
            identifier not in ("10", "21")
            and text[:3] != "240"
            and not (identifier in ("30", "37") and text[2:].isdecimal())
        ):
            return None
        width = 3 if text[:3] == "240" else 2
        digits, value = text[:width], text[width:]
        hint = {"10": lot, "21": serial}.get(digits)
        behind = _after(digits, value, hint, lot, serial) if hint else None
        if behind:
            return [*parts, *behind]
        if not value or len(value) > _VARIABLE[identifier][1]:
            return None
        return [*parts, (digits, value)]
    return parts


def _take_gs1(parts: list[tuple[str, str]], udi: Udi, problems: list[str]) -> None:
    for identifier, value in parts:
        if identifier == "01":
            udi["deviceIdentifier"] = value
            if not (_GTIN_14.fullmatch(value) and _gtin_valid(value)):
                problems.append("check-digit")
        elif identifier == "10" or identifier == "21":
            if value.upper() not in MISSING:
                udi["lot" if identifier == "10" else "serial"] = value
        elif identifier == "17" or identifier == "11":
            day = _date(value)
            if not day:
                problems.append("date")
            elif identifier == "17":
                udi["expiry"] = day
            else:
                udi["manufactured"] = day


def _gtin_valid(gtin: str) -> bool:
    codes = gtin.zfill(14).encode()
    return (sum(codes) + 2 * sum(codes[::2])) % 10 == _ZEROS_14


def _date(text: str) -> str:
    """`YYMMDD` as a FHIR date, day 00 as the last of its month; empty where there is no such day."""
    year, month, day = text[:2], text[2:4], text[4:]
    if text[2:] not in _DAYS or not (text.isdecimal() and len(text) == 6):
        return ""
    if month == "02" and (day == "00" or day == "29"):
        leap = int(year) % 4 == 0
        if day == "29" and not leap:
            return ""
        day = "29" if leap else "28"
    elif day == "00":
        day = _LAST_DAY[month]
    return f"{'19' if year >= '80' else '20'}{year}-{month}-{day}"


def _finish(udi: Udi, problems: list[str]) -> Udi:
    if "deviceIdentifier" not in udi:
        problems.append("no-device-identifier")
    if problems:
        udi["problems"] = problems
    return udi


# --- HIBC -------------------------------------------------------------------------------------------------------------

_HIBC_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
_HIBC_VALUES = bytes.maketrans(_HIBC_SIGNS.encode(), bytes(range(43)))
_HIBC = re.compile(r"\+[0-9A-Z\-. $/+%]+")
_HIBC_PRIMARY = re.compile(r"\+([A-Z][0-9A-Z]{3}[0-9A-Z]{1,18}[0-9])(?:/(.*))?")
# A secondary part: `$` or `$$`, a quantity, `+` for a serial, a qualifier that says how the date is written, the rest.
_HIBC_SECONDARY = re.compile(
    r"\$\$(?:8[0-9]{2}|9[0-9]{5})?(?P<long_serial>\+)?"
    r"(?:2(?P<mdy>[0-9]{6})|3(?P<ymd>[0-9]{6})|4(?P<ymdh>[0-9]{8})|5(?P<julian>[0-9]{5})|6(?P<julianh>[0-9]{7})|7|(?P<my>[01][0-9]{3}))"
    r"(?P<long>[^/]*)"
    r"|\$(?P<serial>\+)?(?P<short>[^/$+]*)"
    r"|(?P<plain_julian>[0-9]{5})(?P<plain>[^/]*)"
)
_HIBC_EXTRA = re.compile(r"/(14D|16D|S|Q)([^/]*)")


def _hibc(text: str) -> Udi:
    udi: Udi = {"issuer": HIBCC}
    problems: list[str] = []
    if not _HIBC.fullmatch(text):
        text = text.upper()
        if not _HIBC.fullmatch(text):
            return {"issuer": HIBCC, "problems": ["unreadable"]}
    second = text.find("+$", 1)
    if second > 0 and (text[second - 1] not in "/$" or not _checked(text[:second])[1]):
        # Two labels scanned as one: each has its own check character.
        primary, problem = _checked(text[:second])
        secondary, problem_of_second = _checked(text[second:])
        if "check-digit" in (problem, problem_of_second):
            problems.append("check-digit")
        if problem_of_second == "space":
            text += " "
        rest = secondary[1:-1]
    else:
        if text != text.rstrip(" ") and _hibc_sum(text.rstrip(" ")) != 38:
            text = text.rstrip(" ")
        body, problem = _checked(text)
        if problem == "space":
            text += " "
        elif problem:
            problems.append(problem)
        primary, rest = (body, "") if body[1:2] != "$" else ("", body[1:-1])
    if primary:
        shape = _HIBC_PRIMARY.fullmatch(primary)
        if shape is None:
            return {"issuer": HIBCC, "problems": [*problems, "unreadable"]}
        udi["deviceIdentifier"] = shape[1]
        rest = rest or shape[2] or ""
    if rest:
        _take_hibc(rest, udi, problems)
    udi["humanReadable"] = text
    return _finish(udi, problems)


def _checked(text: str) -> tuple[str, str]:
    """The label without its check character, and what is wrong with that character.

    A check character may be a space, which every trimming reader takes off: then the sum over all that is left is the
    space's own 38.
    """
    if _hibc_sum(text[:-1]) == _HIBC_SIGNS.index(text[-1]):
        return text[:-1], ""
    if _hibc_sum(text) == 38:
        return text, "space"
    return text[:-1], "check-digit"


def _hibc_sum(text: str) -> int:
    return sum(text.encode().translate(_HIBC_VALUES)) % 43


def _take_hibc(text: str, udi: Udi, problems: list[str]) -> None:
    shape = _HIBC_SECONDARY.match(text)
    rest = text[shape.end() :] if shape else f"/{text}"
    if shape:
        value = shape["long"] or shape["short"] or shape["plain"]
        if value and value not in MISSING:
            udi["serial" if shape["long_serial"] or shape["serial"] else "lot"] = value
        written = _hibc_date(shape)
        if written:
            udi["expiry"] = written
        elif written is None:
            problems.append("date")
    for kind, value in _HIBC_EXTRA.findall(rest):
        if kind == "S":
            udi["serial"] = value
        elif kind in ("14D", "16D"):
            day = _date(value[2:])
            if not day or not value.startswith(day[:2]):
                problems.append("date")
            elif kind == "14D":
                udi["expiry"] = day
            else:
                udi["manufactured"] = day


def _hibc_date(shape: re.Match[str]) -> str | None:
    """The expiry of a secondary part; empty where it has none, nothing where it is no day."""
    if shape["ymd"]:
        return _date(shape["ymd"]) or None
    if shape["mdy"]:
        return _date(shape["mdy"][4:] + shape["mdy"][:4]) or None
    if shape["my"]:
        return _date(f"{shape['my'][2:]}{shape['my'][:2]}00") or None
    if shape["ymdh"]:
        return _date(shape["ymdh"][:6]) or None
    ordinal = shape["julian"] or (shape["julianh"] or "")[:5] or shape["plain_julian"]
    return (_ordinal(ordinal) or None) if ordinal else ""


def _ordinal(text: str) -> str:
    """`YYJJJ`, day of the year, as a FHIR date; empty where there is no such day."""
    year, rest = int(text[:2]), int(text[2:])
    for month in range(1, 13):
        last = 29 if month == 2 and year % 4 == 0 else 28 if month == 2 else int(_LAST_DAY[f"{month:02d}"])
        if 1 <= rest <= last:
            return _date(f"{text[:2]}{month:02d}{rest:02d}")
        rest -= last
    return ""


# --- ICCBBA (ISBT 128) ------------------------------------------------------------------------------------------------

_ICCBBA_PARTS = re.compile(
    r"=/(?P<product>[0-9A-Z]{16})|=,(?P<serial>[0-9A-Z]{6})|=>(?P<expiry>[0-9]{6})|=\}(?P<made>[0-9]{6})"
    r"|&,1(?P<lot>[0-9A-Z]{1,18})|=(?P<donation>[0-9A-Z]{15})|=[^0-9A-Z][0-9A-Z]+|&[^0-9A-Z][0-9A-Z]+"
)


def _iccbba(text: str) -> Udi:
    udi: Udi = {"issuer": ICCBBA}
    problems: list[str] = []
    at = 0
    for part in _ICCBBA_PARTS.finditer(text):
        if part.start() != at:
            break
        at = part.end()
        if part["product"]:
            udi["deviceIdentifier"] = part["product"]
        elif part["serial"]:
            udi["serial"] = part["serial"]
        elif part["lot"]:
            udi["lot"] = part["lot"]
        elif part["expiry"] or part["made"]:
            written = part["expiry"] or part["made"]
            day = _ordinal(written[1:])
            if not day:
                problems.append("date")
            elif part["expiry"]:
                udi["expiry"] = day
            else:
                udi["manufactured"] = day
    if at != len(text):
        return {"issuer": ICCBBA, "problems": [*problems, "unreadable"]}
    udi["humanReadable"] = text
    return _finish(udi, problems)
