"""Where a validator is, and what it reports there."""

from __future__ import annotations

import pytest

from fhirmap.errors import TransformFailed
from fhirmap.records import Fault
from fhirmap.runtime.validation import Invariant, Visit, broken, is_sound, not_evaluated, report_count


def test_a_path_with_gaps_is_filled_when_something_is_reported() -> None:
    faults: list[Fault] = []
    visit = Visit(faults, ("P.parameter[{}].part[{}].value", 3, 0), "P.parameter:implants.part:lot.value[x]")
    visit.report("FM502", "format", expected="id")
    assert faults[0].path == "P.parameter[3].part[0].value"
    assert faults[0].args == {"expected": "id"}


def test_the_way_down() -> None:
    visit = Visit([], "Patient", "Patient").child("deceased", "deceased[x]").item(2).slice("a").within({"x": 1})
    assert (visit.path, visit.element, visit.resource) == ("Patient.deceased[2]", "Patient.deceased[x]:a", {"x": 1})


def test_an_invariant_is_worded_by_the_first_cause_that_applies() -> None:
    faults: list[Fault] = []
    invariant = Invariant(
        "k", "warning", "in general", (("no", lambda focus, _: focus > 5, "no"), ("yes", lambda *_: True, "so"))
    )
    broken(invariant, 1, Visit(faults, "P", "P"))
    broken(Invariant("k", "error", "in general"), 1, Visit(faults, "P", "P"))
    not_evaluated(Invariant("k", "error"), TransformFailed("FM404"), Visit(faults, "P", "P"))
    not_evaluated(Invariant("k", "error"), ValueError("CANARY"), Visit(faults, "P", "P"))
    assert [(fault.code, fault.severity, fault.variant, dict(fault.args)) for fault in faults] == [
        ("FM520", "warning", "yes", {"human": "so"}),
        ("FM520", "error", "", {"human": "in general"}),
        ("FM521", "error", "", {"code": "FM404"}),
        ("FM521", "error", "", {"code": "ValueError"}),
    ]


@pytest.mark.parametrize(
    ("count", "allowed", "expected"),
    [
        (0, (1, None), ("FM504", "")),
        (1, (2, 3), ("FM505", "few")),
        (4, (0, 3), ("FM505", "many")),
        (3, (3, 3), None),
        (9, (0, None), None),
    ],
)
def test_counts(count: int, allowed: tuple[int, int | None], expected: tuple[str, str] | None) -> None:
    faults: list[Fault] = []
    report_count("lot", count, allowed, Visit(faults, "P", "P"))
    assert [(fault.code, fault.variant) for fault in faults] == ([expected] if expected else [])


def test_invariants_are_asked_only_where_the_json_has_its_types() -> None:
    assert is_sound([Fault("FM504"), Fault("FM520")])
    assert not is_sound([Fault("FM504"), Fault("FM501")])
    assert is_sound([Fault("FM501"), Fault("FM504")], 1)
