"""Points of a trace: the parts of a map as its StructureMap has them, and calls that cannot raise."""

from __future__ import annotations

from fhirmap.compilation.program import check_maps
from fhirmap.compiler import python as py
from fhirmap.compiler.tracing import Tracing, trace_call
from tests.compiler.generated import MODEL, PART, PATIENT


def test_points_have_the_path_of_their_part() -> None:
    group = "group g(source src : Row, target tgt : Patient) { src.a as v -> tgt.id = v; }\n"
    maps = check_maps(PATIENT + MODEL + PART + group)
    typed = maps.checked.groups[0]
    rule = typed.rules[0]
    tracing = Tracing()
    assert tracing.point(typed.unit, "rule", rule.name, rule.span, typed.parameters) == 0
    assert tracing.point(typed.unit, "source", "src.a", rule.sources[0].node.span, ()) == 1
    assert tracing.point(typed.unit, "rule", "elsewhere", typed.node.span, ()) == 2
    rows = str(tracing.table().value).splitlines()[1:-1]
    assert "'StructureMap.group[0].rule[0]', (('src', 'input', 'Row'), ('tgt', 'output', 'Patient'))" in rows[0]
    assert "'StructureMap.group[0].rule[0].source[0]', ()" in rows[1]
    assert ", '', ()" in rows[2]


def test_a_call_of_a_trace_cannot_raise() -> None:
    call = trace_call("step", 3, {}, py.Literal(True))
    assert str(call) == "run.step(3, (), True)"
    assert not call.may_raise
