"""Transforms and conversions as code: each in the plainest Python that its arguments' types allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from fhirmap.analysis import conversions
from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import Expression, TargetStep, Transform
from fhirmap.compiler.expressions import Expressions, PythonValue
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.python import (
    Assign,
    Call,
    Conditional,
    Connective,
    DictOf,
    Expr,
    Imported,
    ListOf,
    Literal,
    Logic,
    builtin,
    is_cheap,
    is_none,
    literal_dict,
    method,
)
from fhirmap.compiler.runtime_functions import RUN, call, fp_call, run_call
from fhirmap.model.definition import TypeRef

_ANY_TEXT = ("string", "markdown")
"""Types that any text is one of."""
_CODING = ("system", "code", "display")
_SIMPLE = {
    "truncate": "truncate",
    "escape": "escape",
    "append": "append",
    "reference": "reference",
    "pointer": "pointer",
    "uuid": "uuid",
    "toDate": "to_date",
    "toDateTime": "to_date_time",
    "toTime": "to_time",
    "unixToDate": "unix_to_date",
    "unixToDateTime": "unix_to_date_time",
    "unixToTime": "unix_to_time",
}
"""Transforms that are a call of one runtime function with the same parameters."""


class TransformCode:
    """Transforms of one function."""

    def __init__(self, module: ModuleBuilder, expressions: Expressions) -> None:
        self.module = module
        self.expressions = expressions

    def is_sure(self, transform: Transform, step: TargetStep) -> bool:
        """Is the value always there, and written by one expression that cannot fail?"""
        if transform.name not in ("copy", "cast", "cc", "c", "id") or not step.static.is_known:
            return False
        if transform.name == "cast":
            ref = transform.type or step.static.type
            given = transform.arguments[0].static
            free = (
                ref is not None and given.is_known and all(_is_free_cast(entry.name, ref.name) for entry in given.types)
            )
            return free and self._is_there(transform.arguments[0])
        if transform.name == "copy":
            given = transform.arguments[0].static
            is_free = given.is_known and all(_is_free(ref.name, step) for ref in given.types)
            return is_free and self._is_there(transform.arguments[0])
        if transform.name == "cc" and len(transform.arguments) == 1:
            return self._is_there(transform.arguments[0])
        if not all(self._is_simple(argument) for argument in transform.arguments):
            return False
        return self._is_there(transform.arguments[1])

    def _is_there(self, argument: Expression) -> bool:
        """Is it a literal, or a variable that holds one plain value for sure?"""
        if argument.literal is not None:
            return argument.literal.kind != "empty" and argument.literal.value != ""
        if argument.variable is None:
            return False
        if argument.variable.mode == "constant":
            expression = argument.variable.expression
            return expression is not None and expression.variable is None and self._is_there(expression)
        held = self.expressions.held.get(argument.variable)
        if held is None or held.is_optional or held.static.may_be_empty:
            return False
        return held.static.plain and held.static.cardinality != "many"

    def _is_simple(self, argument: Expression) -> bool:
        """A literal or a plain variable, there or not?"""
        if argument.literal is not None or argument.variable is None:
            return argument.literal is not None
        held = self.expressions.held.get(argument.variable)
        return held is not None and held.static.plain and held.static.cardinality != "many"

    # --- transforms ---------------------------------------------------------------------------------------------------

    def transformed(self, transform: Transform, step: TargetStep | None) -> PythonValue:
        """What a transform gives."""
        name = transform.name
        if transform.function is not None:
            return self._plugin(transform)
        if name == "create":
            is_item = transform.type is not None and transform.type.name in conversions.PRIMITIVES
            static = StaticType(frozenset(), "one") if is_item else transform.result
            return PythonValue(self._created(transform), static, certain=True)
        if name == "copy":
            return self._copy(transform)
        if name == "evaluate":
            return self._own(self.expressions.value(transform.arguments[-1]))
        if name == "cast":
            return self._cast(transform, step)
        if name == "translate":
            return self._translate(transform)
        if name in ("cc", "c", "id", "cp", "qty"):
            return self._structure(transform)
        return self._call(_SIMPLE[name], transform)

    def _created(self, transform: Transform) -> Expr:
        ref = transform.type
        structure = self.module.checked.definitions.structure(ref.structure or ref.name) if ref else None
        if structure is not None and structure.kind == "resource" and ref is not None and "." not in ref.name:
            return literal_dict({"resourceType": structure.type})
        if ref is not None and ref.name in conversions.PRIMITIVES:
            return call("free_slot", Literal(ref.name))
        return DictOf()

    def _copy(self, transform: Transform) -> PythonValue:
        argument = transform.arguments[0]
        value = self.expressions.value(argument)
        if argument.variable is not None and argument.variable.mode == "target":
            return value
        if value.static.is_raw:
            return self._own(value)
        if value.static.plain and any(self._is_complex(ref) for ref in value.static.types) and argument.literal is None:
            is_row = all(ref.structure in self.module.plain_rows for ref in value.static.types) and not value.is_many
            copy = builtin("dict", value.code) if is_row and value.certain else call("copied", value.code)
            return PythonValue(copy, value.static, value.certain, value.statements)
        return value

    def _own(self, value: PythonValue) -> PythonValue:
        """A value that the result may hold: a copy of what is the record's."""
        if not value.static.is_raw:
            return value
        return replace(value, code=call("copied", value.code), static=value.static.as_copy())

    def _is_complex(self, ref: TypeRef) -> bool:
        return ref.name not in conversions.PRIMITIVES and not ref.name.startswith("System.")

    def _arguments(self, transform: Transform) -> tuple[list[PythonValue], tuple[Assign, ...]]:
        values = [self.expressions.value(argument) for argument in transform.arguments]
        return values, tuple(line for value in values for line in value.statements)

    def _call(self, function: str, transform: Transform) -> PythonValue:
        values, statements = self._arguments(transform)
        place: tuple[Expr, ...] = ()
        if function in ("reference", "pointer"):
            self.module.has_references = True
            place = (RUN, Literal(transform.span.position))
        code = call(function, *(value.as_single() for value in values), *place)
        is_certain = transform.result.cardinality == "one" and function == "uuid"
        return PythonValue(code, _plain(transform.result), is_certain, statements)

    def _plugin(self, transform: Transform) -> PythonValue:
        """A plug-in's function: not called where its first argument is absent, or one that it requires."""
        values, statements = self._arguments(transform)
        assert transform.function is not None
        function, arguments = self.function_of(transform), self._given(transform, values)
        static = _plain(transform.result)
        value = PythonValue(Call(function, tuple(arguments)), static, False, statements)
        pairs = list(zip(values, transform.function.parameters, strict=False))[: transform.function.needed]
        absent = [rank for rank, (held, entry) in enumerate(pairs) if not held.certain and not entry.type.repeats]
        if absent and absent != [0]:
            value = replace(value, code=fp_call("apply", function, Literal(transform.function.needed), *arguments))
        elif absent:
            first = PythonValue(arguments[0], static, False, statements)
            value = self._unless_none(first, static, lambda held: Call(function, (held, *arguments[1:])))
        if static.cardinality == "many":
            value = replace(value, code=Logic(Connective.OR, (value.code, ListOf())))
        return value

    def function_of(self, transform: Transform) -> Imported:
        """The function of a plug-in that a transform calls."""
        assert transform.function is not None
        return self.module.plugin(transform.function.module, transform.function.python_name)

    def given(self, transform: Transform) -> tuple[list[Expr], tuple[Assign, ...]]:
        """What a plug-in's function is called with, and the statements before it."""
        values, statements = self._arguments(transform)
        return self._given(transform, values), statements

    def _given(self, transform: Transform, values: list[PythonValue]) -> list[Expr]:
        assert transform.function is not None
        arguments: list[Expr] = []
        for value, parameter in zip(values, transform.function.parameters, strict=False):
            if not parameter.type.repeats:
                code = value.as_single()
                has_default = parameter.default is not None and not value.certain
                arguments.append(fp_call("first_of", code, Literal(parameter.default)) if has_default else code)
            else:
                arguments.append(value.as_list() if value.static.plain else fp_call("values", value.code))
        return arguments

    def _cast(self, transform: Transform, step: TargetStep | None) -> PythonValue:
        value = self.expressions.value(transform.arguments[0])
        ref = transform.type or (step.static.type if step else None)
        wanted = ref.name if ref else "string"
        if value.static.plain and value.static.is_known and all(
            _is_free_cast(given.name, wanted) for given in value.static.types
        ):  # fmt: skip
            return PythonValue(
                value.code, value.static.with_types((ref,)) if ref else value.static, value.certain, value.statements
            )
        code = call("cast", value.as_single(), Literal(wanted))
        is_certain = value.certain and not value.static.may_be_empty
        static = StaticType(frozenset((ref,)) if ref else frozenset(), "one" if is_certain else "optional", plain=True)
        return PythonValue(code, static, is_certain, value.statements)

    def _translate(self, transform: Transform) -> PythonValue:
        value = self.expressions.value(transform.arguments[0])
        concept_map = transform.concept_map
        wanted = transform.arguments[2].literal if len(transform.arguments) > 2 else None
        output = str(wanted.value) if wanted is not None else "code"
        static = _plain(transform.result)
        if concept_map is None:
            return PythonValue(Literal(None), static, False, value.statements)
        is_code = value.static.plain and bool(value.static.types) and not any(map(self._is_complex, value.static.types))
        simple = self.module.code_tables.simple(concept_map) if is_code and output == "code" else None
        if simple is not None and not value.is_many:
            found = method(simple, "get", value.code, raises=False)
            longest = max((len(known) for group in concept_map.groups for known in group.elements), default=0)
            missed = run_call("unmapped", Literal(concept_map.name), value.code, Literal(longest))
            return PythonValue(Logic(Connective.OR, (found, missed)), static, False, value.statements)
        table = self.module.code_tables.table(concept_map)
        code = call("translate", value.as_single(), table, Literal(output), RUN)
        return PythonValue(code, static, False, value.statements)

    def _structure(self, transform: Transform) -> PythonValue:
        """cc, c, id, cp, qty: a display where all parts are there (but for the last of a coding), else a call."""
        values, statements = self._arguments(transform)
        values = [self.filled(value) for value in values]
        static = _plain(transform.result)
        name = transform.name
        if not any(value.is_many for value in values):
            parts = [value.code for value in values if value.certain]
            display = _display(name, parts) if len(parts) == len(values) else _display_unless_none(name, values)
            if display is not None:
                return PythonValue(display, static.as_one(), True, statements)
        functions = {"c": "c", "cc": "cc", "id": "identifier", "cp": "contact_point_of", "qty": "quantity_of"}
        function = functions[name]
        if len(values) == 1:
            function = {"cc": "cc_text", "cp": "contact_point", "qty": "quantity"}.get(name, function)
        code = call(function, *(value.as_single() for value in values))
        needed = 0 if len(values) == 1 else 0 if name == "qty" else 1
        return PythonValue(code, static, name in ("c", "cc", "id") and values[needed].certain, statements)

    def filled(self, value: PythonValue) -> PythonValue:
        """``value`` without texts that hold nothing: no element can have one."""
        if not value.static.may_be_empty:
            return value
        static = replace(value.static, may_be_empty=False)
        if value.is_many or not static.plain:
            return replace(value, code=fp_call("filled", value.code), static=static, bare=None)
        code = Logic(Connective.OR, (value.code, Literal(None)))
        return replace(value, code=code, static=static.with_cardinality("optional"), certain=False)

    # --- conversions --------------------------------------------------------------------------------------------------

    def converted(self, value: PythonValue, step: TargetStep) -> PythonValue:
        """``value`` as the type its element has."""
        wanted = step.static.type
        if wanted is None or not value.static.plain:
            return value
        given = {ref.name for ref in value.static.types}
        static = value.static.with_types((wanted,))
        if wanted.name == "integer64":
            # A number in expressions, a text in JSON (FHIR R5, json.html#primitive).
            number = call("cast", value.code, Literal("integer64"))
            return replace(value, code=call("cast", number, Literal("string")), static=static)
        if given and all(_is_free_between(name, wanted.name) for name in given):
            return value if static is value.static else replace(value, static=static)
        if not given and wanted.name not in conversions.PRIMITIVES:
            return value
        if wanted.name in ("Reference", "CodeableConcept") and given and given <= conversions.TEXTS:
            key = "reference" if wanted.name == "Reference" else "text"
            return self._unless_none(value, static, lambda text: _dict_of((key,), (text,)))
        if wanted.name == "CodeableConcept" and given == {"Coding"}:
            return self._unless_none(value, static, lambda coding: _dict_of(("coding",), (ListOf((coding,)),)))
        if wanted.name in conversions.PRIMITIVES:
            return replace(value, code=call("cast", value.code, Literal(wanted.name)), static=static)
        return replace(value, static=static)

    def _unless_none(self, value: PythonValue, static: StaticType, code: Callable[[Expr], Expr]) -> PythonValue:
        """``code`` of a value where there is one, else None: in a name of its own where it is not cheap."""
        if value.certain:
            return replace(value, code=code(value.code), static=static)
        held, statements = value.code, value.statements
        if not is_cheap(held):
            name = self.expressions.names.take("value")
            held, statements = name, (*statements, Assign(None, (name,), held))
        return PythonValue(Conditional(Literal(None), is_none(held), code(held)), static, False, statements)

    # --- items --------------------------------------------------------------------------------------------------------

    def children(self, item: Expr, name: str) -> Expr:
        """Children of an item whose types are known at run time only."""
        return fp_call("child", item, Literal(name))

    def of_types(self, items: Expr, types: Iterable[TypeRef]) -> Expr:
        """Those of some items that are of one of ``types``."""
        names = tuple(sorted(ref.name for ref in types))
        return call("of_types", items, Literal(names))

    def is_type(self, item: Expr, types: Iterable[TypeRef]) -> Expr:
        """Is an item of one of ``types``?"""
        return self.of_types(ListOf((item,)), types)


