"""The function that runs a module's stages for one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import Stage, Variable
from fhirmap.compiler.fhirpath.tables import table_key
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.plan import ModuleConstant, PythonFunction
from fhirmap.compiler.python import (
    Assign,
    Attribute,
    Call,
    Comparison,
    Conditional,
    Connective,
    DictOf,
    Do,
    Expr,
    Get,
    If,
    Literal,
    Logic,
    Name,
    Not,
    Return,
    SetAttribute,
    Statement,
    Try,
    TupleOf,
    all_of,
    builtin,
    compared,
    literal_dict,
)
from fhirmap.compiler.readers import READ
from fhirmap.compiler.runtime_functions import RUN, call, fp_call, imported, run_call
from fhirmap.compiler.writer import caught
from fhirmap.fhir_types import ABSTRACT_RESOURCES
from fhirmap.model.definition import Structure

_ROW, _STRICT, _TRACE, _PLACES = Name("row"), Name("strict"), Name("trace"), Name("_places")
_FAULTS, _FAILED = Attribute(RUN, "faults"), Attribute(RUN, "failed")
_RUNS, _GLOBALS = Name("_Run"), builtin("globals")
_CATCH_NOTHING = SetAttribute(None, RUN, "caught", TupleOf(()))


class StageLowering:
    """Lowers the way of one record through all stages."""

    def __init__(
        self, module: ModuleBuilder, stages: Sequence[Stage], *, has_reader: bool, has_validator: bool
    ) -> None:
        self.module = module
        self.stages = stages
        self.has_reader = has_reader
        self.has_validator = has_validator
        self.names = module.local_names()
        self.source = self.names.take("source")
        self.inputs: dict[Variable, Name] = {}
        """Sources of the first stage where it has several, each with the name of its input."""
        self.records: dict[str, str] = {}
        """Name of what is read, and of what a stage makes for the next -> what the map calls it."""

    def function(self) -> PythonFunction:
        """`_transform(row, strict)`."""
        is_traced = self.module.tracing is not None
        facts: list[Statement] = [Assign(None, (RUN,), Call(_RUNS)), If(None, _STRICT, (_CATCH_NOTHING,))]
        if is_traced:
            facts.append(If(None, _TRACE, (SetAttribute(None, RUN, "trace", _TRACE),)))
        # What a function mends is said of the record that it is called for.
        begin = [Do(None, call("begin", RUN))] if self.module.calls_functions else []
        given = [SetAttribute(None, RUN, "given", _ROW)] if self.module.has_references else []
        body: list[Statement] = [*facts, *begin, *given, *self._opening()]
        name = self.source
        for number, stage in enumerate(self.stages):
            is_last = number == len(self.stages) - 1
            made = self.names.take("resource" if is_last else f"stage_{number + 1}")
            self.records[name.text] = stage.source.name if stage.source is not None else ""
            body += self._stage(stage, name, made, is_last=is_last)
            name = made
        if self.module.tracing is not None:
            body.append(Assign(None, (name,), run_call("settled", name)))
        if self.has_validator:
            body.append(_net(Do(None, Call(Name("_validate"), (name, _FAULTS)))))
        body.append(Return(None, self._result(name)))
        doc = "One record: what it becomes, with notes and faults; no resource where it is out of scope."
        flags = (_STRICT, _TRACE) if is_traced else (_STRICT,)
        return PythonFunction(Name("_transform"), (_ROW,), doc, tuple(body), flags=flags)

    def runs(self) -> ModuleConstant:
        """What is made for each record."""
        kind = imported("RecordRun" if self.module.tracing is None else "TraceRun")
        return ModuleConstant(_RUNS, Call(Attribute(kind, "of"), (_GLOBALS,)), "What is made for each record.")

    def _result(self, made: Name) -> Expr:
        """The outcome: most records have nothing but a resource."""
        found = run_call("result", made, _PLACES)
        if self.has_reader or self.has_validator or self.module.tracing is not None:
            return found
        return Conditional(call("Result", made), Attribute(RUN, "is_silent"), found)

    def _opening(self) -> list[Statement]:
        """The record as the first stage's source."""
        if self.has_reader:
            watched = Assign(None, (self.source,), call("watched", self.source, _FAULTS, Literal(0)))
            return [self._read(Call(READ, (_ROW, _FAULTS))), If(None, _FAULTS, (watched,))]
        if self.stages and len(_sources(self.stages[0])) == 1:
            source = _foreign_source(_sources(self.stages[0])[0].static, _ROW, self.module)
            read = self._read(source) if source.may_raise else Assign(None, (self.source,), source)
            return [read, SetAttribute(None, RUN, "resource", self.source)]
        return self._several_inputs() if self.stages else []

    def _several_inputs(self) -> list[Statement]:
        """An input for each source. One that is absent is the caller's mistake, not a record's: nothing catches it."""
        read: list[Statement] = []
        for parameter in _sources(self.stages[0]):
            name = self.inputs[parameter] = self.names.take(parameter.name)
            read.append(Assign(None, (name,), run_call("input", _ROW, Literal(parameter.name))))
        return read

    def _read(self, source: Expr) -> Statement:
        """A record of quite another shape (a text where rows are read) ends here."""
        net = _net(Assign(None, (self.source,), source))
        return replace(net, handler=(*net.handler, Return(None, run_call("result", DictOf(), _PLACES))))

    def _stage(self, stage: Stage, source: Name, made: Name, *, is_last: bool) -> list[Statement]:
        body: list[Statement] = [Do(None, self._entry_call(stage, source, made))]
        if self.module.has_endings:
            body.append(Do(None, call("settle_endings", RUN)))
        kept = Assign(None, (made,), Logic(Connective.OR, (call("pruned", made), DictOf())))
        if is_last and self.module.needs_pruning:
            body.append(kept)
        elif is_last and self.has_validator:
            # A rule that failed leaves what it had begun: that is no fault of its own.
            body.append(If(None, _FAILED, (kept,)))
        read = (self.source,) if self.has_reader else ()
        is_empty = If(None, self._is_empty(stage, made), (Return(None, run_call("nothing", *read)),))
        return [Assign(None, (made,), self._fresh(stage)), _net(*body), is_empty]

    def _entry_call(self, stage: Stage, source: Name, made: Name) -> Expr:
        arguments: list[Expr] = []
        modes = [entry.mode for entry in stage.entry.parameters]
        for index, parameter in enumerate(stage.entry.parameters):
            if parameter.mode == "target":
                arguments.append(made if modes.index("target") == index else DictOf())
            elif parameter in self.inputs:
                given = _foreign_source(parameter.static, self.inputs[parameter], self.module)
                arguments.append(self._as_held(given, parameter))
            else:
                arguments.append(self._as_held(source, parameter))
        return Call(self.module.groups[stage.entry], (*arguments, RUN))

    def _as_held(self, source: Expr, parameter: Variable) -> Expr:
        """A source as the entry group holds it: shared groups may ask for `%resource`, which is an item there."""
        return Attribute(source, "value") if parameter.static.is_raw and self.module.is_shared else source

    def _fresh(self, stage: Stage) -> DictOf:
        structure = self._structure(stage)
        if structure is not None and structure.says_type:
            return literal_dict({"resourceType": structure.type})
        return DictOf()

    def _is_empty(self, stage: Stage, made: Name) -> Expr:
        structure = self._structure(stage)
        is_empty: Expr = Not(made)
        if structure is not None and structure.says_type:
            is_empty = compared(builtin("len", made), Comparison.EQUAL, Literal(1))
        return all_of(is_empty, Not(_FAILED))

    def _structure(self, stage: Stage) -> Structure | None:
        ref = stage.target
        return self.module.checked.definitions.structure(ref.structure or ref.name) if ref is not None else None


def _net(*body: Statement) -> Try:
    """``body``, whatever it raises made a fault of the record: no rule's, since rules catch their own."""
    return caught(body, report="abandon")


def _sources(stage: Stage) -> list[Variable]:
    return [entry for entry in stage.entry.parameters if entry.mode == "source"]


def _foreign_source(static: StaticType, row: Expr, module: ModuleBuilder) -> Expr:
    """A source that no model describes: FHIR JSON, or anything in its shape."""
    ref = static.type
    if ref is None:
        return row
    structure = module.checked.definitions.structure(ref.structure or ref.name)
    is_resource = structure is not None and structure.kind == "resource" and structure.type not in ABSTRACT_RESOURCES
    wanted = (Literal(structure.type),) if structure is not None and is_resource else ()
    facts = (row, Literal(table_key(ref)), module.type_table(ref), *wanted)
    if not static.is_raw or module.is_shared:
        return fp_call("root", *facts)
    if not wanted:
        return fp_call("object_root", *facts)
    is_dict = compared(builtin("type", row), Comparison.IS, Name("dict"))
    is_wanted = compared(Get(row, "resourceType"), Comparison.EQUAL, *wanted)
    return Conditional(row, all_of(is_dict, is_wanted), fp_call("object_root", *facts))
