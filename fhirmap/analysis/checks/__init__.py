"""The semantic checks: one fault a file, named after the fault, in the order they run.

A check is a function from a checked program, or a part of one, to its diagnostics. It never raises and never looks at
a name that was not resolved: what resolving and typing find wrong (FM100-FM149, FM200-FM229) is reported there.
`unknown_column` is apart, since it needs a source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.absolute_path import absolute_path
from fhirmap.analysis.checks.cardinality_contradiction import cardinality_contradiction
from fhirmap.analysis.checks.code_outside_value_set import code_outside_value_set
from fhirmap.analysis.checks.duplicate_code import duplicate_code
from fhirmap.analysis.checks.duplicate_default_group import duplicate_default_group
from fhirmap.analysis.checks.duplicate_rule import duplicate_rule
from fhirmap.analysis.checks.endless_model import endless_model
from fhirmap.analysis.checks.endless_recursion import endless_recursion
from fhirmap.analysis.checks.fixed_value import fixed_value
from fhirmap.analysis.checks.format_misfit import format_misfit
from fhirmap.analysis.checks.idle_null import idle_null
from fhirmap.analysis.checks.impossible_type import impossible_type
from fhirmap.analysis.checks.list_mode_on_single import list_mode_on_single
from fhirmap.analysis.checks.malformed_path import malformed_path
from fhirmap.analysis.checks.misplaced_clause import misplaced_clause
from fhirmap.analysis.checks.misplaced_positions import misplaced_positions
from fhirmap.analysis.checks.missing_key import missing_key
from fhirmap.analysis.checks.missing_required import missing_required
from fhirmap.analysis.checks.other_system import other_system
from fhirmap.analysis.checks.partial_join import partial_join
from fhirmap.analysis.checks.prohibited_element import prohibited_element
from fhirmap.analysis.checks.reference_target import reference_target
from fhirmap.analysis.checks.secret_in_map import secret_in_map
from fhirmap.analysis.checks.text_for_code import text_for_code
from fhirmap.analysis.checks.two_digit_year import two_digit_year
from fhirmap.analysis.checks.two_values import two_values
from fhirmap.analysis.checks.undeclared_namespace import undeclared_namespace
from fhirmap.analysis.checks.undeclared_prefix import undeclared_prefix
from fhirmap.analysis.checks.unknown_code import unknown_code
from fhirmap.analysis.checks.unknown_element_type import unknown_element_type
from fhirmap.analysis.checks.unknown_encoding import unknown_encoding
from fhirmap.analysis.checks.unknown_format_code import unknown_format_code
from fhirmap.analysis.checks.unknown_output import unknown_output
from fhirmap.analysis.checks.unknown_slice import unknown_slice
from fhirmap.analysis.checks.unknown_zone import unknown_zone
from fhirmap.analysis.checks.unreachable_rule import unreachable_rule
from fhirmap.analysis.checks.unused_column import unused_column
from fhirmap.analysis.checks.unused_concept_map import unused_concept_map
from fhirmap.analysis.checks.unused_group import unused_group
from fhirmap.analysis.checks.unused_import import unused_import
from fhirmap.analysis.checks.unused_model import unused_model
from fhirmap.analysis.checks.unused_prefix import unused_prefix
from fhirmap.analysis.checks.unused_variable import unused_variable
from fhirmap.analysis.checks.wrong_delimiter import wrong_delimiter
from fhirmap.analysis.checks.zone_needed import zone_needed
from fhirmap.analysis.checks.zone_of_function import zone_of_function
from fhirmap.diagnostics import Diagnostic

Check = Callable[[Checked], Iterable[Diagnostic]]

MAP_CHECKS: tuple[Check, ...] = (
    # models
    unknown_element_type,
    missing_key,
    wrong_delimiter,
    unknown_encoding,
    misplaced_clause,
    misplaced_positions,
    unknown_format_code,
    two_digit_year,
    format_misfit,
    unknown_zone,
    zone_needed,
    idle_null,
    partial_join,
    malformed_path,
    undeclared_namespace,
    absolute_path,
    # rules, as they are written
    duplicate_rule,
    duplicate_default_group,
    # terminology
    undeclared_prefix,
    duplicate_code,
    unknown_code,
    unused_prefix,
)
"""Of what a map says by itself: they look at `program.units` and the models that those declare."""

GROUP_CHECKS: tuple[Check, ...] = (
    cardinality_contradiction,
    impossible_type,
    unreachable_rule,
    two_values,
    fixed_value,
    prohibited_element,
    zone_of_function,
    endless_recursion,
    unknown_output,
    unknown_code,
)
"""Of the rules of a group, and of what those that they call do to its nodes: they look at `groups`."""

PROGRAM_CHECKS: tuple[Check, ...] = (
    endless_model,
    secret_in_map,
    # what the stages make
    list_mode_on_single,
    unknown_slice,
    missing_required,
    reference_target,
    code_outside_value_set,
    text_for_code,
    other_system,
    # what nothing uses
    unused_column,
    unused_variable,
    unused_group,
    unused_model,
    unused_concept_map,
    unused_import,
)
"""Of maps that run together: they look at the whole of `program`, `stages` and `groups`."""

__all__ = ["GROUP_CHECKS", "MAP_CHECKS", "PROGRAM_CHECKS", "Check"]