def choices(step: TargetStep) -> Expr:
    """What the runtime needs to know of an element: its types, and whether its JSON name ends in the type."""
    types = tuple(sorted(ref.name for ref in step.static.types))
    chooses = bool(step.element is not None and step.element.is_choice)
    return Literal((types, chooses))


def _is_free_between(given: str, wanted: str) -> bool:
    """Is the same Python value right for both types?"""
    if given.startswith("System."):
        short = given.removeprefix("System.")
        given = short[:1].lower() + short[1:]
    if wanted == "integer64":
        return False
    if given == wanted or (given in conversions.TEXTS and wanted in conversions.TEXTS):
        return True
    if given in conversions.INTEGERS and wanted in ("integer", "decimal"):
        return True
    return (given, wanted) in (("date", "dateTime"), ("instant", "dateTime"))


def _is_free_cast(given: str, wanted: str) -> bool:
    """Is every value of the one type one of the other, so that a `cast` in the map refuses none?

    A string need not be a uuid, nor a wide number an integer: only an assignment leaves that to the validator.
    """
    if given == wanted:
        return True
    if not _is_free_between(given, wanted):
        return False
    if wanted in conversions.TEXTS:
        return wanted in _ANY_TEXT
    return wanted != "integer" or given not in ("integer64", "System.Long")


