"""Forms of primitives, as the specification writes them; `cast` gives what they accept, and nothing else."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirmap.errors import TransformFailed
from fhirmap.fhir_types import DATES, INTEGER_RANGES, INTEGERS, MOST_CHARACTERS, PRIMITIVES, TEXTS
from fhirmap.runtime.transforms.text import cast
from fhirmap.runtime.validation.primitives import JSON_TYPES, PREDICATES, is_date_time, is_string

RIGHT: dict[str, tuple[object, ...]] = {
    "base64Binary": ("YWJj", "YWI=", "YWJjZA==", "YWJj\nZGVm", " YWJj "),
    "boolean": (True, False),
    "canonical": ("http://a/b|1.0", "#x"),
    "code": ("a", "a b", "A-1"),
    "date": ("2025", "2025-12", "2024-02-29", "1900-12-31"),
    "dateTime": ("2025", "2025-03-15", "2025-03-15T10:11:12Z", "2025-03-15T10:11:12.123+02:00", "2016-12-31T23:59:60Z"),
    "decimal": (1, 1.5, Decimal("1.50"), -3),
    "id": ("a", "A-1.b", "x" * 64),
    "instant": ("2025-03-15T10:11:12Z",),
    "integer": (0, -(2**31), 2**31 - 1),
    "integer64": ("12", "-9223372036854775808"),
    "markdown": ("# x\n\ny",),
    "oid": ("urn:oid:1.2.3",),
    "positiveInt": (1,),
    "string": ("x", " x ", "é\u00a0", "a\tb\r\n", "x" * MOST_CHARACTERS),
    "time": ("10:11:12", "23:59:59.999"),
    "unsignedInt": (0, 7),
    "uri": ("urn:x", "a/b"),
    "url": ("http://x",),
    "uuid": ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520",),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml">x</div>',),
}
WRONG: dict[str, tuple[object, ...]] = {
    "base64Binary": (
        "",
        " ",
        "A",
        "AAA",
        "YWJ",
        "YW=",
        "YW=j",
        "YW Jj",
        "YWJjZ",
        "YWJjZGV",
        "YWJj=",
        "YWJjZGVm=",
        "A=A=",
        "====",
        "é",
        1,
    ),
    "boolean": ("true", 1, None),
    "canonical": ("a b", ""),
    "code": ("", " a", "a ", "a  b", "a\n", "a\tb", "a\u00a0b", "a\x01", 1),
    "date": ("2025-02-29", "2025-00", "25", "2025-03-15T10:00:00Z", "0000", "2025-03-15\n", 2025),
    "dateTime": (
        "2025-03-15T10:11:12",
        "2025-03-15T10:11Z",
        "2025-03-15T24:00:00Z",
        "2025-02-30T10:11:12Z",
        "15/03/2025",
    ),
    "decimal": (True, "1", float("nan"), float("inf"), Decimal("NaN")),
    "id": ("", "a_b", "x" * 65, "a\n"),
    "instant": ("2025-03-15", "2025-03-15T10:11:12"),
    "integer": (1.0, True, 2**31, "1"),
    "integer64": ("1.5", "9223372036854775808", "1" * 5000, "007", "", 3, 1.0, True),
    "markdown": ("", "\n"),
    "oid": ("1.2.3", "urn:oid:3.1", "urn:oid:1.02"),
    "positiveInt": (0, -1, True),
    "string": ("", "  ", "a\x00b", "\x1d", 1, None, "x" * (MOST_CHARACTERS + 1)),
    "time": ("24:00:00", "10:11", "10:11:12Z"),
    "unsignedInt": (-1, False),
    "uri": ("a b", "", "a\n"),
    "url": ("",),
    "uuid": (
        "c757873d-ec9a-4326-a141-556f43239520",
        "urn:uuid:C757873D-ec9a-4326-a141-556f43239520",
        "urn:uuid:x",
    ),
    "xhtml": ("x", "<p>x</p>"),
}


def cases(table: dict[str, tuple[object, ...]]) -> list[tuple[str, object]]:
    return [(name, value) for name, values in table.items() for value in values]


def test_every_primitive_has_cases() -> None:
    assert set(RIGHT) == set(WRONG) == set(PREDICATES)


@pytest.mark.parametrize(("name", "value"), cases(RIGHT), ids=lambda value: repr(value)[:30])
def test_right_forms(name: str, value: object) -> None:
    assert PREDICATES[name](value)


@pytest.mark.parametrize(("name", "value"), cases(WRONG), ids=lambda value: repr(value)[:30])
def test_wrong_forms(name: str, value: object) -> None:
    assert not PREDICATES[name](value)


@given(st.text())
def test_a_string_is_what_fhir_says(text: str) -> None:
    has_control = any(ord(character) < 32 and character not in "\t\n\r" for character in text)
    assert is_string(text) is (bool(text.strip()) and not has_control)


@given(st.datetimes(timezones=st.just(None)))
def test_every_moment_of_the_calendar_is_a_date_time(moment: object) -> None:
    text = f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0")
    assert is_date_time(text + "Z")
    assert is_date_time(text[:10])
    assert not is_date_time(text)


# --- cast and the validator -------------------------------------------------------------------------------------------

DAY = "([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000){}-(0[1-9]|1[0-2]){}-(0[1-9]|[1-2][0-9]|3[0-1]){}"
TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
ZONE = r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
SPECIFICATION: dict[str, str] = {
    "base64Binary": r"(\s*([0-9a-zA-Z\+\/=]){4}\s*)+",
    "boolean": "true|false",
    "canonical": r"\S*",
    "code": r"[^\s]+(\s[^\s]+)*",
    "date": DAY.format("(", "(", ")?)?"),
    "dateTime": DAY.format("(", "(", f"(T{TIME}{ZONE})?)?)?"),
    "decimal": r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?",
    "id": r"[A-Za-z0-9\-\.]{1,64}",
    "instant": DAY.format("", "", f"T{TIME}{ZONE}"),
    "integer": r"[0]|[-+]?[1-9][0-9]*",
    "integer64": r"[0]|[-+]?[1-9][0-9]*",
    "markdown": r"\s*(\S|\s)*",
    "oid": r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+",
    "positiveInt": r"\+?[1-9][0-9]*",
    "string": r"[ \r\n\t\S]+",
    "time": TIME,
    "unsignedInt": "[0]|([1-9][0-9]*)",
    "uri": r"\S*",
    "url": r"\S*",
    "uuid": "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "xhtml": "<div(.|\n)*>",
}
"""The expressions of FHIR R4, datatypes.html (integer64: R5); xhtml has none. A no-break space is no `\\s` in them."""
NARROWER: dict[str, str] = {
    "base64Binary": "padding is at the end alone, and only to a group of four",
    "canonical": "an empty value is no value",
    "code": "no blank but single spaces",
    "date": "a day that the calendar has",
    "dateTime": "a day that the calendar has",
    "instant": "a day that the calendar has",
    "integer": "32 bits",
    "integer64": "64 bits",
    "markdown": "as string",
    "positiveInt": "32 bits",
    "string": "something besides blanks, no control characters, 1 MB",
    "unsignedInt": "32 bits",
    "uri": "an empty value is no value",
    "url": "an empty value is no value",
}
"""Types of which the words beside the expression forbid more than it does."""
TRICKY = (
    "", " ", "a", "a\tb", "a  b", "a\u00a0b", "a b", "x\x00", "x\x1f", "AAA", "A=A=", "AAAAA", "AAAAAAA", "AA==",
    "0", "-0", "00", "007", "+5", "-1", "99999999999", "2147483647", "2147483648", "-2147483648", "-2147483649",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 40, "1.50", ".5", "1.", "1e5", "1E-7",
    "01.5", "1e999999", "1e9999999999999999999", "NaN", "Infinity", "1_000", "\u0661", "true", "True", "1",
    "2025", "2025-03", "2025-03-15", "2025-02-30", "0000", "2025-13", "2025-W01-1", "2025-03-15T10:11:12",
    "2025-03-15T10:11:12Z", "2025-03-15T10:11:12.123+02:00", "2025-03-15T10:11Z", "2025-03-15T10:11:12+0200",
    "2025-03-15 10:11:12", "2025-03-15T24:00:00Z", "2016-12-31T23:59:60Z", "2025-03-15T10:11:12+14:30", "2025-03-15Tx",
    "10:11", "10:11:12", "24:00:00", "10:11:12.5", "10:11:60",
    "x" * 64, "x" * 65, "x" * (MOST_CHARACTERS + 1), "urn:oid:1.2", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1",
    "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
    "http://a b", "http://a/b|1.0", "<div>x</div>", "<p>x</p>",
)  # fmt: skip


def castable(text: str, name: str) -> bool:
    try:
        return cast(text, name) is not None
    except TransformFailed:
        return False


LETTERS = " \t\n:.-+=Zz0e/\x07\u00a0\u0661"


@st.composite
def nearly(draw: st.DrawFn, name: str) -> str:
    """A text that the specification's expression takes, or one that is a few letters away from it."""
    text = draw(st.one_of(st.from_regex(re.compile(SPECIFICATION[name]), fullmatch=True), st.sampled_from(TRICKY)))
    for _ in range(draw(st.integers(0, 2))):
        place, cut = draw(st.integers(0, len(text))), draw(st.integers(0, 1))
        text = text[:place] + draw(st.sampled_from(["", *LETTERS])) + text[place + cut :]
    return text


