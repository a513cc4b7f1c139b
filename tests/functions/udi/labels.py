"""Labels for the tests: numbers, and whatever a GS1 label may hold."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

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
