"""Fictitious records not seen before, in the three layouts of the examples, and what each must come to.

    python tests/examples/unseen.py SEED COUNT FOLDER      writes a.sqlite, b.json, c.csv there

Every field is drawn together with what the documents say of it (a right value, a remark, a refusal), so a record may
bear several faults at once. Nothing here reads the maps or calls the product: check digits, dates and labels are made
from their definitions, and the expectation is made of what was put in, not parsed back from the text.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

GS = "\x1d"
PARIS = ZoneInfo("Europe/Paris")
KNEE, HIP, SHOULDER = "19063003", "47458005", "239468007"
LIMITS = {KNEE: (3, 5), HIP: (2, 6), SHOULDER: (4, 5)}
PREFIX = {KNEE: "PG_", HIP: "PH_", SHOULDER: "PE_"}
BASE = {
    KNEE: ("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL"),
    HIP: ("PH_CUPULE", "PH_INSERT", "PH_TIGE", "PH_TETE"),
    SHOULDER: ("PE_TIGE_HUMERALE", "PE_TETE_HUMERALE", "PE_GLENOIDE", "PE_INSERT_GLENOIDIEN"),
}
MORE = {KNEE: ("PG_PATELLAIRE", "FIXATION"), HIP: ("PH_ANNEAU", "PH_COL", "FIXATION"), SHOULDER: ("FIXATION",)}
ACTS = {
    KNEE: ("NFKA007", "NFKA008", "NFKA009", "NFLA001", "NFKA001"),
    HIP: ("NEKA020", "NEKA010", "NEKA012", "NEKA018", "NELA001"),
    SHOULDER: ("MEKA008", "MEKA010", "MEKA005"),
}
OTHER_ACTS = ("NFFC004", "NEGA002", "NFGA001", "ZZQX123", "NEMA020", "MEMC003", "AHPA009")


# --- numbers ----------------------------------------------------------------------------------------------------------


def luhn(body: str) -> str:
    """``body`` and the digit that makes its Luhn sum end in 0."""
    for last in "0123456789":
        total = 0
        for index, digit in enumerate(reversed(body + last)):
            doubled = int(digit) * (1 + index % 2)
            total += doubled - 9 if doubled > 9 else doubled
        if total % 10 == 0:
            return body + last
    raise AssertionError(body)


def gtin(body: str) -> str:
    """``body`` and its GTIN digit: weights 3, 1, 3, 1 from the right."""
    total = sum(int(digit) * (3, 1)[index % 2] for index, digit in enumerate(reversed(body)))
    return f"{body}{(10 - total % 10) % 10}"


def nir_key(body: str) -> str:
    """97 less the remainder of the number by 97; 2A counts as 19, 2B as 18."""
    return f"{97 - int(body.replace('2A', '19').replace('2B', '18')) % 97:02}"


HIBC_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"


def hibc(text: str) -> str:
    """The check character of ``text``."""
    return HIBC_SIGNS[sum(HIBC_SIGNS.index(sign) for sign in text) % 43]


# --- what is expected -------------------------------------------------------------------------------------------------


@dataclass
class Expected:
    """What must come out. ``bad``/``warn``/``maybe``: a refusal, a remark, a remark that the documents leave open."""

    key: str
    scope: str = "in"
    bad: list[str] = field(default_factory=list)
    warn: list[str] = field(default_factory=list)
    maybe: list[str] = field(default_factory=list)
    procedure: str = ""
    side: str = ""
    date: str = "-"
    shoulder_type: str = ""
    nir: str | None = None
    rpps: str | None = None
    finess: str | None = None
    pieces: list[Sent] = field(default_factory=list)

    def verdicts(self) -> set[str]:
        """The verdicts that the documents allow: one, nearly always."""
        if self.scope != "in":
            return {self.scope}
        if self.bad:
            return {"invalid"}
        if self.warn:
            return {"sendable-with-notes"}
        return {"sendable", "sendable-with-notes"} if self.maybe else {"sendable"}

    def line(self) -> tuple[str, ...]:
        """Procedure, side, date, number of implants and shoulder type, as `preview --records` writes them."""
        if self.procedure == "" and self.scope != "in":
            return ("", "", self.date, "0", "")
        return (self.procedure, self.side, self.date, str(len(self.pieces)), self.shoulder_type)


@dataclass
class Sent:
    """One implant of the message."""

    type: str
    udi: str | None
    lot: str | None


@dataclass
class Label:
    """A label's text in the source, what it truly says, and how it must be sent."""

    text: str | None
    lot: str | None = None
    serial: str | None = None
    expiry: date | None = None
    sent: str | None = None
    warn: bool = False
    maybe: bool = False
    readable: bool = True
    check: bool = True
    lost: bool = False


@dataclass
class Piece:
    """One row of the source about one article."""

    type: str
    article: int
    gtin: str | None
    lot: str | None
    serial: str | None
    label: Label
    expiry: str | None = None
    expires: date | None = None
    quantity: Any = 1
    count: int = 1
    state: str = "placed"
    fault: bool = False
    known_type: bool = True


@dataclass
class Case:
    """One record: raw fields by name for the layout to write, pieces, and the expectation."""

    expected: Expected
    raw: dict[str, Any]
    pieces: list[Piece]


MISSING = (None, "", "  ", "N/A", "INCONNU", "-", "0", "SANS", "inconnu", "n/a")


def missing(text: str | None) -> bool:
    """Does the text say that there is none?"""
    return text is None or text.strip().upper() in ("", "N/A", "INCONNU", "-", "0", "SANS")


def cut_short(text: str | None) -> bool:
    """Is it one of the exponent forms that this file writes?"""
    return text is not None and "E+" in text


# --- fields: raw value, true value ------------------------------------------------------------------------------------


def one_of(rng: Random, usual: Any, *rare: Any, share: float = 0.15) -> Any:
    """``usual``, or one of ``rare``."""
    return rng.choice(rare) if rare and rng.random() < share else usual


