"""Whatever a record holds, and whatever a map makes of it: a transformer never raises, the fault is that record's."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fhirmap

HEAD = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Row {
  a : decimal 0..1
  b : decimal 0..1
  n : integer 0..1
  t : string 0..1
  d : date 0..1
  m : dateTime 0..1
  f : boolean 0..1
  many : string 0..*
  line : Line 0..*
}
model Line {
  t : string 0..1
  n : decimal 0..1
}
let top = (1E+6);
""".replace("1E+6", "1000000.0")

NUMBERS = ("a", "b", "n", "(a + b)", "(a * b)", "(a - n)", "(a * a)", "n * n", "1.5", "(a + 1)", "top", "-a", "a / b")
DATES = ("d", "m", "d + 1 'month'", "m - 3 days", "today()", "@2025-02-28", "d + a.toInteger() 'day'")
TEXTS = ("t", "t + t", "t.substring(1, 3)", "t & a.toString()", "(a * a).toString()", "t.upper()", "many.first()")


def comparisons(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    parts = st.sampled_from(values)
    return st.builds("{} {} {}".format, parts, st.sampled_from(("<", ">", "<=", ">=", "=", "!=", "~")), parts)


CONDITIONS = st.one_of(
    comparisons(NUMBERS),
    comparisons(DATES[:-1]),
    comparisons(TEXTS),
    st.sampled_from(
        ("a.exists()", "t.toDecimal() > 1", "many.count() > n", "line.n.sum() > a", "t.matches('x+')", "a.round(2) = b",
         "t.toInteger() * t.toInteger() > 5", "line.where(n * n > 1.0).exists()", "a.power(n) > 1.0", "a div b > 0",
         "t.length() > n", "f", "f.not()", "many.all($this = 'x')", "t.toDate() < d", "a.sqrt() > 1")
    ),
)  # fmt: skip
TARGETS = (
    ("", "tgt.id = 'x'"),
    ("t", "tgt.language = t"),
    ("t a n", "tgt.language = append(t, a, n)"),
    ("d", "tgt.birthDate = d"),
    ("m", "tgt.deceased = m"),
    ("a", "tgt.language = (a * a)"),
    ("t", "tgt.birthDate = toDate(t, 'dd/MM/yyyy')"),
    ("n", "tgt.multipleBirth = n"),
    ("many", "tgt.name as x, x.given = many"),
    ("t", "tgt.language = truncate(t, 3)"),
    ("t", "tgt.active = cast(t, 'boolean')"),
    ("t", "tgt.multipleBirth = cast(t, 'integer')"),
    ("t", "tgt.maritalStatus = cc('urn:s', t)"),
    ("a b", "tgt.language = (a + b)"),
    ("a", "tgt.language = a"),
    ("d", "tgt.birthDate = (d + 1 'year')"),
    ("t n", "tgt.id = (t & n.toString())"),
    ("t", "tgt.contact as c, c.name as y, y.text = t"),
    ("n", "tgt.birthDate = unixToDate(n)"),
    ("t", "tgt.identifier = id('urn:i', t)"),
    ("line", "tgt.link as k, k.id = (line.t)"),
)
"""The elements that a target needs, and the target."""


@st.composite
def maps(draw: st.DrawFn) -> str:
    """A map of a few rules, each under a condition, the first part of them in a group of their own."""
    lines = []
    for number in range(draw(st.integers(1, 5))):
        needed, target = draw(st.sampled_from(TARGETS))
        sources = ", ".join(("src", *(f"src.{name} as {name}" for name in needed.split())))
        where = draw(st.one_of(st.just(""), CONDITIONS.map(" where ({})".format)))
        lines.append(f'  src{where} then {{ {sources} -> {target} "w{number}"; }} "r{number}";')
    head = "group g(source src : Row, target tgt : Patient) {"
    return "\n".join((HEAD, head, *lines, "}", ""))


DIGITS = ("9E999999", "NaN", "sNaN", "-0", "1E-999999", "1" * 40, "0." + "3" * 40, "9E99999999", "1e5", "Infinity", "٣")
DAYS = ("0001-01-01", "9999-12-31", "2025-02-30", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-12:00", "2025")
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**4000),
    st.floats(),
    st.decimals(),
    st.sampled_from(DIGITS),
    st.sampled_from(DIGITS).map(Decimal),
    st.sampled_from(DAYS),
    st.sampled_from(("", " ", "x", "31/12/9999", "\ud800", "\x00", "a" * 5000)),
    st.text(max_size=6),
    st.dates(),
    st.sampled_from((date.max, datetime.max, datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))),
    st.binary(max_size=3),
)
VALUES = st.recursive(
    CELLS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(("t", "n", "a", "value")), inner, max_size=2)
    ),
    max_leaves=6,
)
NUMBER_CELLS = st.sampled_from(("9E999999", "-9E999999", "1E-999999", "-0", "1" * 40, "0." + "3" * 40, "2", "1e5"))
INTEGER_CELLS = st.sampled_from((0, 1, -1, 2**31 - 1, -(2**31), "3", 10**4000))
TEXT_CELLS = st.sampled_from(("x", "5", "9E999999", "\ud800", "2025-02-30", "31/12/9999", "a" * 5000, "\x00"))
DATE_CELLS = st.sampled_from(("0001-01-01", "9999-12-31", "2025-02-28", "2025", "2025-02-30"))
MOMENT_CELLS = st.sampled_from(("9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-12:00", "2025-02-28T10:00:00Z"))
TYPED = {
    "a": NUMBER_CELLS,
    "b": NUMBER_CELLS,
    "n": INTEGER_CELLS,
    "t": TEXT_CELLS,
    "d": DATE_CELLS,
    "m": MOMENT_CELLS,
    "f": st.booleans(),
    "many": st.lists(TEXT_CELLS, max_size=3),
    "line": st.lists(st.fixed_dictionaries({}, optional={"t": TEXT_CELLS, "n": NUMBER_CELLS}), max_size=3),
}
ROWS = st.fixed_dictionaries({}, optional={name: st.one_of(cells, cells, VALUES) for name, cells in TYPED.items()})
FULL_ROWS = st.fixed_dictionaries(TYPED)
SHAPES = st.one_of(FULL_ROWS, ROWS, ROWS, VALUES)


def compiled(text: str) -> fhirmap.Transformer:
    try:
        return fhirmap.compile_map(text)
    except fhirmap.MapError as error:
        pytest.fail(f"{error}\n{text}")


@settings(max_examples=40, deadline=None)
@given(text=maps(), records=st.lists(SHAPES, min_size=1, max_size=12))
def test_no_record_raises(text: str, records: list[Any]) -> None:
    transformer = compiled(text)
    for record in records:
        result = transformer(record)
        assert result.resource is None or isinstance(result.resource, dict)
        transformer.read(record)
        transformer.validate(record)
