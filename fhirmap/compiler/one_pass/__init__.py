"""A record's whole way as one function: readers, groups and stages in each other's place, and rows as local names.

What the functions of a module pass one another are dicts that nothing else sees: a record as it was read, what one
stage makes for the next. In one function the elements of such a row are local names, and a row of a list is a tuple of
them.

What the one function does not do as the others do, it leaves to them: they run the record again.
"""

from fhirmap.compiler.one_pass.build import OnePass, before_steps, one_pass

__all__ = ["OnePass", "before_steps", "one_pass"]
