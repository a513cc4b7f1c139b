"""Groups: one function each, one paragraph a rule, in text order.

What is statically known is written as plain Python: an element of a model is a dict access, a target of a known type a
dict display or an append, constants of one node folded into one display. The rest goes through the runtime. A rule that
can fail has a `try` of its own, so that one fault never hides another.
"""

from fhirmap.compiler.groups.group import GroupLowering

__all__ = ["GroupLowering"]
