"""Nothing of a map reaches Python unquoted: the guard, and maps that try."""

from __future__ import annotations

import ast

import pytest
from jinja2 import DictLoader

import fhirmap
from fhirmap.compiler import python as py
from fhirmap.compiler import render as rendering
from fhirmap.compiler.plan import Module, ModuleConstant, ModuleSection, PythonFunction
from fhirmap.compiler.printing import section_lines
from fhirmap.compiler.render import Printed, refuse, render_module, render_section
from fhirmap.diagnostics import MapText, Span
from fhirmap.errors import InternalError

EVIL = "x\\'; import os; os.system('true')  #@0\n\u2028\"\"\"{{ 7 * 7 }}"
TEXT = MapText("a.map", "one\ntwo\n")


def module(**parts: object) -> Module:
    held = {"title": EVIL, "digest": "d", "version": "v", "constants": (), "functions": (), **parts}
    return Module(**held)  # type: ignore[arg-type]


def test_a_plain_string_stops_the_build() -> None:
    for value in (EVIL, 5, None, [Printed("x")]):
        with pytest.raises(InternalError) as caught:
            refuse(value)
        assert caught.value.code == "FM903"
    assert refuse(Printed("x")) == "x"


def test_a_template_cannot_print_a_string_either() -> None:
    environment = rendering._environment().overlay(loader=DictLoader({"t": "{{ value }}"}))
    with pytest.raises(InternalError):
        environment.get_template("t").render(value=EVIL)


def test_a_module_says_where_its_lines_come_from() -> None:
    one, two = Span(TEXT, 0, 3), Span(TEXT, 4, 7)
    body = (py.Do(two, py.Name("a")), py.Do(two, py.Name("b")), py.Return(None))
    found = render_module(module(functions=(PythonFunction(py.Name("f"), (), "d", body, TEXT, one),)))
    lines = found.text.splitlines()
    heading = lines.index("def f():") + 1
    assert dict(found.spans) == {heading: one, heading + 2: two, heading + 3: two}
    names: dict[str, object] = {}
    exec(found.text, names)
    assert names["_marks"] == {heading: "a.map:1:1", heading + 2: "a.map:2:1"}


def test_a_module_imports_what_its_parts_use() -> None:
    imported = py.Imported(py.Import("fhirmap.runtime.lists", "copied"))
    constant = ModuleConstant(py.Name("_k"), py.Call(imported))
    section = ModuleSection((ModuleConstant(py.Name("_v"), py.Imported(py.DECIMAL)),), "checks")
    text = render_module(module(constants=(constant,), validator=section), section_lines(section)).text
    assert "from decimal import Decimal\nfrom fhirmap.runtime.lists import copied\n" in text
    assert text.index("_k = copied()") < text.index("# checks") < text.index("_v = Decimal")
    assert render_section(section) == "from decimal import Decimal\n\n\n# checks\n_v = Decimal\n"


def test_titles_and_docstrings_cannot_end_themselves() -> None:
    body = (py.CommentLine(None, EVIL), py.Return(None, py.Literal(EVIL)))
    found = render_module(module(functions=(PythonFunction(py.Name("f"), (), EVIL, body),)))
    names: dict[str, object] = {}
    exec(found.text, names)
    assert names["f"]() == EVIL  # type: ignore[operator]


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
