"""Nothing of a map reaches Python unquoted: the guard, and maps that try."""

from __future__ import annotations

import ast

import pytest
from jinja2 import DictLoader

import fhirmap
from fhirmap.compiler import render as rendering
from fhirmap.compiler.names import Code, Name, Names, code, literal
from fhirmap.compiler.render import Marks, comment, docstring, refuse
from fhirmap.errors import InternalError

EVIL = "x\\'; import os; os.system('true')  #@0\n\u2028\"\"\"{{ 7 * 7 }}"


def test_a_plain_string_stops_the_build() -> None:
    for value in (EVIL, 5, None, [Code("x")]):
        with pytest.raises(InternalError) as caught:
            refuse(value)
        assert caught.value.code == "FM903"
    assert refuse(Code("x")) == "x"


def test_a_template_cannot_print_a_string_either() -> None:
    environment = rendering._environment().overlay(loader=DictLoader({"t": "{{ value }}"}))
    with pytest.raises(InternalError):
        environment.get_template("t").render(value=EVIL)


def test_literals_are_read_back_as_they_were() -> None:
    for value in (EVIL, "é", 5, True, None, ("a",), ["b"], {"k": EVIL}):
        assert ast.literal_eval(literal(value)) == value
    assert code("{}.get({})", Name("src"), EVIL) == f"src.get({EVIL!r})"


def test_names_are_identifiers_or_nothing() -> None:
    for text in ("a b", "1a", "class", "a;b", "", "é"):
        with pytest.raises(ValueError, match="identifier"):
            Name(text)
    names = Names(("run",))
    assert [names.take(word) for word in ("run", "a b", "__x__", "9", "list", EVIL)][:5] == [
        "run_2", "a_b", "x__", "n_9", "list_",
    ]  # fmt: skip


def test_comments_and_docstrings_stay_one_line() -> None:
    assert "\n" not in comment(EVIL)
    assert "\u2028" not in comment(EVIL)
    assert ast.literal_eval(f'"""{docstring(EVIL)}"""')
    assert Marks().at(None) == ""


def test_a_hostile_map_compiles_to_harmless_text() -> None:
    quoted = EVIL.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\u2028", "\\u2028")
    text = (
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
        "model In { it : string it2 : string row : string faults : string }\n"
        "group run(source src : In, target tgt : Patient) {\n"
        f"  src.it as it where ($this != '{quoted}') -> tgt.id = '{quoted}' \"a\\\"b # {{}} x\";\n"
        "  src.it2 as tgt -> tgt.language = tgt;\n"
        "  src.row as transform -> tgt.name as faults, faults.text = transform;\n"
        "  src.faults as run -> tgt.name as n, n.text = run;\n"
        "}\n"
    )
    transformer = fhirmap.compile_map(text)
    result = transformer({"it": "1", "it2": "2", "row": "3", "faults": "4"}, strict=True)
    assert result.resource == {
        "resourceType": "Patient", "id": EVIL, "language": "2", "name": [{"text": "3"}, {"text": "4"}],
    }  # fmt: skip
    tree = ast.parse(transformer.source)
    called = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert "system" not in called