def agree(name: str, text: str) -> None:
    """What `cast` gives the validator accepts; a text that the validator accepts `cast` gives back as it is."""
    if castable(text, name):
        value = cast(text, name)
        held = str(value) if name == "integer64" else value  # a number in expressions, a text in JSON
        assert PREDICATES[name](held), (name, text)
        assert type(held) in JSON_TYPES.get(name, (str,))
        if name in TEXTS - {"xhtml"} or name in DATES - {"date"}:
            assert value == text
    if name in TEXTS - {"xhtml"} or name in DATES:
        assert not PREDICATES[name](text) or cast(text, name) == text, (name, text)
    if name in INTEGERS:
        least, most = INTEGER_RANGES[name]
        is_number = re.fullmatch(r"[+-]?[0-9]+", text) is not None and len(text) < 25
        assert castable(text, name) is (is_number and least <= int(text) <= most), (name, text)
    if name == "decimal" and re.fullmatch(SPECIFICATION[name], text) and "e" not in text.lower():
        assert cast(text, name) == Decimal(text)


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_cast_and_the_validator_agree_on_tricky_texts(name: str) -> None:
    for text in TRICKY:
        agree(name, text)


@settings(deadline=None)
@given(st.data())
def test_cast_and_the_validator_agree(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(PRIMITIVES)))
    agree(name, data.draw(nearly(name)))


@settings(deadline=None)
@given(st.data())
def test_the_validator_takes_what_the_specification_takes(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(TEXTS | DATES)))
    text = data.draw(nearly(name))
    takes, written = PREDICATES[name](text), re.fullmatch(SPECIFICATION[name], text, re.ASCII) is not None
    if name != "xhtml":
        assert written or not takes, (name, text)
        assert takes or not written or name in NARROWER, (name, text)


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_what_is_neither_text_nor_number_is_no_primitive(name: str) -> None:
    values: tuple[object, ...] = (None, [], {}, b"a", ["a"])
    assert not any(PREDICATES[name](value) for value in values)