def draw_nir(rng: Random, seen: Expected, dirt: float) -> tuple[str, str, str]:
    """NIR of 13 characters as written, its key as written, and the 13 characters as they should be."""
    department = one_of(rng, f"{rng.randrange(1, 95):02}", "2A", "2B", "97", "98", "99")
    if department in ("20",):
        department = "21"
    body = f"{rng.choice('12')}{rng.randrange(25, 99):02}{rng.randrange(1, 13):02}{department}"
    body += f"{rng.randrange(950, 990)}{rng.randrange(1, 1000):03}"
    kind = one_of(rng, "", "temporary", "month", "absent", "wrong key", "no key", "no key", "short", share=dirt)
    if kind == "temporary":
        body = rng.choice("3478") + body[1:]
        seen.bad.append("NIR temporary")
    elif kind == "month":
        body = body[:3] + rng.choice(("20", "31", "42", "50", "99", "00", "13")) + body[5:]
        seen.bad.append("NIR month")
    elif kind == "short":
        body = body[:-1]
        seen.bad.append("NIR short")
    key = nir_key(body) if kind != "short" else "11"
    if kind == "wrong key":
        key = f"{(int(key) % 97) + 1:02}"
        seen.warn.append("NIR key")
    if kind == "absent":
        seen.bad.append("NIR absent")
        return rng.choice(("", "  ", "\xa0")), "", ""
    seen.nir = None if kind == "short" else body + key
    written = body.lower() if rng.random() < 0.3 else body
    shape = one_of(rng, "plain", "spaces", "nbsp", "dots", "outer", "narrow", share=dirt)
    if kind != "short" and shape != "plain":
        joint = {"spaces": " ", "nbsp": "\xa0", "dots": ".", "narrow": "\u202f"}.get(shape)
        if joint:
            cuts = (written[:1], written[1:3], written[3:5], written[5:7], written[7:10], written[10:])
            written = joint.join(cuts)
        else:
            written = f" {written}  "
    return written, "" if kind == "no key" else key, body


def draw_rpps(rng: Random, seen: Expected, dirt: float, floats: tuple[str, ...] = (".0", ",0")) -> str | None:
    number = luhn(f"10999{rng.randrange(10**5):05}")
    kind = one_of(rng, "", "luhn", "9 digits", "exponent", "absent", "spaces", "8", "float", "12", share=dirt)
    if kind in ("9 digits", "exponent", "absent", "12"):
        seen.bad.append(f"RPPS {kind}")
        return {"9 digits": number[:9], "exponent": "1,0999E+10", "absent": rng.choice(("", " ")), "12": f"7{number}"}[
            kind
        ]
    if kind == "luhn":
        number = number[:-1] + str((int(number[-1]) + 1) % 10)
        seen.warn.append("RPPS Luhn")
    seen.rpps = number
    if kind == "spaces":
        return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]} "
    if kind == "8":
        seen.warn.append("RPPS 8")
        return rng.choice((f"8{number}", f"8 {number}"))
    if kind != "float":
        return number
    seen.warn.append("RPPS float")
    return number + rng.choice(floats)


def draw_finess(rng: Random, seen: Expected, dirt: float) -> str:
    number = luhn(f"99{rng.randrange(10**6):06}")
    kind = one_of(rng, "", "luhn", "Corsica", "short", "absent", "spaces", "blank", share=dirt)
    if kind in ("Corsica", "short", "absent"):
        seen.bad.append(f"FINESS {kind}")
        return {"Corsica": rng.choice(("2A999", "2B999", "2a999")) + number[5:], "short": number[1:], "absent": ""}[
            kind
        ]
    if kind == "luhn":
        number = number[:-1] + str((int(number[-1]) + 1) % 10)
        seen.warn.append("FINESS Luhn")
    seen.finess = number
    return {"spaces": f"{number[:2]} {number[2:5]} {number[5:]}", "blank": f"{number} \xa0"}.get(kind, number)


def draw_side(rng: Random, seen: Expected, table: dict[Any, str], off: tuple[Any, ...], dirt: float) -> Any:
    """A side of the table, or one that is off it or absent: then it is not sent, and that is remarked."""
    if rng.random() < dirt:
        seen.warn.append("side")
        return rng.choice(off)
    raw = rng.choice(list(table))
    seen.side = table[raw]
    return raw


def draw_moment(rng: Random) -> datetime:
    """A local time in France: any day of two years, often near midnight or on the days when the clocks change."""
    day = date(2024, 1, 1) + timedelta(days=rng.randrange(700))
    day = one_of(rng, day, date(2024, 2, 29), date(2025, 3, 30), date(2025, 10, 26), date(2024, 12, 31), share=0.15)
    hour, minute = rng.randrange(7, 18), rng.choice((0, 15, 30, 45))
    hour, minute = one_of(rng, (hour, minute), (0, 0), (0, 10), (0, 59), (1, 30), (23, 50), (23, 59), (3, 30))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)


def draw_act(rng: Random, seen: Expected, procedure: str, dirt: float) -> str:
    """The principal act as it is written, of 7 to 10 characters, seldom in lower case."""
    if rng.random() < dirt:
        seen.scope = "out-of-scope"
        return rng.choice(OTHER_ACTS)
    act = rng.choice(ACTS[procedure]) + one_of(rng, "", "0", "01", "011", share=dirt)
    written: str = one_of(rng, act, act.lower(), f" {act} ", share=dirt)
    return written


# --- labels -----------------------------------------------------------------------------------------------------------


def gs1_date(day: date, *, zero: bool = False) -> str:
    return f"{day:%y%m}00" if zero else f"{day:%y%m%d}"


def month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def elements(rng: Random, piece: Piece, expires: date) -> tuple[list[tuple[str, str]], Label]:
    """The element strings of a GS1 label in some order, and what it says."""
    number = piece.gtin or gtin(f"02999{rng.randrange(10**8):08}")
    label = Label(None, expiry=expires)
    if rng.random() < 0.05:
        number = number[:-1] + str((int(number[-1]) + 1) % 10)
        label.check = False
        label.warn = True
    zero = rng.random() < 0.1
    if zero:
        label.expiry = month_end(expires)
    parts = [("17", gs1_date(expires, zero=zero))]
    if piece.lot and not cut_short(piece.lot) and not missing(piece.lot) and rng.random() < 0.9:
        label.lot = piece.lot.strip()
        parts.append(("10", label.lot))
    if piece.serial and not missing(piece.serial) and rng.random() < 0.8:
        label.serial = piece.serial.strip()
        parts.append(("21", label.serial))
    if rng.random() < 0.2:
        parts.append(("11", gs1_date(expires - timedelta(days=1500))))
    if rng.random() < 0.08:
        parts.append(rng.choice((("240", "REF-77A"), ("30", "1"), ("37", "2"))))
    if rng.random() < 0.4:
        rng.shuffle(parts)
    return [("01", number), *parts], label


VARIABLE = ("10", "21", "240", "30", "37")


def printed(parts: Iterable[tuple[str, str]]) -> str:
    return "".join(f"({identifier}){value}" for identifier, value in parts)


def scanned(parts: list[tuple[str, str]]) -> str:
    text = ""
    for index, (identifier, value) in enumerate(parts):
        text += identifier + value
        if identifier in VARIABLE and index < len(parts) - 1:
            text += GS
    return text


