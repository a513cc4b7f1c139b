"""FHIRPath → Python source.

Two forms of one expression. `generic` says everything, over lists of items; `plain` writes what has a known type as a
hand would, over the bare values and dicts that records and results are made of, and is asked first at every node;
`conditions` does so for what is only asked to be true or false. `analysis.expression` has told the type of each node
before; nothing here reports a fault. `lower` has the entries, `scope` what goes in and comes out, `tables` the element
types that generated code takes along, `evaluate` one expression as a function.

Text of an expression reaches the code through `repr` alone, Python names come from the supplier of fresh names. A
plain form may be missing, it may not differ: the tests run the official suites in both.
"""

from fhirmap.compiler.fhirpath.evaluate import compile_expression, compile_items
from fhirmap.compiler.fhirpath.lower import (
    expression_key,
    hoist,
    lower_condition,
    lower_expression,
    lower_value,
    lower_values,
)
from fhirmap.compiler.fhirpath.scope import Constants, ExprScope, FreshNames, PyExpr

__all__ = [
    "Constants",
    "ExprScope",
    "FreshNames",
    "PyExpr",
    "compile_expression",
    "compile_items",
    "expression_key",
    "hoist",
    "lower_condition",
    "lower_expression",
    "lower_value",
    "lower_values",
]
