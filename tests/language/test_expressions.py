from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from decimal import Decimal
from pathlib import Path

import pytest

from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text
from fhirmap.language.expressions import MAXIMUM_DEPTH
from fhirmap.language.parser import parse_expression


def parsed(text: str) -> n.FPExpr:
    expression, diagnostics = parse_expression(text)
    assert expression is not None and diagnostics == (), text
    return expression


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a or b and c", "a or (b and c)"),
        ("a implies b or c", "a implies (b or c)"),
        ("a and b in c", "a and (b in c)"),
        ("a in b = c", "a in (b = c)"),
        ("a = b < c", "a = (b < c)"),
        ("a < b | c", "a < (b | c)"),
        ("a | b is C", "a | (b is C)"),
        ("a is B = c", "(a is B) = c"),
        ("a + b is C", "(a + b) is C"),
        ("a & b * c", "a & (b * c)"),
        ("-a * b", "(-a) * b"),
        ("-a.b", "-(a.b)"),
        ("a - b - c", "(a - b) - c"),
        ("a implies b implies c", "(a implies b) implies c"),
        ("a xor b or c", "(a xor b) or c"),
        ("a div b mod c", "(a div b) mod c"),
        ("a[0].b[1]", "((a[0]).b)[1]"),
        ("a >-1", "a > (-1)"),
        ("a <-1", "a < (-1)"),
        ("a--1", "a - (-1)"),
    ],
)
def test_precedence(text: str, grouped: str) -> None:
    assert parsed(text) == parsed(grouped)


@pytest.mark.parametrize(
    ("text", "kind", "value", "unit"),
    [
        ("'it\\'s \\u00e9\\n'", "string", "it's é\n", ""),
        ('"legacy"', "string", "legacy", ""),
        ("'\\ud83d\\ude00'", "string", "\U0001f600", ""),
        ("7", "integer", 7, ""),
        ("7L", "long", 7, ""),
        ("1.50", "decimal", Decimal("1.50"), ""),
        (".5", "decimal", Decimal("0.5"), ""),
        ("true", "boolean", True, ""),
        ("{ }", "empty", None, ""),
        ("@2024", "date", "2024", ""),
        ("@2024-05", "date", "2024-05", ""),
        ("@2024-02-29", "date", "2024-02-29", ""),
        ("@2024-05T", "dateTime", "2024-05T", ""),
        ("@2024-05-01T10:11:12.123+02:00", "dateTime", "2024-05-01T10:11:12.123+02:00", ""),
        ("@T10:11", "time", "T10:11", ""),
        ("5 days", "quantity", Decimal(5), "days"),
        ("5.0 'mg'", "quantity", Decimal("5.0"), "mg"),
        ("5 /* of */ 'mg'", "quantity", Decimal(5), "mg"),
        ("1 'month'", "quantity", Decimal(1), "'month'"),
    ],
)
def test_literals(text: str, kind: str, value: object, unit: str) -> None:
    literal = parsed(text)
    assert isinstance(literal, n.FPLiteral)
    assert (literal.kind, literal.value, literal.unit) == (kind, value, unit)
    assert type(literal.value) is type(value)
    assert parsed(expression_to_text(literal)) == literal


@pytest.mark.parametrize(
    "name",
    [
        "as",
        "contains",
        "in",
        "is",
        "asc",
        "desc",
        "sort",
        "div",
        "mod",
        "and",
        "or",
        "xor",
        "implies",
        "where",
        "check",
        "log",
        "then",
    ],
)
def test_keywords_are_names_where_an_operator_cannot_be(name: str) -> None:
    assert parsed(f"{name}.{name} = %{name}") == parsed(f"`{name}`.`{name}` = %`{name}`")
    assert isinstance(parsed(f"{name}(x)"), n.FPCall)
    assert isinstance(parsed(f"x.{name}()"), n.FPCall)


