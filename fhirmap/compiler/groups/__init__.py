"""Groups: one function each, one paragraph a rule, in text order.

What is statically known is written as plain Python: an element of a model is a dict access, a target of a known type a
dict display or an append, constants of one node folded into one display. So is an object of the record's FHIR JSON: its
type is known, its shape is not, so each list, object and primitive is asked for its Python type where it is read. What
is not as it should be goes by items, which say what is wrong with it. The rest goes through the runtime. A rule that
can fail has a `try` of its own, so that one fault never hides another.
"""

from fhirmap.compiler.groups.group import GroupLowering

__all__ = ["GroupLowering"]
