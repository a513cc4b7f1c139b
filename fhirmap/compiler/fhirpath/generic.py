"""The generic form: lists of items, calls of the runtime for operators and functions, comprehensions for projections.

It can say everything. `plain` is asked first at each node, so that what has a known type is written as plain Python
even inside generic code. Text of the expression reaches the code only through `repr`, names only from the supplier of
fresh names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fhirmap.analysis.expression import CONSTANTS, Inferred, type_argument
from fhirmap.analysis.expression_functions import FUNCTIONS
from fhirmap.analysis.static import Static
from fhirmap.compiler.fhirpath.scope import ExprScope
from fhirmap.compiler.fhirpath.tables import leading_types, table_code, table_key
from fhirmap.compiler.fhirpath.values import Place, Val
from fhirmap.errors import InternalError
from fhirmap.language import nodes as n
from fhirmap.model.definition import TypeRef

if TYPE_CHECKING:
    from fhirmap.compiler.fhirpath.plain import PlainForm

_OPERATORS = {
    "=": "equal", "!=": "not_equal", "~": "equivalent", "!~": "not_equivalent", "<": "less", "<=": "less_or_equal",
    ">": "greater", ">=": "greater_or_equal", "in": "in_", "contains": "contains",
    "xor": "xor",
    "implies": "implies", "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "div": "div",
    "mod": "mod", "&": "concatenate",
    "|": "union",
}  # fmt: skip
_NAMED = {
    "abs": "abs_", "not": "not_", "round": "round_", "contains": "contains_text", "sum": "total", "min": "smallest",
    "max": "greatest", "avg": "average", "single": "single_item", "type": "type_info",
}  # fmt: skip
_SURROUNDED = frozenset(("now", "today", "timeOfDay", "trace", "resolve", "memberOf", "conformsTo"))
_SLICES = {"first": "[:1]", "last": "[-1:]", "tail": "[1:]"}
_TESTS = {"exists": "bool({})", "empty": "not {}", "count": "len({})"}
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class GenericForm:
    """Writes one expression in generic form."""

    def __init__(self, expression: n.FPExpr, inferred: Inferred, scope: ExprScope) -> None:
        self.expression = expression
        self.inferred = inferred
        self.scope = scope
        self.statements: list[str] = []
        self.defined: dict[str, str] = {}
        self._table = ""
        self._environment = scope.environment or ""
        self._definitions_dict = ""
        self.plain: PlainForm

    # --- entry --------------------------------------------------------------------------------------------------------

    def items(self, node: n.FPExpr, place: Place) -> str:
        """Code of a list of items."""
        if not self._needs_items(node):
            known = self.plain.value(node, place)
            if known is not None and keeps_type(known):
                return self.as_items(known)
        if isinstance(node, n.FPLiteral):
            return self._literal(node)
        if isinstance(node, n.FPVariable):
            return self._variable(node, place)
        if isinstance(node, n.FPMember):
            return self._member(node, place)
        if isinstance(node, n.FPCall):
            return self._call(node, place)
        if isinstance(node, n.FPIndex):
            return f"fp.indexed({self.items(node.focus, place)}, {self.branch(node.index, place)})"
        if isinstance(node, n.FPUnary):
            return f"fp.{'negate' if node.operator == '-' else 'plus'}({self.branch(node.operand, place)})"
        if isinstance(node, n.FPBinary) and node.operator in ("and", "or"):
            return f"fp.{node.operator}_({', '.join(self.branch(part, place) for part in operands(node))})"
        if isinstance(node, n.FPBinary):
            return f"fp.{_OPERATORS[node.operator]}({self.branch(node.left, place)}, {self.branch(node.right, place)})"
        function = "is_of_type" if node.operator == "is" else "as_type"
        return f"fp.{function}({self.branch(node.operand, place)}, {self._type(node.type_name)})"

    def branch(self, node: n.FPExpr | n.SortKey, place: Place) -> str:
        """As `items`, for a part whose variables are not seen beside it."""
        before = self.defined
        code = self.items(node.expression if isinstance(node, n.SortKey) else node, place)
        self.defined = before
        return code

    def condition(self, node: n.FPExpr, place: Place, *, wanted: bool = True) -> str:
        """Code that is truthy exactly where the expression is true (or false, where that is ``wanted``)."""
        before = self.defined
        known = self.plain.conditions.condition(node, place, wanted=wanted)
        if known is None:
            code = self.items(node, place)
            known = f"fp.is_true({code})" if wanted else f"(fp.truth({code}, 'a criterion') is False)"
        self.defined = before
        return known

    def as_items(self, val: Val) -> str:
        """A known value as a list of items."""
        if val.kind == "items":
            return val.code
        if val.kind == "item":
            return f"[{val.code}]"
        if val.choice is not None:
            return self._choice_items(val)
        code = self.plain.whole(val)
        ref = val.static.type
        if ref is None or ref.name.startswith("System."):
            return f"[{code}]" if val.is_one else code if val.is_stream else f"fp.items({code})"
        if val.owner is not None:
            owner, key = val.owner
            return f"fp.primitive({owner}, {key!r}, {ref.name!r}, {self.table()})"
        if self.scope.definitions.is_primitive(ref.name):
            return f"fp.nodes({code}, {ref.name!r})"
        return f"fp.nodes({code}, {table_key(ref)!r}, {self.table()})"

    def table(self) -> str:
        """Name of the constant that holds the types this expression needs."""
        if not self._table:
            scope = self.scope
            statics: list[Static] = [static for _, static in scope.variables.values()]
            statics += [scope.focus] if scope.focus else []
            statics += [scope.resource[1]] if scope.resource else []
            roots: set[TypeRef] = {ref for static in statics for ref in static.types}
            roots.update(leading_types(self.expression, scope.definitions))
            roots.update(
                ref for static in self.inferred.nodes.values() for ref in static.types if "." not in ref.name[:7]
            )
            code = table_code(self.expression, roots, scope.definitions, scope.functions)
            self._table = scope.constants.add("TYPES", code)
        return self._table

    def environment(self) -> str:
        """Name of the `fp.Environment` in which this expression runs."""
        if not self._environment:
            self._environment = self.scope.fresh("environment")
            resource = self.root()
            code = f"next(iter({self.as_items(resource)}), None)" if resource is not None else "None"
            self.statements.append(f"{self._environment} = fp.Environment({code})")
        return self._environment

    def root(self) -> Val | None:
        """`%resource`."""
        if self.scope.resource:
            return self.plain.held(*self.scope.resource)
        return self.plain.held(self.scope.focus_name, self.scope.focus) if self.scope.focus else None

    # --- leaves -------------------------------------------------------------------------------------------------------

    def _needs_items(self, node: n.FPExpr) -> bool:
        """A FHIR JSON primitive's own item knows its extensions, which a bare value has lost."""
        return isinstance(node, n.FPMember) and self.plain.may_have_sibling(node)

    def _literal(self, node: n.FPLiteral) -> str:
        if node.kind == "empty":
            return "[]"
        if node.kind == "quantity":
            self.scope.constants.imports.setdefault("from decimal import Decimal")
            # The parser keeps the quotes of `1 'month'`, which no UCUM unit is: it is meant as the calendar's word.
            unit = node.unit.strip("'")
            return self.scope.constants.add("QUANTITY", f"[fp.Quantity(Decimal({str(node.value)!r}), {unit!r})]")
        parser = {"date": "parse_date", "dateTime": "parse_date_time", "time": "parse_time"}.get(node.kind)
        if parser is None:
            raise InternalError("FM900", what=f"literal of kind {node.kind}")
        return self.scope.constants.add(node.kind.upper(), f"[fp.{parser}({str(node.value)!r})]")

    def _variable(self, node: n.FPVariable, place: Place) -> str:
        name = node.name
        if name == "$this":
            return self.as_items(place.focus) if place.focus is not None else "[]"
        if name == "$index":
            return f"[{place.index}]" if place.index else "[]"
        if name == "$total":
            return place.total or "[]"
        if name in self.defined:
            return self.defined[name]
        if name in self.scope.variables:
            return self.as_items(self.plain.held(*self.scope.variables[name]))
        if name in CONSTANTS:
            return repr([CONSTANTS[name]])
        if name.startswith("vs-"):
            return repr([f"http://hl7.org/fhir/ValueSet/{name[3:]}"])
        if name.startswith("ext-"):
            return repr([f"http://hl7.org/fhir/StructureDefinition/{name[4:]}"])
        if name in ("resource", "rootResource"):
            root = self.root()
            return self.as_items(root) if root is not None else "[]"
        if name == "context" and self.scope.focus is not None:
            return self.as_items(self.plain.held(self.scope.focus_name, self.scope.focus))
        return f"fp.defined({self._dict()}, {name!r})"

    def _member(self, node: n.FPMember, place: Place) -> str:
        if node.focus is not None:
            return f"fp.member({self.items(node.focus, place)}, {node.name!r})"
        if id(node) in self.inferred.variables:
            return self._variable(n.FPVariable(node.name, node.span), place)
        if place.focus is None:
            return "[]"
        if self.plain.is_focus_type(node.name, place.focus.static):
            return self.as_items(place.focus)
        if place.focus.kind == "item":
            return f"fp.child({place.focus.code}, {node.name!r})"
        return f"fp.member({self.as_items(place.focus)}, {node.name!r})"

    # --- calls --------------------------------------------------------------------------------------------------------

    def _call(self, node: n.FPCall, place: Place) -> str:
        if node.name not in FUNCTIONS:
            return self.plain.plug_in_items(node, place)
        if node.name in ("now", "today", "timeOfDay"):
            return f"fp.{_snake(node.name)}({self.environment()})"
        if node.name == "coalesce":
            return f"({' or '.join(self.branch(argument, place) for argument in node.arguments)})"
        if node.name in _WRITTEN_OUT:
            return _WRITTEN_OUT[node.name](self, node, place)
        base = self._input(node, place)
        if node.name in _SLICES:
            return f"{base}{_SLICES[node.name]}"
        if node.name in _TESTS and not node.arguments:
            return f"[{_TESTS[node.name].format(base)}]"
        if node.name in ("is", "as", "ofType"):
            function = {"is": "is_of_type", "as": "as_type", "ofType": "of_type"}[node.name]
            return f"fp.{function}({base}, {self._type(type_argument(node.arguments[0]))})"
        arguments = [self.branch(argument, place) for argument in node.arguments]
        if node.name in _SURROUNDED:
            arguments.insert(0, self.environment())
        if node.name == "resolve" and self.scope.environment:
            root = self.root()
            arguments += [self.as_items(root)] if root is not None else []
        return f"fp.{_NAMED.get(node.name) or _snake(node.name)}({', '.join([base, *arguments])})"

    def _input(self, node: n.FPCall, place: Place) -> str:
        if node.focus is not None:
            return self.items(node.focus, place)
        return self.as_items(place.focus) if place.focus is not None else "[]"

    def each(self, node: n.FPCall, place: Place) -> tuple[str, Place]:
        """The `for` clause over a call's input, and the place inside it."""
        base = self._input(node, place)
        name = self.scope.fresh("this")
        static = (
            self.inferred.of(node.focus) if node.focus is not None else place.focus.static if place.focus else Static()
        )
        focus = Val(name, static.as_one(), "item")
        if any(isinstance(part, n.FPVariable) and part.name == "$index" for part in self.plain.parts(node.arguments)):
            index = self.scope.fresh("index")
            return f"for {index}, {name} in enumerate({base})", place.inside(focus, index)
        return f"for {name} in {base}", place.inside(focus)

    def _where(self, node: n.FPCall, place: Place) -> str:
        clause, inner = self.each(node, place)
        assert inner.focus is not None
        return f"[{inner.focus.code} {clause} if {self.condition(_first(node), inner)}]"

    def _select(self, node: n.FPCall, place: Place) -> str:
        clause, inner = self.each(node, place)
        return f"[item {clause} for item in {self.branch(_first(node), inner)}]"

    def _all(self, node: n.FPCall, place: Place) -> str:
        clause, inner = self.each(node, place)
        return f"[all({self.condition(_first(node), inner)} {clause})]"

    def _exists(self, node: n.FPCall, place: Place) -> str:
        if not node.arguments:
            return f"[bool({self._input(node, place)})]"
        clause, inner = self.each(node, place)
        return f"[any({self.condition(_first(node), inner)} {clause})]"

    def _repeat(self, node: n.FPCall, place: Place) -> str:
        base, name = self._input(node, place), self.scope.fresh("this")
        inner = place.inside(Val(name, Static(), "item"))
        return f"fp.{_snake(node.name)}({base}, lambda {name}: {self.branch(_first(node), inner)})"

    def _aggregate(self, node: n.FPCall, place: Place) -> str:
        base, name = self._input(node, place), self.scope.fresh("this")
        total, index = self.scope.fresh("total"), self.scope.fresh("index")
        start = self.branch(node.arguments[1], place) if len(node.arguments) > 1 else "[]"
        step = self.branch(_first(node), place.inside(Val(name, Static(), "item"), index, total))
        return f"fp.aggregate({base}, lambda {name}, {total}, {index}: {step}, {start})"

    def _sort(self, node: n.FPCall, place: Place) -> str:
        if not node.arguments:
            return f"fp.sort([(item, [item]) for item in {self._input(node, place)}], (False,))"
        clause, inner = self.each(node, place)
        assert inner.focus is not None
        keys, directions = [], []
        for argument in node.arguments:
            expression = argument.expression if isinstance(argument, n.SortKey) else argument
            descending = isinstance(argument, n.SortKey) and argument.descending
            if isinstance(expression, n.FPUnary):
                # `-key` says the same as `key desc` (the suite sorts text with it).
                descending, expression = descending != (expression.operator == "-"), expression.operand
            keys.append(self.branch(expression, inner))
            directions.append(descending)
        return f"fp.sort([({inner.focus.code}, {', '.join(keys)}) {clause}], {tuple(directions)!r})"

    def _iif(self, node: n.FPCall, place: Place) -> str:
        if node.focus is None:
            return self._chosen(node, place)
        name = self.scope.fresh("focus")
        inner = place.inside(Val(name, self.inferred.of(node.focus), "items"))
        base = self.items(node.focus, place)
        return f"[item for {name} in [fp.single_item({base})] for item in {self._chosen(node, inner)}]"

    def _chosen(self, node: n.FPCall, place: Place) -> str:
        criterion, yes = _first(node), self.branch(node.arguments[1], place)
        no = self.branch(node.arguments[2], place) if len(node.arguments) > 2 else "[]"
        known = self.plain.conditions.condition(criterion, place, wanted=True)
        test = known if known is not None else f"fp.criterion({self.branch(criterion, place)})"
        return f"({yes} if {test} else {no})"

    def _combine(self, node: n.FPCall, place: Place) -> str:
        return f"({self._input(node, place)} + {self.branch(node.arguments[0], place)})"

    def _trace(self, node: n.FPCall, place: Place) -> str:
        base, name = self._input(node, place), self.branch(node.arguments[0], place)
        if len(node.arguments) == 1:
            return f"fp.trace({base}, {self.environment()}, {name})"
        item = self.scope.fresh("focus")
        inner = place.inside(Val(item, self.inferred.of(node.focus) if node.focus is not None else Static(), "items"))
        shown = self.branch(node.arguments[1], inner)
        return f"[item for {item} in [{base}] for item in fp.trace({item}, {self.environment()}, {name}, {shown})]"

    def _define_variable(self, node: n.FPCall, place: Place) -> str:
        base, focus = self._input(node, place), self.scope.fresh("focus")
        inner = place.inside(Val(focus, Static(), "items"))
        value = self.branch(node.arguments[1], inner) if len(node.arguments) > 1 else focus
        name = node.arguments[0]
        key = self.branch(name, place)
        if isinstance(name, n.FPLiteral) and isinstance(name.value, str):
            self.defined = {**self.defined, name.value: f"fp.defined({self._dict()}, {name.value!r})"}
        return f"[item for {focus} in [{base}] for item in fp.define({self._dict()}, {key}, {value}, {focus})]"

    # --- parts --------------------------------------------------------------------------------------------------------

    def _dict(self) -> str:
        if not self._definitions_dict:
            self._definitions_dict = self.scope.fresh("defined")
            self.statements.append(f"{self._definitions_dict} = {{}}")
        return self._definitions_dict

    def _choice_items(self, val: Val) -> str:
        choice = val.choice
        assert choice is not None
        owner = f"fp.nodes({choice.owner}, {table_key(choice.owner_type)!r}, {self.table()})"
        found = f"fp.member({owner}, {choice.element.name!r})"
        if val.kind == "stream":
            return f"[item {' '.join(val.clauses)} for item in {found}]"
        return found

    def _type(self, name: str) -> str:
        space, dot, short = name.rpartition(".")
        if dot and space in ("FHIR", "System"):
            return f"{short!r}, {space!r}"
        if "/" in name:
            structure = self.scope.definitions.structure(name)
            return repr(structure.type if structure else name)
        return repr(name)


