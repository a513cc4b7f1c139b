"""Types of everything a map names, found group by group: sources, targets, values, calls.

`groups` begins: a group is typed for the arguments it is called with, its rules by `rules`, which asks `sources`,
`targets`, `transforms` and `defaults`; `values` types their expressions. What is wrong is reported on the `Scope`.
"""

from fhirmap.analysis.inference.groups import Inference

__all__ = ["Inference"]