def test_variables() -> None:
    assert [parsed(text) for text in ("%a", "%`a`", "%'a'", '%"a"')] == [parsed("%a")] * 4
    assert parsed("%`ext-x`") == n.FPVariable("ext-x", parsed("a").span)
    assert parsed("$this") == n.FPVariable("$this", parsed("a").span)


def test_sort_keys() -> None:
    call = parsed("name.sort(family desc, -given.first(), use asc)")
    assert isinstance(call, n.FPCall)
    assert [isinstance(key, n.SortKey) and key.descending for key in call.arguments] == [True, False, False]


def test_types_may_be_dotted_and_quoted() -> None:
    assert parsed("a is FHIR.`Patient`") == parsed("a is FHIR.Patient")
    assert parsed("a as System.String = 'x'") == parsed("(a as System.String) = 'x'")


def test_comments_and_line_ends_do_not_count() -> None:
    assert parsed("a // b\n + /* c */ d") == parsed("a + d")


def test_spans_cover_what_was_read() -> None:
    text = "name . where( use='x' ) [0] + (1)"
    expression = parsed(text)
    assert isinstance(expression, n.FPBinary)
    assert expression.left.span.snippet == "name . where( use='x' ) [0]"
    assert expression.span.snippet == text
    assert isinstance(expression.left, n.FPIndex) and isinstance(expression.left.focus, n.FPCall)
    assert expression.left.focus.name_span.snippet == "where"


@pytest.mark.parametrize(
    ("text", "code", "snippet"),
    [
        ("", "FM001", ""),
        ("a +", "FM001", ""),
        ("a + )", "FM001", ")"),
        ("a b", "FM001", "b"),
        ("'open", "FM005", "'open"),
        ("'a\\qb'", "FM006", "\\q"),
        ("'\\u12'", "FM006", "\\u"),
        ("@2023-02-29", "FM010", "@2023-02-29"),
        ("@2024-13", "FM010", "@2024-13"),
        ("@T25:00", "FM010", "@T25:00"),
        ("@T10:00Z", "FM010", "@T10:00Z"),
        ("a /* b", "FM011", "/*"),
        ("a ? b", "FM012", "?"),
        ("a.$this", "FM014", "$this"),
        ("first(a desc)", "FM016", "desc"),
    ],
)
def test_faults(text: str, code: str, snippet: str) -> None:
    _, diagnostics = parse_expression(text)
    assert [(entry.code, entry.span and entry.span.snippet) for entry in diagnostics] == [(code, snippet)]


@pytest.mark.parametrize(
    "text",
    ["(" * 3000 + "a" + ")" * 3000, "a" + ".b" * 3000, "a" + " & a" * 3000, "f(" * 999 + ")" * 999, "-" * 3000 + "1"],
)
def test_depth_is_limited(text: str) -> None:
    _, diagnostics = parse_expression(text)
    assert {entry.code for entry in diagnostics} == {"FM013"}


def test_what_is_within_the_limit_can_be_walked_and_printed() -> None:
    text = " & ".join(["a"] * (MAXIMUM_DEPTH - 5))
    assert expression_to_text(parsed(text)) == text


@pytest.mark.parametrize("suite", ["r4/tests-fhir-r4.xml", "r5/tests-fhir-r5.xml"])
def test_every_expression_of_the_official_suites(suite: str, shared_dir: Path) -> None:
    cases = [
        entry
        for entry in ElementTree.parse(shared_dir / "fml" / "fhirpath" / suite).iter()
        if entry.tag.rpartition("}")[2] == "expression"
    ]
    assert len(cases) > 900
    for case in cases:
        expression, diagnostics = parse_expression(case.text or "")
        refused = case.get("invalid")
        assert (expression is None) == (refused == "syntax"), case.text
        assert diagnostics == () or refused, case.text
        if expression is not None:
            assert parse_expression(expression_to_text(expression))[0] == expression, case.text