def unlabelled(rng: Random, rebuilt: bool, dirt: float) -> Label | None:
    """A label that is not there or not readable; ``rebuilt``: the layout has a catalogue to make one of."""
    kind = one_of(rng, "", "none", "exponent", "words", share=dirt * 0.3)
    if kind == "none":
        return Label(rng.choice((None, "", " ")), readable=False, warn=rebuilt)
    if kind == "exponent":
        return Label(rng.choice(("2,99911E+12", "1.02999E+30")), readable=False, warn=True)
    if kind == "words":
        return Label("ETIQUETTE ILLISIBLE", sent=None if rebuilt else "ETIQUETTE ILLISIBLE", readable=False, warn=True)
    return None


def raw_gs1(rng: Random, piece: Piece, expires: date, dirt: float) -> Label:
    """A GS1 label as a scanner gives it, and what a scanner does to it."""
    parts, label = elements(rng, piece, expires)
    label.sent = printed(parts)
    text = scanned(parts)
    kind = one_of(rng, "", "shown", "lost", "ean", "shelf", "azerty", "front", "blanks", share=dirt)
    if kind == "shown":
        text = text.replace(GS, rng.choice(("<GS>", "^]", "~", "\\x1d", "#", "<gs>")))
    elif kind == "lost" and GS in text and known_by_columns(piece, parts):
        text = text.replace(GS, "")
        label.warn = label.lost = True
    elif kind == "ean" and label.check and parts[0][1].startswith("0"):
        # The number of 13 digits is where one of 14 belongs.
        text = text.replace(parts[0][1], parts[0][1][1:], 1)
        label.warn = True
    elif kind == "shelf" and label.check and parts[0][1].startswith("0"):
        number = parts[0][1]
        return Label(number[1:], sent=f"(01){number}")
    elif kind == "azerty" and GS not in text and not label.serial:
        digits = text.translate(str.maketrans("1234567890", "&é\"'(-è_çà"))
        if digits.isupper() or not any(sign.isalpha() for sign in text):
            text = digits
        if text == digits and not any(sign in text for sign in "AQZWM-"):
            label.warn = True
        else:
            text = scanned(parts)
    elif kind == "blanks":
        text = f" {text}  "
    if kind == "azerty" and not text.isascii():
        label.text = text
        return label
    label.text = one_of(rng, "", "]d2", "]C1", f"]d2{GS}" if kind == "front" else "]d2", share=0.4) + text.strip(" ")
    if kind == "blanks":
        label.text = f" {label.text} "
    return label


def known_by_columns(piece: Piece, parts: list[tuple[str, str]]) -> bool:
    """Do the columns show where each part ends whose separator was lost?"""
    hints = {"10": piece.lot, "21": piece.serial}
    return all(hints.get(identifier) == value for identifier, value in parts[:-1] if identifier in VARIABLE)


def readable_gs1(rng: Random, piece: Piece, expires: date, dirt: float) -> Label:
    """A GS1 label typed with its parentheses."""
    parts, label = elements(rng, piece, expires)
    label.sent = label.text = printed(parts)
    kind = one_of(rng, "", "ean", "blanks", "scan", share=dirt)
    if kind == "ean" and label.check and parts[0][1].startswith("0"):
        label.text = printed([("01", parts[0][1][1:]), *parts[1:]])
        label.warn = True
    elif kind == "blanks":
        label.text = f"  {label.text} \xa0"
    elif kind == "scan" and len(parts) < 4 and GS not in scanned(parts):
        label.text = scanned(parts)
    return label


def hibc_label(rng: Random, piece: Piece, expires: date, dirt: float) -> Label:
    """A HIBC label: primary and secondary part in one, every form of date and of serial."""
    primary = rng.choice(("+ZA01", "+ZN02", "+ZK03", "+ZB04", "+ZM05"))
    primary += (
        f"{rng.choice(('FE', 'TI', 'CU9X', 'H'))}{rng.randrange(100, 999)}{rng.choice('LRN')}{rng.choice('0019')}"
    )
    label = Label(None)
    serial = piece.serial if piece.serial and not missing(piece.serial) else None
    lot = piece.lot if piece.lot and not missing(piece.lot) and not cut_short(piece.lot) else None
    mark = ""
    tail = lot or ""
    if serial and (not lot or rng.random() < 0.4):
        mark, tail = "+", serial
    ordinal = f"{expires:%y%j}"
    forms: tuple[tuple[str, date | None], ...] = (
        (f"$${mark}3{expires:%y%m%d}", expires),
        (f"$${mark}3{expires:%y%m%d}", expires),
        (f"$${mark}3{expires:%y%m%d}", expires),
        (f"$${mark}2{expires:%m%d%y}", expires),
        (f"$${mark}{expires:%m%y}", month_end(expires)),
        (f"$${mark}4{expires:%y%m%d}10", expires),
        (f"$${mark}5{ordinal}", expires),
        (f"$${mark}6{ordinal}23", expires),
        (f"$${mark}7", None),
        (f"${mark}", None),
    )
    head, label.expiry = rng.choice(forms)
    text = primary
    if tail or rng.random() < 0.5:
        text += f"/{head}{tail}"
        if mark:
            label.serial = serial
        else:
            label.lot = tail or None
        if serial and not mark and rng.random() < 0.5:
            text += f"/S{serial}"
            label.serial = serial
        if head in ("$", "$$7") and rng.random() < 0.5:
            text += f"/14D{expires:%Y%m%d}"
            label.expiry = expires
        if rng.random() < 0.15:
            text += f"/16D{expires - timedelta(days=1500):%Y%m%d}"
    else:
        label.expiry = None
    sign = hibc(text)
    kind = one_of(rng, "", "check", "two", "outer", share=dirt)
    if kind == "check":
        sign = HIBC_SIGNS[(HIBC_SIGNS.index(sign) + 1 + rng.randrange(20)) % 43]
        while sign == " " or hibc(text + sign) == " ":
            # A space would be trimmed; and what sums to a space reads as a label whose own space was trimmed.
            sign = HIBC_SIGNS[(HIBC_SIGNS.index(sign) + 1) % 43]
        label.warn = True
    label.text = label.sent = text + sign
    if kind == "two" and "/" in text and "/S" not in text and "/1" not in text and (tail or head != "$"):
        first = primary + hibc(primary)
        second = "+" + text[len(primary) + 1 :] + first[-1]
        second += hibc(second)
        label.text = label.sent = first + second
    elif kind == "outer" and sign != " ":
        label.text = f"  {label.text}\t"
    return label


# --- pieces -----------------------------------------------------------------------------------------------------------

Tables = dict[str, list[tuple[Any, ...]]]
Labeller = Callable[[Random, Piece, date, float], Label]


