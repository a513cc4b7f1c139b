"""The plain form: what has a known type is written as by hand, `code.get('x') == 'y'`, `any(… for part in …)`.

Records read through a model and typed FHIR JSON are dicts in which an absent element is an absent key. `value` answers
None where only the generic form can say it; a comparison must be decided by the types at hand, never by luck.
`conditions` writes what is only asked to be true or false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from fhirmap.analysis.expression import (
    FUNCTION_URL,
    children_of,
    families,
    is_fhir,
    type_argument,
    type_named,
    value_ref,
)
from fhirmap.analysis.static import UNKNOWN, Static
from fhirmap.compiler.fhirpath.conditions import COMPARISONS, LOGIC, ConditionForm
from fhirmap.compiler.fhirpath.generic import GenericForm, _first, operands
from fhirmap.compiler.fhirpath.tables import walk
from fhirmap.compiler.fhirpath.values import Choice, Place, Val, as_list, is_cheap, looked_for, or_empty, or_empty_list
from fhirmap.fhir_types import family
from fhirmap.language import nodes as n
from fhirmap.model.definition import SYSTEM_URL, Element, TypeRef

_OPEN = frozenset(("Resource", "DomainResource", "Element", "BackboneElement", "Base", "DataType", "BackboneType"))
_TEXT_METHODS = {"upper": "upper", "lower": "lower", "trim": "strip"}


class PlainForm:
    """Writes what it can of one expression in plain form; `GenericForm` asks it at every node."""

    def __init__(self, generic: GenericForm) -> None:
        self.generic = generic
        self.scope = generic.scope
        self.inferred = generic.inferred
        self.definitions = generic.scope.definitions
        self._known: dict[tuple[object, ...], tuple[Val | None, Place]] = {}
        self._without: set[object] = set()
        generic.plain = self
        self.conditions = ConditionForm(self)

    # --- values -------------------------------------------------------------------------------------------------------

    def value(self, node: n.FPExpr, place: Place) -> Val | None:
        """The plain value of a node; None where it has no plain form.

        Answers are kept: a node is asked for by each form that its parent tries, and nested ones would ask without end.
        """
        if id(node) in self._without:
            return None
        key = (id(node), id(place), *self.generic.defined)
        if key not in self._known:
            self._known[key] = (self._value(node, place), place)
            if self._known[key][0] is None:
                self._without.add(id(node))
        return self._known[key][0]

    def _value(self, node: n.FPExpr, place: Place) -> Val | None:
        if place.is_root and node in self.scope.hoisted:
            return self.held(*self.scope.hoisted[node])
        if isinstance(node, n.FPLiteral):
            return self._literal(node)
        if isinstance(node, n.FPVariable):
            return self._variable(node, place)
        if isinstance(node, n.FPMember):
            return self._member(node, place)
        if isinstance(node, n.FPCall):
            return self._call(node, place)
        if isinstance(node, n.FPIndex):
            return self._indexed(node, place)
        if isinstance(node, n.FPBinary):
            return self._binary(node, place)
        if isinstance(node, n.FPType):
            return self._type(node.operator, self.value(node.operand, place), node.type_name)
        return self._negative(node, place)

    def held(self, name: str, static: Static) -> Val:
        """A Python name that holds a value of the given static view."""
        if not static.plain:
            return Val(name, static, "items")
        if static.cardinality != "many":
            return Val(name, static)
        item = self.scope.fresh("item")
        return Val(item, static, "stream", (f"for {item} in {name}",), source=name)

    def whole(self, val: Val) -> str:
        """Code of all of a value: a scalar, or the list of a stream."""
        if val.kind != "stream":
            return val.code
        flat = self.flushed(val)
        return as_list(flat.source) if flat.source else f"[{flat.code} {' '.join(flat.clauses)}]"

    def flushed(self, val: Val) -> Val:
        """A stream whose elements are never absent."""
        if val.kind != "stream" or val.static.cardinality != "optional":
            return val
        name = self.scope.fresh("value")
        clause = f"for {name} in ({val.code},) if {name} is not None"
        return Val(name, val.static.with_cardinality("many"), "stream", (*val.clauses, clause))

    def parts(self, arguments: Iterable[n.FPExpr | n.SortKey]) -> Iterable[n.FPExpr]:
        """All nodes of some arguments."""
        for argument in arguments:
            yield from walk(argument)

    def is_focus_type(self, name: str, static: Static) -> bool:
        """Is ``name`` the (capitalised) type that the focus has?"""
        return name[:1].isupper() and any(
            ref.name == name or self.definitions.is_subtype(ref.name, name) for ref in static.types
        )

    def may_have_sibling(self, node: n.FPMember) -> bool:
        """Is it a primitive of FHIR JSON?"""
        static = self.inferred.of(node)
        if not static.types or not all(self.definitions.is_primitive(ref.name) for ref in static.types):
            return False
        base = self.inferred.of(node.focus) if node.focus is not None else self.scope.focus or UNKNOWN
        return not base.types or any(is_fhir(ref, self.definitions) for ref in base.types)

    # --- leaves -------------------------------------------------------------------------------------------------------

    def _literal(self, node: n.FPLiteral) -> Val | None:
        static = self.inferred.of(node)
        if node.kind in ("string", "integer", "long", "boolean"):
            return Val(repr(node.value), static)
        if node.kind == "decimal":
            self.scope.constants.imports.setdefault("from decimal import Decimal")
            return Val(self.scope.constants.add("DECIMAL", f"Decimal({str(node.value)!r})"), static)
        return None

    def _variable(self, node: n.FPVariable, place: Place) -> Val | None:
        if node.name == "$this":
            return place.focus if place.focus is not None and place.focus.kind in ("scalar", "stream") else None
        if node.name == "$index" and place.index:
            return Val(place.index, self.inferred.of(node))
        if node.name in self.generic.defined or node.name.startswith("$"):
            return None
        if node.name in self.scope.variables:
            held = self.held(*self.scope.variables[node.name])
            return held if held.kind in ("scalar", "stream") else None
        if node.name in ("resource", "rootResource"):
            root = self.generic.root()
            return root if root is not None and root.kind == "scalar" else None
        return None

    def _member(self, node: n.FPMember, place: Place) -> Val | None:
        if node.focus is not None:
            base = self.value(node.focus, place)
            return self._child(base, node.name) if base is not None else None
        if id(node) in self.inferred.variables:
            return self._variable(n.FPVariable(node.name, node.span), place)
        if place.focus is None or place.focus.kind not in ("scalar", "stream"):
            return None
        if self.is_focus_type(node.name, place.focus.static):
            return place.focus
        return self._child(place.focus, node.name)

    def _child(self, base: Val, name: str) -> Val | None:
        if base.choice is not None:
            narrowed = self.narrowed(base, lambda ref: name in children_of(ref, self.definitions, self.scope.functions))
            if narrowed is None:
                return None
            base = narrowed
        found = self._element(base, name)
        if found is None:
            return None
        element, suffix, owner_type = found
        owner = (
            base.code
            if base.is_one or (base.kind == "stream" and base.static.cardinality != "optional")
            else or_empty(base.code)
        )
        clauses = base.clauses
        if element.is_choice and suffix is None:
            types = tuple(ref for ref in element.types)
            static = Static(frozenset(types), "optional", True)
            choice = Choice(owner, owner_type, element, types)
            if len(types) == 1:
                return Val(f"{owner}.get({element.json_name(types[0].name)!r})", static, base.kind, clauses)
            return Val("", static, base.kind, clauses, choice=choice)
        types_ = (suffix,) if suffix is not None else element.types
        if any(ref.name in _OPEN for ref in types_):
            return None
        key = name if suffix is not None else element.name
        code = f"{owner}.get({key!r})"
        static = Static(frozenset(types_), "optional", True)
        sibling = (owner, key) if is_fhir(owner_type, self.definitions) and self.is_primitive(static) else None
        if not element.is_repeating:
            return Val(code, static, base.kind, clauses, owner=sibling)
        item = self.scope.fresh(name)
        listed = or_empty_list(code)
        clause = f"for {item} in {listed}"
        if sibling is not None:
            clause += f" if {item} is not None"
        source = code if not clauses and sibling is None else ""
        return Val(item, static.with_cardinality("many"), "stream", (*clauses, clause), source, sibling)

    def _element(self, base: Val, name: str) -> tuple[Element, TypeRef | None, TypeRef] | None:
        """The element that ``name`` means for every type the base may have, if it is one and the same."""
        found: list[tuple[Element, TypeRef | None, TypeRef]] = []
        for ref in base.static.types:
            if ref.name in _OPEN or ref.name.startswith("System."):
                return None
            children = children_of(ref, self.definitions, self.scope.functions)
            if name in children:
                found.append((children[name], None, ref))
            elif not ref.structure.startswith(FUNCTION_URL):
                suffixed = self.definitions.element(ref, name)
                found += [(suffixed[0], suffixed[1], ref)] if suffixed is not None else []
        if not found or self.is_primitive(base.static):
            return None
        first = found[0][0]
        same = all(entry[0].types == first.types and entry[0].maximum == first.maximum for entry in found)
        return found[0] if same else None

    def narrowed(self, val: Val, keep: Callable[[TypeRef], bool]) -> Val | None:
        """A choice, read under the keys of the types that ``keep`` accepts."""
        choice = val.choice
        assert choice is not None
        kept = [ref for ref in choice.types if keep(ref)]
        if not kept or any(ref.name in _OPEN for ref in kept):
            return None
        keys = tuple(choice.element.json_name(ref.name) for ref in kept)
        static = Static(frozenset(kept), "optional", True)
        if len(keys) == 1:
            return Val(f"{choice.owner}.get({keys[0]!r})", static, val.kind, val.clauses)
        constant = self.scope.constants.add("KEYS", repr(keys))
        return Val(f"fp.choice({choice.owner}, {constant})", static, val.kind, val.clauses)

    def is_primitive(self, static: Static) -> bool:
        """Is the value without elements of its own, whatever type it has?"""
        return bool(static.types) and all(
            self.definitions.is_primitive(ref.name) or ref.name.startswith("System.") for ref in static.types
        )

    # --- calls --------------------------------------------------------------------------------------------------------

    def _call(self, node: n.FPCall, place: Place) -> Val | None:
        if node.name in self.scope.functions:
            return self._plug_in(node, place)
        if node.name == "iif":
            return self._iif(node, place)
        if self.inferred.of(node).types == frozenset((TypeRef("System.Boolean", SYSTEM_URL + "Boolean"),)):
            truth = self.conditions.truth(node, place)
            if truth is not None:
                return truth
        if node.name == "first" and isinstance(node.focus, n.FPBinary) and node.focus.operator == "|":
            return self._first_of(node, node.focus, place)
        base = self.input_of(node, place)
        if base is None:
            return None
        if node.name in ("as", "ofType"):
            return self._type(node.name, base, type_argument(node.arguments[0]))
        if base.choice is not None:
            return None
        if node.name == "where":
            return self.where(node, base, place)
        if node.name == "select":
            return self._select(node, base, place)
        if node.name == "count":
            return self._count(node, base)
        if node.name in ("first", "single", "last"):
            return self._subset(node, base)
        if base.is_scalar and families(base.static) == {"text"}:
            return self._on_text(node, base, place)
        if node.name == "toString" and base.is_scalar and base.owner is None and _is_whole(base.static):
            static = self.inferred.of(node).with_cardinality(base.static.cardinality)
            return Val(f"str({base.code})" if base.is_one else f"fp.number_text({base.code})", static)
        return None

    def input_of(self, node: n.FPCall, place: Place) -> Val | None:
        """What a call works on: the value before its dot, or `$this`."""
        if node.focus is not None:
            return self.value(node.focus, place)
        return place.focus if place.focus is not None and place.focus.kind in ("scalar", "stream") else None

    def stream(self, val: Val) -> Val:
        """A scalar as a stream of none or one."""
        if val.kind == "stream":
            return self.flushed(val)
        name = self.scope.fresh("value")
        test = "" if val.is_one else f" if {name} is not None"
        return Val(name, val.static.with_cardinality("many"), "stream", (f"for {name} in ({val.code},){test}",))

    def inside(self, stream: Val, place: Place) -> Place:
        """The place where a stream's element is `$this`."""
        return place.inside(Val(stream.code, stream.static.as_one()))

    def uses_index(self, node: n.FPCall) -> bool:
        """Does an argument ask for `$index`?"""
        return any(isinstance(part, n.FPVariable) and part.name == "$index" for part in self.parts(node.arguments))

    def where(self, node: n.FPCall, base: Val, place: Place) -> Val | None:
        """The elements of ``base`` for which the call's first argument is true."""
        if self.uses_index(node) or base.owner is not None:
            return None
        stream = self.stream(base)
        test = self.generic.condition(_first(node), self.inside(stream, place))
        clauses = (*stream.clauses[:-1], f"{stream.clauses[-1]} if {test}")
        return Val(stream.code, stream.static, "stream", clauses)

    def _select(self, node: n.FPCall, base: Val, place: Place) -> Val | None:
        if self.uses_index(node) or base.owner is not None:
            return None
        stream = self.stream(base)
        found = self.value(_first(node), self.inside(stream, place))
        if found is None or found.kind not in ("scalar", "stream") or found.choice is not None:
            return None
        cardinality = "many" if found.is_one else found.static.cardinality
        return replace(
            found,
            kind="stream",
            clauses=(*stream.clauses, *found.clauses),
            source="",
            static=found.static.with_cardinality(cardinality),
        )

    def _count(self, node: n.FPCall, base: Val) -> Val | None:
        if base.owner is not None:
            return None
        static = self.inferred.of(node)
        if base.kind == "scalar":
            return Val("1" if base.is_one else f"({base.code} is not None)", static) if base.is_one else None
        if base.source:
            return Val(f"len({or_empty_list(base.source)})", static)
        flat = self.flushed(base)
        return Val(f"sum(1 {' '.join(flat.clauses)})", static)

    def _first_of(self, node: n.FPCall, union: n.FPBinary, place: Place) -> Val | None:
        """`(a | b | c).first()` of values that stand at most once: the first that is there."""
        sides: list[n.FPExpr] = [union]
        while isinstance(sides[0], n.FPBinary) and sides[0].operator == "|":
            sides[0:1] = [sides[0].left, sides[0].right]
        held = [self.value(side, place) for side in sides]
        if not all(val is not None and val.is_scalar and val.owner is None for val in held):
            return None
        found = [val for val in held if val is not None]
        if any(families(val.static) != {"text"} for val in found):
            return None
        static = self.inferred.of(node).with_cardinality("optional")
        return Val(f"fp.first_of({', '.join(val.code for val in found)})", static)

    def _subset(self, node: n.FPCall, base: Val) -> Val | None:
        if base.kind == "scalar":
            return base
        if base.owner is not None:
            return None
        sought = looked_for(base)
        if node.name == "first" and sought is not None:
            return Val(f"fp.first_where({', '.join(sought)})", base.static.with_cardinality("optional"))
        flat = self.flushed(base)
        optional = flat.static.with_cardinality("optional")
        if node.name == "first":
            return Val(f"next(({flat.code} {' '.join(flat.clauses)}), None)", optional)
        return (
            Val(f"fp.only([{flat.code} {' '.join(flat.clauses)}], 'single()')", optional)
            if node.name == "single"
            else None
        )

    def _on_text(self, node: n.FPCall, base: Val, place: Place) -> Val | None:
        static = self.inferred.of(node)
        arguments = [self.value(argument, place) for argument in node.arguments if not isinstance(argument, n.SortKey)]
        if node.name == "substring":
            if not all(entry is not None and entry.is_one and _is_whole(entry.static) for entry in arguments):
                return None
            given = ", ".join(entry.code for entry in arguments if entry is not None)
            return Val(f"fp.part({base.code}, {given})", static.with_cardinality("optional"))
        if node.name == "toString":
            return base.with_static(static.with_cardinality(base.static.cardinality))
        if not base.is_one and not is_cheap(base.code):
            return None
        if node.name in _TEXT_METHODS:
            code = f"{base.code}.{_TEXT_METHODS[node.name]}()"
        elif node.name == "length":
            code = f"len({base.code})"
        else:
            return None
        if base.is_one:
            return Val(code, static.as_one())
        return Val(f"({code} if {base.code} is not None else None)", static.with_cardinality("optional"))

    def _iif(self, node: n.FPCall, place: Place) -> Val | None:
        if node.focus is not None or len(node.arguments) != 3:
            return None
        if families(self.inferred.of(_first(node))) != {"boolean"}:
            return None
        before = self.generic.defined
        test = self.conditions.condition(_first(node), place, wanted=True)
        yes, no = (self.value(argument, place) for argument in node.arguments[1:])  # type: ignore[arg-type]
        self.generic.defined = before
        if test is None or yes is None or no is None or not (yes.is_scalar and no.is_scalar):
            return None
        if families(yes.static) != families(no.static) or len(families(yes.static)) != 1:
            return None
        static = Static(yes.static.types | no.static.types, "one" if yes.is_one and no.is_one else "optional", True)
        bare = any(entry.owner is not None or entry.is_bare for entry in (yes, no))
        return Val(f"({yes.code} if {test} else {no.code})", static, is_bare=bare)

    def _indexed(self, node: n.FPIndex, place: Place) -> Val | None:
        base = self.value(node.focus, place)
        index = node.index
        if (
            base is None
            or base.choice is not None
            or not (isinstance(index, n.FPLiteral) and isinstance(index.value, int))
        ):
            return None
        if base.kind == "scalar":
            return base if index.value == 0 else None
        if index.value != 0 or base.owner is not None:
            return None
        flat = self.flushed(base)
        return Val(f"next(({flat.code} {' '.join(flat.clauses)}), None)", flat.static.with_cardinality("optional"))

    def _type(self, operator: str, base: Val | None, name: str) -> Val | None:
        """`as`, `ofType`, `is` on a choice: the key tells the type."""
        ref = type_named(name, self.definitions)
        if base is None or base.choice is None or ref is None:
            return None
        kept = [entry for entry in base.choice.types if entry.name == ref.name]
        if len(kept) != 1 or operator == "is":
            return None
        return self.narrowed(base, lambda entry: entry.name == ref.name)

    def _negative(self, node: n.FPUnary, place: Place) -> Val | None:
        operand = self.value(node.operand, place)
        if operand is None or not operand.is_one or families(operand.static) != {"number"}:
            return None
        return Val(f"({node.operator}{operand.code})", operand.static)

    # --- plug-in functions --------------------------------------------------------------------------------------------

    def _plug_in(self, node: n.FPCall, place: Place) -> Val | None:
        signature = self.scope.functions[node.name]
        arguments = [argument for argument in node.arguments if not isinstance(argument, n.SortKey)]
        codes = []
        if node.focus is not None:
            codes.append(self.single(node.focus, place, node.name))
        codes += [self.single(argument, place, node.name) for argument in arguments]
        function = self.scope.constants.function(signature.module, signature.python_name)
        ref = value_ref(signature.result, node.name)
        given = (*((node.focus,) if node.focus is not None else ()), *arguments)
        is_certain = all(found is not None and found.is_one for found in (self.value(part, place) for part in given))
        call = f"{function}({', '.join(codes)})" if is_certain else f"fp.apply({function}, {', '.join(codes)})"
        static = Static(frozenset((ref,)), "many" if signature.result.repeats else "optional", True)
        if not signature.result.repeats:
            return Val(call, static)
        item = self.scope.fresh("item")
        return Val(item, static, "stream", (f"for {item} in fp.as_list({call})",))

    def plug_in_items(self, node: n.FPCall, place: Place) -> str:
        """A plug-in's call in generic code; a function nobody knows has been reported, and gives nothing."""
        if node.name not in self.scope.functions:
            return "[]"
        found = self._plug_in(node, place)
        assert found is not None
        return self.generic.as_items(found)

    def single(self, node: n.FPExpr, place: Place, what: str) -> str:
        """Code of a value that must be at most one: bare, None where it is absent."""
        before = self.generic.defined
        found = self.value(node, place)
        if found is not None and found.choice is None:
            code = found.code if found.kind == "scalar" else f"fp.only({self.whole(found)}, {what!r})"
        else:
            code = f"fp.value({self.generic.items(node, place)}, {what!r})"
        self.generic.defined = before
        return code

    def _binary(self, node: n.FPBinary, place: Place) -> Val | None:
        operator = node.operator
        if operator in LOGIC or operator in COMPARISONS or operator in ("=", "!=", "~", "!~", "in", "contains"):
            return self.conditions.truth(node, place)
        if operator == "&":
            return self._joined(node, place)
        left, right = self.value(node.left, place), self.value(node.right, place)
        if left is None or right is None or not (left.is_scalar and right.is_scalar):
            return None
        kinds = families(left.static) | families(right.static)
        static = self.inferred.of(node)
        if not (left.is_one and right.is_one):
            return None
        if (operator == "+" and kinds == {"text"}) or (operator in ("+", "-", "*") and kinds == {"number"}):
            return Val(f"({left.code} {operator} {right.code})", static.as_one())
        return None

    def _joined(self, node: n.FPBinary, place: Place) -> Val | None:
        """`a & b & c` of texts, each there or not."""
        texts = [self.value(part, place) for part in operands(node)]
        held = [text for text in texts if text is not None and text.is_scalar and families(text.static) == {"text"}]
        if len(held) < len(texts):
            return None
        codes = [text.code for text in held]
        certain = all(text.is_one for text in held)
        code = f"({' + '.join(codes)})" if certain else f"fp.joined({', '.join(codes)})"
        return Val(code, self.inferred.of(node).as_one())


def _is_whole(static: Static) -> bool:
    return all(family(ref.name) == "number" and "ecimal" not in ref.name for ref in static.types)
