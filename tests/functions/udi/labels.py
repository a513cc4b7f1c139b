"""Labels for the tests: numbers, and whatever a GS1 label may hold."""

from __future__ import annotations

from datetime import date
from random import Random

from hypothesis import strategies as st

from fhirmap.functions.udi.gs1_tables import FIXED, variable
from fhirmap.functions.udi.parts import is_gtin_valid

GS = "\x1d"
VALID_GTINS = (
    "04012345678901",
    "12345678901231",
    "09506000134352",
    "03600002914526",
    "00614141123452",
    "00844588003288",
    "00844588003295",
    "00844588003301",
    "02999100000103",
    "02999200000201",
    "02999300000309",
)
INVALID_GTINS = (
    "00844588003296",
    "00844588003302",
    "00844588003303",
    "00844588003304",
    "00844588003401",
    "00844588003404",
)

VALUES = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-./_", min_size=1, max_size=20)
DAYS = st.dates(date(2000, 1, 1), date(2049, 12, 31)).map(lambda day: day.strftime("%y%m%d"))


@st.composite
def labels(draw: st.DrawFn) -> list[tuple[str, str]]:
    parts = [("01", draw(st.sampled_from(VALID_GTINS)))]
    others = draw(st.permutations(["11", "17", "10", "21", "240"]))
    for identifier in others[: draw(st.integers(1, 5))]:
        parts.append((identifier, draw(DAYS if identifier in ("11", "17") else VALUES)))
    return parts


def raw(parts: list[tuple[str, str]]) -> str:
    text = ""
    for identifier, value in parts:
        text += identifier + value + (GS if identifier in ("10", "21", "240") else "")
    return text.removesuffix(GS)


SIGNS = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""GS1's set 82."""
DATED = ("11", "12", "13", "15", "16", "17")
IDENTIFIERS = (
    *(start for start in FIXED if start < "31"),
    *(f"{start}{decimals}" for start in range(310, 370) for decimals in range(6)),
    *(f"41{digit}" for digit in range(8)),
    *(text for text in map(str, range(10, 10000)) if (shape := variable(text)) is not None and shape[0] == len(text)),
)
"""Every application identifier that is read."""


def any_label(rng: Random, signs: str = SIGNS) -> list[tuple[str, str]]:
    """A valid label: a GTIN and other parts, each once, of characters among ``signs``, in any order."""
    chosen = {"01", *rng.sample(["10", "21", "17", "11"], rng.randrange(5)), *rng.choices(IDENTIFIERS, k=3)}
    # 7003 and 8008 are an expiry and a production as well.
    chosen -= {"7003"} if "17" in chosen else set()
    chosen -= {"8008"} if "11" in chosen else set()
    parts = [(identifier, _value(identifier, rng, signs)) for identifier in sorted(chosen)]
    return rng.sample(parts, len(parts))


def scanned(parts: list[tuple[str, str]]) -> str:
    """The element string of a label, with the separator after each part of variable length but the last."""
    return "".join(key + value + ("" if key[:2] in FIXED else GS) for key, value in parts).removesuffix(GS)


def printed(parts: list[tuple[str, str]]) -> str:
    return "".join(f"({identifier}){value}" for identifier, value in parts)


def _value(identifier: str, rng: Random, signs: str) -> str:
    if identifier == "01":
        body = _digits(13, rng)
        return next(body + digit for digit in "0123456789" if is_gtin_valid(body + digit))
    if identifier in (*DATED, "7003", "8008"):
        day = f"{rng.randrange(100):02}{rng.randint(1, 12):02}{rng.randint(0, 28):02}"
        clock = f"{rng.randrange(24):02}{rng.randrange(60):02}"
        return day if identifier in DATED else day + clock
    if identifier[:2] in FIXED:
        return _digits(FIXED[identifier[:2]] - len(identifier), rng)
    shape = variable(identifier)
    assert shape is not None
    return "".join(rng.choices(signs, k=rng.randint(1, shape[1])))


def _digits(count: int, rng: Random) -> str:
    return "".join(rng.choices("0123456789", k=count))


def mistyped(text: str, rng: Random) -> str:
    """One character changed, left out or typed twice, or two neighbours swapped."""
    at = rng.randrange(len(text) - 1)
    sign, after = text[at], text[at + 1 :]
    return text[:at] + rng.choice([after, rng.choice(SIGNS) + after, sign + sign + after, after[0] + sign + after[1:]])