def draw_pieces(
    rng: Random, seen: Expected, day: date | None, procedure: str, dirt: float, label_of: Labeller, rebuilt: bool
) -> list[Piece]:
    """The rows of one operation; ``seen`` learns what is sent of them."""
    types = list(BASE[procedure])
    types += [rng.choice(MORE[procedure]) for _ in range(rng.choice((0, 0, 0, 1, 1)))]
    kind = one_of(rng, "", "none", "few", "many", "screws", share=dirt)
    if kind == "none":
        types = []
    elif kind == "few":
        types = types[: rng.randrange(1, 3)]
    elif kind == "many":
        types += [rng.choice(BASE[procedure]) for _ in range(4)]
    elif kind == "screws":
        types += ["FIXATION"] * rng.randrange(1, 4)
    if rng.random() < dirt * 0.3:
        types[:1] = [BASE[rng.choice([other for other in BASE if other != procedure])][0]]
    rows = [draw_piece(rng, seen, kind_of, day, dirt, label_of, rebuilt) for kind_of in types]
    for number, piece in enumerate(rows):
        piece.article = number + 1
    spoil(rng, rows, dirt, label_of, day, rebuilt, seen)
    if label_of is hibc_label:
        for piece in rows:
            piece.quantity, piece.count, piece.fault = 1, 1, False
    send(seen, rows, day, rebuilt)
    low, high = LIMITS[procedure]
    if not low <= len(seen.pieces) <= high:
        seen.bad.append("count")
    if any(piece.type and piece.type != "FIXATION" and piece.type[:3] != PREFIX[procedure] for piece in seen.pieces):
        seen.warn.append("type of another joint")
    return rows


def draw_piece(
    rng: Random, seen: Expected, kind: str, day: date | None, dirt: float, label_of: Labeller, rebuilt: bool
) -> Piece:
    lot = f"{rng.choice('ABHKMX')}{rng.randrange(10**5, 10**6)}{rng.choice(('', '', 'A', '-1'))}"
    # HIBC dates may follow a lot that is all digits, GS1 separators may be lost: lots keep a letter in front.
    serial = f"SN{rng.randrange(10**4, 10**5)}" if rng.random() < 0.2 else None
    number = gtin(f"02999{rng.randrange(10**8):08}")
    piece = Piece(kind, 0, number, lot, serial, Label(None))
    expires = (day or date(2025, 6, 1)) + timedelta(days=rng.randrange(30, 2000))
    if rng.random() < dirt * 0.2:
        expires = (day or date(2025, 6, 1)) - timedelta(days=rng.randrange(32, 400))
    trouble = one_of(
        rng, "", "column empty", "lost", "serial only", "cut short", "other lot", "blanks", share=dirt * 0.4
    )
    if trouble == "serial only":
        piece.serial = serial or "SN777"
        piece.lot = None
    if trouble == "lost":
        piece.lot = piece.serial = None
    piece.label = unlabelled(rng, rebuilt, dirt) or label_of(rng, piece, expires, dirt)
    while trouble and piece.label.lost:
        # Where a separator is lost and the columns do not show it, nothing does.
        piece.label = label_of(rng, piece, expires, dirt)
    if trouble in ("column empty", "serial only", "lost"):
        piece.lot = rng.choice(MISSING)
    if trouble == "lost":
        piece.serial = rng.choice(MISSING)
    if trouble == "cut short":
        piece.lot = rng.choice(("1,23457E+11", "4.5E+12"))
    if trouble == "other lot" and piece.label.lot:
        piece.lot = f"{lot}Z"
    if trouble == "blanks" and piece.lot:
        piece.lot = f" {piece.lot}\xa0"
    if trouble != "lost" and rng.random() < 0.7:
        piece.expires = one_of(rng, expires, expires + timedelta(days=40))
    return piece


# As written, what it says, and whether it is a fault: a reversal is no number of implants.
QUANTITIES: tuple[tuple[Any, int, bool], ...] = (
    (2, 2, False), (3, 3, False), ("2", 2, False), (" 1 ", 1, False), ("2,0", 2, False), ("1,0", 1, False),
    (0, 0, False), ("", 1, False), (-1, 1, True),
)  # fmt: skip


def spoil(
    rng: Random, rows: list[Piece], dirt: float, label_of: Labeller, day: date | None, rebuilt: bool, seen: Expected
) -> None:
    """Quantities, repeats, and rows that are no implants."""
    if rows and rng.random() < dirt * 0.6:
        piece = rng.choice(rows)
        piece.quantity, piece.count, piece.fault = rng.choice(QUANTITIES)
    if rows and rng.random() < dirt * 0.5:
        twin = rng.choice(rows)
        again = Piece(**vars(twin))
        if again.serial is None and rng.random() < 0.5 and label_of is not hibc_label:
            again.serial = twin.serial = "SN4242"
        rows.insert(rng.randrange(rows.index(twin) + 1, len(rows) + 1), again)
    if rows and rng.random() < dirt * 0.3:
        unknown = rng.choice(rows).article
        for piece in rows:
            piece.known_type = piece.article != unknown
    for number in range(rng.choice((0, 0, 0, 1, 2)) if rng.random() < dirt * 2 else 0):
        extra = draw_piece(rng, seen, rng.choice(("PG_FEMORAL", "PH_CUPULE", "FIXATION")), day, dirt, label_of, rebuilt)
        extra.article = 90 + number
        extra.state = rng.choice(("explanted", "opened", "deleted"))
        if extra.state == "explanted":
            extra.lot = "INCONNU"
        rows.insert(rng.randrange(len(rows) + 1), extra)


def made_of(number: str, lot: str | None, serial: str | None) -> str:
    """What is sent in the place of a label that cannot be."""
    return f"(01){number}" + (f"(10){lot}" if lot else "") + (f"(21){serial}" if serial else "")


def send(seen: Expected, rows: list[Piece], day: date | None, rebuilt: bool) -> None:
    """The conventions of the reference data, row by row."""
    scanned_before: set[tuple[Any, ...]] = set()
    lots_before: set[tuple[Any, ...]] = set()
    messages: list[tuple[str | None, str | None]] = []
    for piece in rows:
        doubtful = any((text or "").strip().upper() in ("INCONNU", "SANS") for text in (piece.lot, piece.serial))
        if piece.state != "placed":
            if doubtful:
                seen.maybe.append("word of absence")
            continue
        if doubtful:
            seen.warn.append("word of absence")
        label = piece.label
        if piece.fault:
            seen.bad.append("quantity")
        column = None if missing(piece.lot) or cut_short(piece.lot) else (piece.lot or "").strip()
        serial = None if missing(piece.serial) else piece.serial
        one_serial = serial or label.serial
        lot = column or label.lot or one_serial
        own_lot = column or label.lot
        if piece.count:
            remarks(seen, piece, label, column, day)
        udi = label.sent
        if udi is None and rebuilt and piece.gtin and not label.readable:
            if piece.count:
                seen.warn.append("UDI made")
            udi = made_of(piece.gtin, column, serial)
        if rebuilt and piece.gtin and not label.check:
            udi = made_of(piece.gtin, own_lot, one_serial)
        if one_serial and piece.count:
            identity = (piece.article, own_lot, one_serial)
            if identity in scanned_before:
                seen.warn.append("scanned twice")
                continue
            scanned_before.add(identity)
        elif piece.count:
            if own_lot and (piece.article, own_lot) in lots_before:
                seen.warn.append("same lot")
            lots_before.add((piece.article, own_lot))
        kind = piece.type if piece.known_type else ""
        for _ in range(piece.count):
            if not kind:
                seen.bad.append("type")
            if lot is None:
                seen.bad.append("lot")
            if udi is None:
                seen.bad.append("UDI")
            if (udi, lot) in messages:
                # A message with one UDI and lot twice is remarked by our own rule (D21); two pieces of one row are not.
                seen.maybe.append("same UDI and lot")
            messages.append((udi, lot))
            seen.pieces.append(Sent(kind, udi, lot))


