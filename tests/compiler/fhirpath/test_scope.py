"""What goes into a lowering and comes out of it."""

from __future__ import annotations

from decimal import Decimal

from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath import Constants, NumberedNames, PythonExpr
from fhirmap.compiler.runtime_functions import fp_call


def test_a_constant_is_held_once_as_it_is_written() -> None:
    constants = Constants()
    values = (True, 1, Decimal("1"), Decimal("1.0"))
    names = [constants.add("X", py.Literal(value)) for value in values]
    assert len(set(names)) == 4
    assert [constants.add("X", py.Literal(value)) for value in values] == names
    assert [str(value) for _, value in constants.entries()] == ["True", "1", "Decimal('1')", "Decimal('1.0')"]


def test_a_function_is_imported_under_a_name_that_says_its_module() -> None:
    one, two = Constants().function("a.b", "key"), Constants().function("c", "key")
    assert str(one) != str(two)
    assert one.uses == {py.Import("a.b", "key", str(one))}


def test_fresh_names_are_identifiers_given_once() -> None:
    fresh = NumberedNames({"code_1"})
    assert [str(fresh(hint)) for hint in ("code", "code", "numéro 2", "9", "")] == [
        "code_2",
        "code_3",
        "num_ro_2_1",
        "item_9_1",
        "item_1",
    ]


def test_an_expression_may_raise_where_its_assignments_may() -> None:
    value, name = fp_call("only", py.Name("x"), py.Literal("x")), py.Name("y")
    assert PythonExpr(name, statements=(py.Assign(None, (name,), value),)).may_raise
    assert not PythonExpr(name, statements=(py.Assign(None, (name,), py.Name("x")),)).may_raise
