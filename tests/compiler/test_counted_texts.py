"""Sums of texts that a map has made are counted, and those of what it reads are not."""

from __future__ import annotations

import pytest

from fhirmap import compile_map
from fhirmap.compiler import python as py
from fhirmap.compiler.counted_texts import read_names, with_counted_texts

_HEAD = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
"""


def _counted(rule: str) -> int:
    text = f"{_HEAD}group main(source src : Patient, target tgt : Basic) {{ {rule} }}\n"
    return compile_map(text, validate=False).source.count(".counted_text(")


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("src.id as a -> tgt.language = (%a & 'x') 'r';", 0),
        ("src.id as a -> tgt.language = (%a & '-' & %a) 'r';", 0),
        ("src.id as a -> (%a & 'x') as b, tgt.language = (%b & 'y') 'r';", 0),
        ("src.id as a -> (%a & 'x') as b, tgt.language = (%b & 'y' & %b) 'r';", 1),
        ("src.id as a -> (%a & 'x') as b, tgt.language = (%a & %b) 'r';", 1),
    ],
)
def test_sums_of_what_was_made_are_counted(rule: str, count: int) -> None:
    assert _counted(rule) == count


def test_what_is_read_and_what_is_made() -> None:
    row, text, made = py.Name("row"), py.Name("text"), py.Name("made")
    body = (py.Assign(None, (text,), py.Get(row, "a")), py.Assign(None, (made,), _sum(text, py.Literal("x"))))
    assert read_names(body) == {"text"}
    assert with_counted_texts(_sum(text, text), read_names(body)) == _sum(text, text)
    counted = with_counted_texts(_sum(made, text), read_names(body))
    assert isinstance(counted, py.Call) and with_counted_texts(counted, frozenset()) == counted


def _sum(left: py.Expr, right: py.Expr) -> py.Arithmetic:
    return py.Arithmetic(left, py.Operator.PLUS, right, raises=False)
