"""What a generated validator calls: predicates of primitives, rules of elements, shapes of types, and reporting.

Standard library only. The base types' text is read once, when the first generated module is imported.
"""

from __future__ import annotations

from fhirmap.runtime.validation.element_rules import (
    Codes,
    ElementRules,
    SliceRules,
    is_bound,
    is_coded,
    matches_pattern,
    names_profiles,
)
from fhirmap.runtime.validation.primitives import (
    PREDICATES,
    is_base64_binary,
    is_boolean,
    is_code,
    is_date,
    is_date_time,
    is_decimal,
    is_id,
    is_instant,
    is_integer,
    is_integer64,
    is_oid,
    is_positive_int,
    is_string,
    is_time,
    is_unsigned_int,
    is_uri,
    is_uuid,
    is_xhtml,
)
from fhirmap.runtime.validation.reporting import Invariant, Visit, broken, is_sound, not_evaluated, report_count
from fhirmap.runtime.validation.shape import BaseTypes, TypeShape, types_of

__all__ = [
    "PREDICATES",
    "BaseTypes",
    "Codes",
    "ElementRules",
    "Invariant",
    "SliceRules",
    "TypeShape",
    "Visit",
    "broken",
    "is_base64_binary",
    "is_boolean",
    "is_bound",
    "is_code",
    "is_coded",
    "is_date",
    "is_date_time",
    "is_decimal",
    "is_id",
    "is_instant",
    "is_integer",
    "is_integer64",
    "is_oid",
    "is_positive_int",
    "is_sound",
    "is_string",
    "is_time",
    "is_unsigned_int",
    "is_uri",
    "is_uuid",
    "is_xhtml",
    "matches_pattern",
    "names_profiles",
    "not_evaluated",
    "report_count",
    "types_of",
]