def _is_free(given: str, step: TargetStep) -> bool:
    return step.static.type is not None and _is_free_between(given, step.static.type.name)


def _plain(static: StaticType) -> StaticType:
    return replace(static, plain=True)


def _display(name: str, parts: list[Expr]) -> Expr | None:
    """cc, c, id as a dict display."""
    if name == "cc" and len(parts) == 1:
        return None
    if name in ("c", "cc"):
        return _coded(name, _dict_of(_CODING, parts))
    if name == "id" and len(parts) == 2:
        return _dict_of(("system", "value"), parts)
    return None


def _display_unless_none(name: str, values: list[PythonValue]) -> Expr | None:
    """cc, c as a dict display where only what the code is called may be absent."""
    if name not in ("c", "cc") or [value.certain for value in values] != [True, True, False]:
        return None
    parts = [value.code for value in values]
    if not is_cheap(parts[2]):
        return None
    coding = Conditional(_dict_of(_CODING, parts[:2]), is_none(parts[2]), _dict_of(_CODING, parts))
    return _coded(name, coding)


def _coded(name: str, coding: Expr) -> Expr:
    return coding if name == "c" else DictOf(((Literal("coding"), ListOf((coding,))),))


def _dict_of(keys: Iterable[str], values: Iterable[Expr]) -> DictOf:
    """A dict of as many keys as there are values."""
    return DictOf(tuple((Literal(key), value) for key, value in zip(keys, values, strict=False)))