def remarks(seen: Expected, piece: Piece, label: Label, column: str | None, day: date | None) -> None:
    if label.warn:
        seen.warn.append("label")
    if label.maybe:
        seen.maybe.append("label")
    if cut_short(piece.lot):
        seen.warn.append("lot cut short")
    if column and label.lot and column != label.lot:
        seen.warn.append("lot differs")
    if day and any(end and end < day for end in (piece.expires, label.expiry)):
        seen.warn.append("expired")


# --- A: tables --------------------------------------------------------------------------------------------------------

A_FAMILIES = {
    "PG_FEMORAL": "FEM", "PG_BASETIBIALE": "EMB", "PG_PLATEAUTIBIAL": "PLA", "PG_PATELLAIRE": "ROT",
    "PH_CUPULE": "CUP", "PH_INSERT": "INS", "PH_ANNEAU": "ANN", "PH_TIGE": "TIG", "PH_COL": "COL", "PH_TETE": "TET",
    "PE_TIGE_HUMERALE": "THU", "PE_TETE_HUMERALE": "TEH", "PE_GLENOIDE": "GLE", "PE_INSERT_GLENOIDIEN": "IGL",
}  # fmt: skip
A_SIDES = {"D": "DROITE", "G": "GAUCHE", "B": "BILATERALE", " D ": "DROITE", "G\xa0": "GAUCHE"}
A_SCHEMA = """
CREATE TABLE ETABLISSEMENT (id_etab INTEGER PRIMARY KEY, nom TEXT, finess_geo TEXT, finess_jur TEXT);
CREATE TABLE FOURNISSEUR (id_fourn INTEGER PRIMARY KEY, raison_sociale TEXT);
CREATE TABLE ARTICLE_DMI (id_article INTEGER PRIMARY KEY, ref_fabricant TEXT, libelle TEXT, id_fourn INTEGER, gtin TEXT,
  code_lpp TEXT, famille TEXT, perime_gere INTEGER);
CREATE TABLE PRATICIEN (id_prat INTEGER PRIMARY KEY, nom TEXT, prenom TEXT, rpps TEXT, specialite TEXT, actif INTEGER);
CREATE TABLE PATIENT (id_patient INTEGER PRIMARY KEY, ipp TEXT, nom_naissance TEXT, nom_usage TEXT, prenom TEXT,
  sexe TEXT, ddn TEXT, nir TEXT, cle_nir TEXT, statut_ins TEXT);
CREATE TABLE INTERVENTION (id_intervention INTEGER PRIMARY KEY, num_sejour TEXT, id_patient INTEGER,
  id_operateur INTEGER, id_etab INTEGER, date_debut TEXT, date_fin TEXT, cote TEXT, typ_pe TEXT, statut TEXT,
  libelle TEXT, maj TEXT);
CREATE TABLE ACTE_CCAM (id_acte INTEGER PRIMARY KEY, id_intervention INTEGER, code_ccam TEXT, activite TEXT, phase TEXT,
  principal TEXT);
CREATE TABLE POSE_DMI (id_pose INTEGER PRIMARY KEY, id_intervention INTEGER, id_article INTEGER, rang INTEGER,
  num_lot TEXT, num_serie TEXT, date_peremption TEXT, code_barre TEXT, qte {qte}, mouvement TEXT, supprime INTEGER,
  date_saisie TEXT);
"""


def draw_procedure(rng: Random) -> str:
    return rng.choice((KNEE, KNEE, HIP, HIP, SHOULDER))


def shoulder_type(rng: Random, seen: Expected, procedure: str, table: dict[str, str], dirt: float) -> str | None:
    """ANATOMIQUE or INVERSE on a shoulder; on another joint, where the contract forbids it, seldom."""
    raw: str | None
    if procedure == SHOULDER:
        raw = one_of(rng, rng.choice(list(table)), None, "", share=0.1)
    else:
        raw = one_of(rng, None, *table, share=dirt * 0.3)
        if raw:
            seen.bad.append("shoulder type")
    seen.shoulder_type = table.get(raw, "") if raw else ""
    return raw


def case_a(rng: Random, number: int, dirt: float) -> Case:
    """One operation of the relational layout."""
    seen = Expected(str(number))
    procedure = draw_procedure(rng)
    act = draw_act(rng, seen, procedure, dirt * 0.4)
    state = one_of(rng, "R", "A", "P", share=dirt * 0.4)
    if state != "R":
        seen.scope = "out-of-scope"
    moment = draw_moment(rng)
    written: str | None = f"{moment:%Y%m%d%H%M%S}"
    day: date | None = moment.date()
    if rng.random() < dirt * 0.3:
        written, day = rng.choice((None, "", "20250231080000", "20250229101500", "00000000000000", "INCONNU")), None
        if seen.scope == "in":
            seen.bad.append("date")
    seen.date = day.isoformat() if day else "-"
    drawn = Expected(seen.key)
    nir, key, _ = draw_nir(rng, drawn, dirt)
    if key and rng.random() < dirt * 0.3 and drawn.nir:
        nir = nir.strip() + key if rng.random() < 0.5 else nir
        key = f" {key[0]} {key[1]}"
    key = one_of(rng, key, key.lstrip("0"), share=dirt)
    raw = {
        "nir": nir,
        "cle": key or rng.choice((None, "", " ")),
        "rpps": draw_rpps(rng, drawn, dirt),
        "finess": draw_finess(rng, drawn, dirt * 0.6),
        "cote": draw_side(rng, drawn, A_SIDES, (None, "", "N", "d", "Droit", "X", "g", "L", "1"), dirt),
        "typ_pe": shoulder_type(rng, drawn, procedure, {"ANA": "ANATOMIQUE", "INV": "INVERSE"}, dirt),
        "date": written,
        "acte": act,
        "statut": one_of(rng, state, f" {state} ", share=0.05),
        "twin": rng.choice(("N", "N", "O", "")),
        "other": one_of(rng, "", *OTHER_ACTS, share=dirt),
    }
    pieces = draw_pieces(rng, drawn, day, procedure, dirt, raw_gs1, rebuilt=True)
    return finished(seen, drawn, procedure, raw, pieces)


