"""What parts of a group share: bound names, blocks for what is unbound, points of a trace."""

from __future__ import annotations

from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import Variable
from fhirmap.compilation.program import check_maps
from fhirmap.compiler import printing
from fhirmap.compiler import python as py
from fhirmap.compiler.expressions import HeldVariable, PythonValue
from fhirmap.compiler.groups.state import GroupState
from fhirmap.compiler.module import ModuleBuilder
from tests.compiler.generated import MODEL, PART, PATIENT

GROUP = "group g(source src : Row, target tgt : Patient) { src.a as v -> tgt.id = v; }\n"
TEXT = StaticType(frozenset(), "optional", plain=True)


def state_of(*, trace: bool = False) -> tuple[GroupState, Variable]:
    checked = check_maps(PATIENT + MODEL + PART + GROUP).checked
    group = checked.groups[0]
    return GroupState(ModuleBuilder(checked, trace=trace), group), group.parameters[1]


def lines(state: GroupState) -> list[str]:
    return [line.text for line in printing.block_lines(state.writer.statements, 0)]


def test_a_bound_variable_may_be_absent() -> None:
    state, variable = state_of()
    name = state.bind(variable, "tgt", PythonValue(py.Literal(None), TEXT))
    assert state.held[variable] == HeldVariable(name, TEXT, is_optional=True)
    with state.writer.scope():
        state.skip_unbound(state.held[variable], variable.span)
        state.assign(name, py.Literal("x"), variable.span)
    assert lines(state) == ["if tgt is not None:", "    tgt = 'x'"]


def test_without_a_trace_there_are_no_points() -> None:
    state, variable = state_of()
    assert state.traced("enter", "group", "g", variable.span) is None
    state.left(None)
    assert lines(state) == []


def test_a_trace_reports_the_variables_in_scope() -> None:
    state, variable = state_of(trace=True)
    state.bind(variable, "tgt", PythonValue(py.DictOf(), TEXT, certain=True))
    entered = state.traced("enter", "group", "g", variable.span)
    state.left(entered)
    assert lines(state) == ["run.enter(0, (tgt,))", "run.exit(0, (tgt,))"]
