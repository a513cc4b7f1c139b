"""What of the runtime generated code may name, where it is, and whether it can raise for some record.

These tables decide whether a rule needs a `try`. They hold names alone: the compiler imports nothing of the runtime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhirmap.compiler.python import Attribute, Call, Expr, Import, Imported, Name


@dataclass(frozen=True, slots=True)
class RuntimeFunction:
    """A function, class or constant of the runtime. ``raises``: can a call of it raise for some record?"""

    module: str
    raises: bool = True


def _of(module: str, *names: str, raises: bool = True) -> dict[str, RuntimeFunction]:
    return dict.fromkeys(names, RuntimeFunction(f"fhirmap.runtime.{module}", raises))


RUNTIME: Mapping[str, RuntimeFunction] = {
    **_of("reading", "absent", "as_boolean", "as_decimal", "as_integer", "as_text", "at", "Cell", "date_reader"),
    **_of(
        "reading",
        "disagreeing",
        "folded",
        "implied",
        "item_rows",
        "lacking",
        "one",
        "part_rows",
        "parts",
        "rows",
        "times",
        "under",
        "within",
    ),
    **_of("unread", "watched", raises=False),
    **_of("cell_text", "ODD_STARTS", "is_odd", "is_odd_day", raises=False),
    **_of("cell_text", "mended"),
    **_of("context", "RecordRun", "check_failed", raises=False),
    **_of("steps", "StepCount", "steps_of", raises=False),
    "Result": RuntimeFunction("fhirmap.records", raises=False),
    **_of("repairs", "begin", raises=False),
    **_of("trace", "TraceRun", raises=False),
    **_of("origins", "bare", "constant", "contributing", "derived", "from_cell", "handed", raises=False),
    **_of("lists", "copied", "discard", "drop", "take_away", raises=False),
    **_of("lists", "counted", "only_one", "place_first", "place_last", "pruned", "settle_endings"),
    **_of("lists", "shared", "single", "sole"),
    **_of(
        "nodes",
        "assign",
        "assign_placed",
        "by_name",
        "child_node",
        "free_slot",
        "node_of",
        "of_types",
        "own",
        "placed",
        "slot",
    ),
    **_of("chosen_groups", "run_default"),
    **_of("chosen_groups", "of_object", "refusing", "undecided", raises=False),
    **_of("single", "SingleWrite", raises=False),
    **_of("single", "assign_once", "put_once", "reused"),
    **_of("transforms.text", "append", "cast", "escape", "shown", "truncate"),
    **_of("transforms.dates", "to_date", "to_date_time", "to_time"),
    **_of("transforms.dates", "unix_to_date", "unix_to_date_time", "unix_to_time"),
    **_of("transforms.coding", "c", "cc", "listed_codes", "listed_pairs", "listed_targets", raises=False),
    **_of("transforms.coding", "CodeTable", "cc_text", "translate"),
    **_of("transforms.references", "contact_point_of", "identifier", raises=False),
    **_of("transforms.references", "contact_point", "pointer", "reference", "uuid"),
    **_of("transforms.quantity", "quantity", "quantity_of"),
    **_of("validation", "ElementRules", "Invariant", "SliceRules", "Visit", "types_of", raises=False),
    **_of("validation", "broken", "is_sound", "not_evaluated", "report_count", raises=False),
    **_of("validation", "is_coded", "names_profiles", raises=False),
    **_of("validation", "is_base64_binary", "is_boolean", "is_code", "is_date", "is_date_time", raises=False),
    **_of("validation", "is_decimal", "is_id", "is_instant", "is_integer", "is_integer64", "is_oid", raises=False),
    **_of("validation", "is_positive_int", "is_string", "is_time", "is_unsigned_int", raises=False),
    **_of("validation", "is_uri", "is_uuid", raises=False),
}
"""What transforms, rules and readers call or ask, by name."""

RUN_METHODS: Mapping[str, bool] = {
    "constant": True,
    "decided_as_before": False,
    "deciding": False,
    "enter": False,
    "exit": False,
    "abandon": False,
    "fail": False,
    "found": True,
    "input": True,
    "leave": False,
    "nothing": False,
    "note": False,
    "result": False,
    "search": True,
    "settled": False,
    "step": False,
    "test": False,
    "unmapped": False,
}
"""Methods of the record's run, and whether they can raise."""

RUN = Name("run")

FHIRPATH = Import("fhirmap.runtime", "fhirpath", "fp")
SAFE_FHIRPATH = frozenset(
    (
        "Limit",
        "RawElement",
        "RawLookup",
        "alike_items",
        "alike_texts",
        "all_different",
        "as_list",
        "choice",
        "different_texts",
        "filled",
        "first_of",
        "first_text",
        "first_where",
        "integer",
        "items",
        "likeness",
        "long",
        "longs",
        "matches_not",
        "matches_plain",
        "node",
        "nodes",
        "one_object",
        "only_object",
        "only_texts",
        "part",
        "primitive",
        "repeated",
        "values",
        "within_limit",
    )
)
"""Functions of `fhirmap.runtime.fhirpath` that raise for no value that has the type they are called with."""


def fp_call(name: str, *arguments: Expr) -> Call:
    """`fp.name(arguments)`."""
    return Call(Attribute(Imported(FHIRPATH), name), arguments, raises=name not in SAFE_FHIRPATH)


def imported(name: str) -> Imported:
    """A function or class of the runtime, by its own name."""
    return Imported(Import(RUNTIME[name].module, name))


def call(name: str, *arguments: Expr, **keywords: Expr) -> Call:
    """`name(arguments)`, of the runtime."""
    return Call(imported(name), arguments, tuple(keywords.items()), raises=RUNTIME[name].raises)


def run_call(method: str, *arguments: Expr) -> Call:
    """`run.method(arguments)`."""
    return Call(Attribute(RUN, method), arguments, raises=RUN_METHODS[method])