def finished(seen: Expected, drawn: Expected, procedure: str, raw: dict[str, Any], pieces: list[Piece]) -> Case:
    """What was found in the fields counts only in scope."""
    if seen.scope == "in":
        seen.procedure, seen.side, seen.shoulder_type = procedure, drawn.side, drawn.shoulder_type
        seen.nir, seen.rpps, seen.finess, seen.pieces = drawn.nir, drawn.rpps, drawn.finess, drawn.pieces
        seen.bad += drawn.bad
        seen.warn += drawn.warn
        seen.maybe += drawn.maybe
    return Case(seen, raw, pieces)


def tables_a(rng: Random, cases: list[Case]) -> Tables:
    """The rows of each table of the relational layout."""
    rows: Tables = {name: [] for name in (
        "ETABLISSEMENT", "FOURNISSEUR", "ARTICLE_DMI", "PRATICIEN", "PATIENT", "INTERVENTION", "ACTE_CCAM", "POSE_DMI",
    )}  # fmt: skip
    rows["FOURNISSEUR"] = [(1, "Orthalys"), (2, "Kinésia Implants")]
    for case in cases:
        raw, number = case.raw, int(case.expected.key)
        rows["ETABLISSEMENT"].append((number, "CH", raw["finess"], "990000101"))
        rows["PRATICIEN"].append((number, "Bœuf", "Zoé", raw["rpps"], "Chirurgie orthopédique", 1))
        rows["PATIENT"].append((number, f"IPP{number}", "Haÿ", None, "René", "M", "", raw["nir"], raw["cle"], "QUAL"))
        rows["INTERVENTION"].append(
            (number, "1", number, number, number, raw["date"], None, raw["cote"], raw["typ_pe"], raw["statut"], "", "")
        )
        acts = [(raw["acte"], "1", "O"), (raw["acte"], "4", raw["twin"])]
        if raw["other"]:
            acts.append((raw["other"], "1", "N"))
        rng.shuffle(acts)
        for act, activity, principal in acts:
            rows["ACTE_CCAM"].append((len(rows["ACTE_CCAM"]) + 1, number, act, activity, "0", principal))
        for rank, piece in enumerate(case.pieces, 1):
            rows["POSE_DMI"].append(pose_a(rows, number, rank, piece))
    rng.shuffle(rows["POSE_DMI"])
    return rows


def pose_a(rows: Tables, number: int, rank: int, piece: Piece) -> tuple[Any, ...]:
    article = number * 100 + piece.article
    family = A_FAMILIES.get(piece.type, "VIS" if piece.article % 2 else "CIM") if piece.known_type else "ZZZ"
    if all(row[0] != article for row in rows["ARTICLE_DMI"][-40:]):
        rows["ARTICLE_DMI"].append((article, f"R{article}", "Article", 1 + rank % 2, piece.gtin, "31", family, 1))
    move = {"explanted": "E", "opened": "N"}.get(piece.state, "P")
    expiry = piece.expires.isoformat() if piece.expires else piece.expiry
    return (
        len(rows["POSE_DMI"]) + 1, number, article, rank, piece.lot, piece.serial, expiry, piece.label.text,
        piece.quantity, move, int(piece.state == "deleted"), "",
    )  # fmt: skip


def write_a(file: Path, rows: Tables) -> None:
    with sqlite3.connect(file) as base:
        base.executescript(A_SCHEMA.format(qte="INTEGER"))
        for name, lines in rows.items():
            for line in lines:
                base.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(line))})", line)


# --- B: documents -----------------------------------------------------------------------------------------------------

B_SLOTS = {
    "PG_FEMORAL": "femoral", "PG_BASETIBIALE": "tibial-tray", "PG_PLATEAUTIBIAL": "bearing", "PG_PATELLAIRE": "patella",
    "PH_CUPULE": "cup", "PH_INSERT": "liner", "PH_ANNEAU": "ring", "PH_TIGE": "stem", "PH_COL": "neck",
    "PH_TETE": "head", "PE_TIGE_HUMERALE": "humeral-stem", "PE_TETE_HUMERALE": "humeral-head", "PE_GLENOIDE": "glenoid",
    "PE_INSERT_GLENOIDIEN": "glenoid-liner", "FIXATION": "cement",
}  # fmt: skip
B_SIDES = {1: "DROITE", 2: "GAUCHE", 3: "BILATERALE", "1": "DROITE", " 2 ": "GAUCHE"}


def absent_or_null(rng: Random, holder: dict[str, Any], name: str, value: Any) -> None:
    """An empty value is a null, an absent key, or empty text."""
    if value is None or value == "":
        how = rng.choice(("null", "absent", "as is"))
        if how == "absent":
            return
        value = None if how == "null" else value
    holder[name] = value