def operands(node: n.FPBinary) -> list[n.FPExpr]:
    """What `a and b and c` joins."""
    found, rest = [node.right], node.left
    while isinstance(rest, n.FPBinary) and rest.operator == node.operator:
        found.append(rest.right)
        rest = rest.left
    return [rest, *reversed(found)]


def keeps_type(val: Val) -> bool:
    """Can a plain value be wrapped again without loss?

    `iif(x, code, 'text')` may be of two types, and the extensions of a repeating primitive stand apart from it.
    """
    if val.is_bare or (val.kind == "stream" and val.owner is not None):
        return False
    return val.choice is not None or val.kind in ("items", "item") or len(val.static.types) < 2


_WRITTEN_OUT: Mapping[str, Callable[[GenericForm, n.FPCall, Place], str]] = {
    "where": GenericForm._where,
    "select": GenericForm._select,
    "all": GenericForm._all,
    "exists": GenericForm._exists,
    "repeat": GenericForm._repeat,
    "repeatAll": GenericForm._repeat,
    "aggregate": GenericForm._aggregate,
    "sort": GenericForm._sort,
    "iif": GenericForm._iif,
    "combine": GenericForm._combine,
    "trace": GenericForm._trace,
    "defineVariable": GenericForm._define_variable,
}


def _snake(name: str) -> str:
    return _CAPITAL.sub("_", name).lower()


def _first(node: n.FPCall) -> n.FPExpr:
    argument = node.arguments[0]
    return argument.expression if isinstance(argument, n.SortKey) else argument
