"""FHIRPath → Python.

Two lowerings of one expression. `untyped` says everything, over lists of items; `typed` writes what has a known type
as a hand would, over the bare values and dicts that records and results are made of, and is asked first at every node;
`conditions` does so for what is only asked to be true or false. `forms` is how the three see one another. The types of
the nodes come from `analysis.expression`; nothing here reports a fault.

`lower` has the entries, `clean` what paths of a record's FHIR JSON mostly are, `hoisting` what several expressions
share, `scope` what goes in and comes out, `typed_values` and `streams` what a part is in Python, `elements` which key a
name reads, `tables` the element types that generated code takes along, `evaluate` one expression as a function.

Code is built from the nodes of `compiler.python`, never from text. A typed lowering may be missing, it may not differ:
the tests run the official suites in both.
"""

from fhirmap.compiler.fhirpath.evaluate import compile_expression, compile_items, function_code, function_of
from fhirmap.compiler.fhirpath.hoisting import expression_key, hoist
from fhirmap.compiler.fhirpath.lower import lower_condition, lower_expression, lower_value, lower_values
from fhirmap.compiler.fhirpath.scope import Constants, ExprScope, NumberedNames, PythonExpr

__all__ = [
    "Constants",
    "ExprScope",
    "NumberedNames",
    "PythonExpr",
    "compile_expression",
    "compile_items",
    "expression_key",
    "function_code",
    "function_of",
    "hoist",
    "lower_condition",
    "lower_expression",
    "lower_value",
    "lower_values",
]
