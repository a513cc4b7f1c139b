"""`too_many_calls`: what it reports, and what it does not."""

from __future__ import annotations

from fhirmap.analysis.checks.too_many_calls import too_many_calls
from fhirmap.compilation.program import check_maps
from tests.analysis.checks.harness import reported, stored


def _levels(count: int, *calls: str) -> str:
    """Groups each of which calls the next: with ``calls``, its arguments."""
    groups = [
        f"group l{level}(source s, source q, target t) {{ "
        + " ".join(f's -> t then l{level + 1}({call}, t) "{rank}";' for rank, call in enumerate(calls))
        + " }"
        for level in range(count)
    ]
    return stored(rules="src then l0(src, src, tgt);") + "\n".join(
        [*groups, f"group l{count}(source s, source q, target t) {{ s.id as v -> t.id = v; }}"]
    )


def test_calls_that_double_are_reported_once_where_they_become_too_many() -> None:
    assert reported(too_many_calls, _levels(40, "s, q", "s, q")) == ["FM242 calls: l24"]


def test_many_calls_that_do_not_double_are_not_reported() -> None:
    assert reported(too_many_calls, _levels(60, "s, q")) == []
    assert reported(too_many_calls, _levels(10, "s, q", "s, q")) == []


def test_a_check_of_such_a_map_ends() -> None:
    assert [entry.code for entry in check_maps(_levels(40, "s, q", "q, s"), functions={}).diagnostics] == ["FM242"]


def test_a_check_of_a_group_with_ever_other_types_ends() -> None:
    names = ["name", "telecom", "address", "contact", "communication", "link", "photo", "identifier"]
    given = ", ".join(f"src.{name} as p{rank}" for rank, name in enumerate(names))
    parameters = [f"p{rank}" for rank in range(len(names))]
    rotated, swapped = [*parameters[1:], "p0"], ["p1", "p0", *parameters[2:]]
    text = f"""uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group main(source src : Patient, target tgt : Basic) {{ {given} -> tgt then l({", ".join(parameters)}, tgt) "z"; }}
group l({", ".join(f"source {name}" for name in parameters)}, target t) {{
  p0 where (id = '1') -> t then l({", ".join(rotated)}, t) "a";
  p0 where (id = '2') -> t then l({", ".join(swapped)}, t) "b";
}}
"""
    found = check_maps(text, functions={}).diagnostics
    assert [(entry.code, entry.variant) for entry in found if entry.is_error] == [("FM242", "types")]