def case_b(rng: Random, number: int, dirt: float) -> Case:
    """One case of the JSON layout."""
    seen = Expected(f"NEW-{number:05}")
    procedure = draw_procedure(rng)
    act = draw_act(rng, seen, procedure, dirt * 0.3)
    state = one_of(rng, "COMPLETED", "CANCELLED", "DRAFT", "IN_PROGRESS", share=dirt * 0.4)
    if state != "COMPLETED":
        seen.scope = "out-of-scope"
    moment = draw_moment(rng)
    day: date | None = moment.date()
    utc = moment.astimezone(UTC)
    written: str | None = rng.choice((f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%dT%H:%M:%S.000Z}", moment.isoformat()))
    if rng.random() < dirt * 0.3:
        written, day = rng.choice((None, "", "2025-02-31T08:00:00Z", "demain", "0000-00-00T00:00:00Z")), None
        if seen.scope == "in":
            seen.bad.append("date")
    seen.date = day.isoformat() if day else "-"
    drawn = Expected(seen.key)
    nir, key, _ = draw_nir(rng, drawn, dirt)
    kind = "NIR"
    if rng.random() < dirt * 0.3 and drawn.nir:
        kind = "NIA"
        drawn.maybe.append("NIA")
        if drawn.nir[0] in "12" and rng.random() < 0.5 and nir[0] in "12":
            body = "8" + drawn.nir[1:13]
            nir, key = body, nir_key(body)
            drawn.nir = body + key
            drawn.bad.append("NIA")
    person: dict[str, Any] = {"type": kind}
    absent_or_null(rng, person, "value", int(nir) if nir.isdecimal() and rng.random() < 0.1 else nir)
    absent_or_null(rng, person, "key", int(key) if key.isdecimal() and rng.random() < 0.2 else key)
    rpps: Any = draw_rpps(rng, drawn, dirt)
    site: dict[str, Any] = {"name": "Clinique"}
    finess = draw_finess(rng, drawn, dirt * 0.6)
    absent_or_null(rng, site, "finessGeo", int(finess) if finess.isdecimal() and rng.random() < 0.1 else finess)
    side = draw_side(rng, drawn, B_SIDES, (None, "", 9, "9", "R", "L", 0, 4, "droite"), dirt)
    codes = [{"scheme": "CCAM", "value": act}]
    if rng.random() < 0.3:
        codes.insert(rng.randrange(2), {"scheme": "LOCAL", "value": rng.choice(("PTG", "NFKA007", "NEKA020"))})
    operation: dict[str, Any] = {"joint": {KNEE: "KNEE", HIP: "HIP"}.get(procedure, "SHOULDER"), "codes": codes}
    absent_or_null(rng, operation, "side", side)
    types = {"TSA": "ANATOMIQUE", "RSA": "INVERSE"}
    absent_or_null(rng, operation, "implantDesign", shoulder_type(rng, drawn, procedure, types, dirt))
    pieces = draw_pieces(rng, drawn, day, procedure, dirt, hibc_label, rebuilt=False)
    surgeon: dict[str, Any] = {"role": "PRIMARY"}
    absent_or_null(rng, surgeon, "rppsNumber", int(rpps) if rpps.isdecimal() and rng.random() < 0.2 else rpps)
    raw = {
        "caseId": seen.key,
        "state": state,
        "site": site,
        "patient": {"localId": "P1", "familyName": "Pérès", "nationalId": person, "birthDate": "1950-01-01"},
        "surgeon": surgeon,
        "procedure": operation,
        "updatedAt": 1_739_885_400_000 + rng.randrange(10**9),
    }
    absent_or_null(rng, raw, "startedAt", written)
    if rng.random() < 0.2:
        raw["somethingNew"] = {"nested": [1, 2, {"deep": None}]}
    devices = [device_b(rng, piece) for piece in pieces if piece.state != "deleted"]
    absent_or_null(rng, raw, "devices", devices or None)
    return finished(seen, drawn, procedure, raw, pieces)


def device_b(rng: Random, piece: Piece) -> dict[str, Any]:
    device: dict[str, Any] = {
        "slot": B_SLOTS[piece.type] if piece.known_type else rng.choice(("custom", "spacer", None)),
        "status": {"explanted": "EXPLANTED", "opened": "OPENED_NOT_USED"}.get(piece.state, "IMPLANTED"),
        "maker": "Novarthro SAS",
        "catalogNumber": f"REF{piece.article}",
        "label": "Composant",
    }
    for name, value in (("udi", piece.label.text), ("lot", piece.lot), ("serial", piece.serial)):
        absent_or_null(rng, device, name, value)
    absent_or_null(rng, device, "expiry", f"{piece.expires:%m/%Y}" if piece.expires else None)
    return device


def document_b(rng: Random, cases: list[Case]) -> tuple[dict[str, Any], list[Expected]]:
    """The document, some cases in several revisions in any order; and what is expected of each entry."""
    entries = [(case.raw, case.expected) for case in cases]
    for case in rng.sample(cases, len(cases) // 8):
        for _ in range(rng.choice((1, 1, 2))):
            older = json.loads(json.dumps(case.raw))
            older["updatedAt"] = case.raw["updatedAt"] - 1 - rng.randrange(10**6)
            older["revision"] = 1
            if case.expected.scope == "in" and rng.random() < 0.3:
                older["state"] = "DRAFT"
                entries.append((older, Expected(case.expected.key, "superseded", date=case.expected.date)))
                continue
            kept = Expected(**{**vars(case.expected), "scope": "superseded"})
            entries.append((older, kept))
    rng.shuffle(entries)
    return {"vendor": "ORsuite", "cases": [raw for raw, _ in entries]}, [seen for _, seen in entries]


# --- C: lines ---------------------------------------------------------------------------------------------------------

C_FAMILIES = {
    "PG_FEMORAL": "COMPOSANT FÉMORAL GENOU", "PG_BASETIBIALE": "EMBASE TIBIALE",
    "PG_PLATEAUTIBIAL": "PLATEAU TIBIAL PE", "PG_PATELLAIRE": "BOUTON ROTULIEN", "PH_CUPULE": "CUPULE COTYLOÏDIENNE",
    "PH_INSERT": "INSERT COTYLE", "PH_ANNEAU": "ANNEAU DE SOUTIEN ACÉTABULAIRE", "PH_TIGE": "TIGE FÉMORALE",
    "PH_COL": "COL MODULAIRE", "PH_TETE": "TÊTE FÉMORALE CÉRAMIQUE", "PE_TIGE_HUMERALE": "TIGE HUMÉRALE",
    "PE_TETE_HUMERALE": "TÊTE HUMÉRALE", "PE_GLENOIDE": "EMBASE GLÉNOÏDIENNE",
    "PE_INSERT_GLENOIDIEN": "INSERT GLÉNOÏDIEN", "FIXATION": "CIMENT CHIRURGICAL",
}  # fmt: skip
C_SIDES = {"Droit": "DROITE", "Gauche": "GAUCHE", "Bilatéral": "BILATERALE", "Droit ": "DROITE", "Gauche\xa0": "GAUCHE"}
C_HEADER = (
    "N° séjour", "IPP", "Nom de naissance", "Prénom", "Né(e) le", "N° Sécu", "Date d'intervention", "Heure",
    "Code CCAM", "Côté", "Opérateur", "RPPS", "FINESS", "Réf.", "Désignation", "Fournisseur", "Lot", "N° série",
    "Péremption", "UDI", "Qté", "Famille",
)  # fmt: skip
C_CONTRADICTIONS = {
    "Côté": ("Gauche", "Droit"),
    "N° Sécu": ("1 52 05 38 970 622 05", "2 55 08 38 986 107 85"),
    "Date d'intervention": ("03/03/2025", "04/03/2025"),
    "RPPS": ("10999020026", "10999020018"),
    "FINESS": ("992000562", "991000340"),
    "Code CCAM": ("NEKA020", "NFKA007"),
}


def case_c(rng: Random, number: int, dirt: float) -> Case:
    """One stay of the CSV layout."""
    seen = Expected(f"{number:09}")
    procedure = rng.choice((KNEE, HIP, HIP, SHOULDER))
    act = draw_act(rng, seen, procedure, dirt * 0.3)
    moment = draw_moment(rng)
    day: date | None = moment.date()
    written = one_of(rng, f"{moment:%d/%m/%Y}", f"{moment:%d/%m/%y}", f" {moment:%d/%m/%Y} ", share=dirt)
    if rng.random() < dirt * 0.3:
        written, day = rng.choice(("", "31/02/2025", "29/02/2025", "00/00/0000", "31/04/25", "2025-03", "lundi")), None
        if seen.scope == "in":
            seen.bad.append("date")
    seen.date = day.isoformat() if day else "-"
    drawn = Expected(seen.key)
    nir, key, _ = draw_nir(rng, drawn, dirt)
    nir = nir.replace("\u202f", " ")
    joint = rng.choice((" ", "", "\xa0", " . "))
    raw = {
        "N° Sécu": nir + (joint + key if key and nir.strip() else ""),
        "Date d'intervention": written,
        "Code CCAM": act,
        "Côté": draw_side(rng, drawn, C_SIDES, ("", "?", " ? ", "D", "droit", "X", "Latéral", "9"), dirt),
        "RPPS": draw_rpps(rng, drawn, dirt),
        "FINESS": draw_finess(rng, drawn, dirt * 0.6),
    }
    pieces = draw_pieces(rng, drawn, day, procedure, dirt, readable_gs1, rebuilt=False)
    if not pieces:
        pieces = [draw_piece(rng, drawn, BASE[procedure][0], day, 0.0, readable_gs1, False)]
        pieces[0].article = 1
        send(drawn, pieces, day, rebuilt=False)
    case = finished(seen, drawn, procedure, raw, pieces)
    case.pieces = [piece for piece in pieces if piece.state == "placed"]
    if not case.pieces:
        raise AssertionError("a stay without a line is not in the file")
    return case


def contradict(rng: Random, case: Case, lines: list[dict[str, Any]]) -> None:
    """Two values in one stay of what a stay has once: no one can know which is right."""
    seen = case.expected
    if len(lines) < 2 or seen.scope != "in":
        return
    name = rng.choice(list(C_CONTRADICTIONS))
    first, second = C_CONTRADICTIONS[name]
    for line in lines:
        line[name] = first
    rng.choice(lines)[name] = second
    seen.bad.append(f"contradiction: {name}")
    if name == "Côté":
        seen.side = ""
    elif name == "Date d'intervention":
        seen.date = "-"
    elif name == "Code CCAM":
        seen.procedure = ""
    elif name == "N° Sécu":
        seen.nir = None
    elif name == "RPPS":
        seen.rpps = None
    elif name == "FINESS":
        seen.finess = None


def lines_c(rng: Random, cases: list[Case], dirt: float) -> list[dict[str, Any]]:
    """The lines of the file; those of some stays are apart from one another."""
    blocks: list[list[dict[str, Any]]] = []
    for case in cases:
        lines = [line_c(rng, case, piece) for piece in case.pieces]
        if rng.random() < dirt * 0.4:
            contradict(rng, case, lines)
        elif len(lines) > 1 and rng.random() < dirt:
            # What a stay has once need not be on each of its lines.
            rng.choice(lines)[rng.choice(list(C_CONTRADICTIONS))] = rng.choice(("", " "))
        blocks.append(lines)
    rows = [line for block in blocks for line in block]
    apart = [line for block in blocks[::3] for line in block]
    together = [line for index, block in enumerate(blocks) if index % 3 for line in block]
    # Lines of a stay keep their order, whatever comes between them.
    order = sorted(rng.sample(range(len(rows)), len(apart)))
    mixed: list[dict[str, Any]] = []
    places = set(order)
    left, right = iter(round_robin(blocks[::3])), iter(together)
    for index in range(len(rows)):
        mixed.append(next(left) if index in places else next(right))
    return mixed


def round_robin(blocks: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    found = []
    for index in range(max((len(block) for block in blocks), default=0)):
        found += [block[index] for block in blocks if index < len(block)]
    return found


def line_c(rng: Random, case: Case, piece: Piece) -> dict[str, Any]:
    return case.raw | {
        "N° séjour": one_of(rng, case.expected.key, f"{case.expected.key} ", share=0.05),
        "IPP": "700001",
        "Nom de naissance": rng.choice(("Haÿ", "O’Brien", "Bœuf")),
        "Prénom": "Zoé",
        "Né(e) le": "15/05/1952",
        "Heure": "10h15",
        "Opérateur": "Dr Loïc d’Hérouville",
        "Réf.": f"REF/{piece.article}",
        "Désignation": rng.choice(
            ("Cupule", "Cupule ; revêtement HA – taille 4", "Tige\n« cimentée »", 'Tige "court"')
        ),
        "Fournisseur": rng.choice(("Orthalys", "Bergen & Fils", "")),
        "Lot": piece.lot or "",
        "N° série": piece.serial or "",
        "Péremption": f"{piece.expires:%d/%m/%Y}" if piece.expires else "",
        "UDI": piece.label.text or "",
        "Qté": str(piece.quantity),
        "Famille": one_of(rng, C_FAMILIES[piece.type], f"{C_FAMILIES[piece.type]} ") if piece.known_type else "DIVERS",
    }


def write_c(rng: Random, file: Path, rows: list[dict[str, Any]]) -> None:
    header = list(C_HEADER)
    if rng.random() < 0.5:
        header.insert(rng.randrange(len(header)), "Remarque")
    text = io.StringIO()
    writer = csv.DictWriter(text, header, delimiter=";", lineterminator="\r\n", restval="vu ; à revoir")
    writer.writeheader()
    for row in rows:
        writer.writerow(row)
    file.write_bytes(text.getvalue().encode("cp1252"))


# --- all --------------------------------------------------------------------------------------------------------------


def make_tables(seed: int, count: int, dirt: float = 0.25) -> tuple[Tables, list[Expected]]:
    """``count`` operations of the relational layout as rows by table, for any database."""
    rng = Random(f"A-{seed}")
    cases = [case_a(rng, number, dirt) for number in range(1, count + 1)]
    return tables_a(rng, cases), [case.expected for case in cases]


def make(layout: str, seed: int, count: int, file: Path, dirt: float = 0.25) -> list[Expected]:
    """Write ``count`` records of one layout (A, B, C) to ``file``; what is expected of each record in it."""
    rng = Random(f"{layout}-{seed}")
    if layout == "A":
        rows, expected = make_tables(seed, count, dirt)
        write_a(file, rows)
        return expected
    if layout == "B":
        cases = [case_b(rng, number, dirt) for number in range(1, count + 1)]
        document, expected = document_b(rng, cases)
        file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        return expected
    cases = []
    for number in range(1, count + 1):
        while True:
            try:
                cases.append(case_c(rng, number, dirt))
                break
            except AssertionError:
                continue
    write_c(rng, file, lines_c(rng, cases, dirt))
    return [case.expected for case in cases]


if __name__ == "__main__":
    folder = Path(sys.argv[3])
    for layout, name in (("A", "a.sqlite"), ("B", "b.json"), ("C", "c.csv")):
        make(layout, int(sys.argv[1]), int(sys.argv[2]), folder / name)
