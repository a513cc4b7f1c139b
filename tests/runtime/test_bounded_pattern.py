"""Patterns that some texts keep busy for ever cost the record, not the run."""

from __future__ import annotations

import pytest

from fhirmap import Transformer, compile_map
from fhirmap.errors import TransformFailed
from fhirmap.regular_expressions import read_pattern
from fhirmap.runtime.fhirpath.bounded_pattern import BoundedPattern
from fhirmap.runtime.fhirpath.strings import compile_pattern, matches, matches_full, replace_matches

_LONG = "a" * 5_000 + "!"
_ENDLESS = r"((a{0,1000}){0,1000}){0,1000}b"


def _compiled(rule: str) -> Transformer:
    text = f"""uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group main(source src : Patient, target tgt : Basic) {{ {rule} "rule"; src.id as v -> tgt.language = v "id"; }}
"""
    return compile_map(text, validate=False)


@pytest.mark.parametrize(
    "rule",
    [
        "src.name as n where (family.matches('{pattern}')) -> tgt.id = 'x'",
        "src.name as n where (family.matchesFull('{pattern}')) -> tgt.id = 'x'",
        "src.name as n where (family.matches(given.first())) -> tgt.id = 'x'",
        "src.name as n check (family.matches('{pattern}')) -> tgt.id = 'x'",
        "src.name as n -> tgt.id = (n.family.replaceMatches('{pattern}', 'x'))",
        "src.name as n -> tgt.id = (n.family.capture('{pattern}'))",
    ],
)
def test_a_record_that_takes_too_many_steps_is_at_fault_and_its_other_rules_go_on(rule: str) -> None:
    transformer = _compiled(rule.replace("{pattern}", _ENDLESS))
    record = {"resourceType": "Patient", "id": "fr", "name": [{"family": _LONG, "given": [_ENDLESS]}]}
    result = transformer(record)
    assert [(fault.code, fault.variant) for fault in result.faults] == [("FM433", "work")]
    assert result.resource == {"resourceType": "Basic", "language": "fr"}
    short = transformer({**record, "name": [{"family": "aab", "given": ["b$"]}]})
    assert not short.faults


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", r"^(\w+\s?)*$", "(.*,){11}P", "(?:a{1,3})*$b"])
def test_patterns_that_stop_other_engines_have_an_answer(pattern: str) -> None:
    text = "a" * 2_000 + "!"
    assert matches([text], [pattern]) == [False]
    assert matches_full([text], [pattern]) == [False]
    assert replace_matches([text], [pattern], ["x"]) == [text]


def test_a_text_that_is_long_for_its_pattern_is_matched_with_the_same_result() -> None:
    text = ("x" * 3 + " " * 7) * 400
    assert replace_matches([text + "y"], [r"(\s+)$"], ["<$1>"]) == [text + "y"]
    pattern = BoundedPattern(read_pattern(r"(\w+)\W(?<rest>\W*)"))
    pattern._longest_anywhere = pattern._longest = -1
    plain = compile_pattern("x").__class__
    assert isinstance(compile_pattern("^x+$"), plain)
    assert pattern.sub(lambda found: f"<{found[1]}|{found['rest']}>", "ab, c d;") == "<ab| ><c|><d|>"
    assert pattern.fullmatch("ab..") is not None
    assert pattern.search("..") is None


def test_a_pattern_of_a_record_that_is_too_long_is_a_fault() -> None:
    with pytest.raises(TransformFailed) as caught:
        compile_pattern("(" * 5_000 + ")" * 5_000)
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM433", "long")


@pytest.mark.parametrize("substitution", ["$2", "${other}", "$99999999999"])
def test_a_group_that_the_pattern_does_not_have_is_a_fault(substitution: str) -> None:
    with pytest.raises(TransformFailed):
        replace_matches(["a"], ["(a)"], [substitution])


def test_a_substitution_is_text_but_for_its_groups() -> None:
    assert replace_matches(["ab"], ["(?<first>a)(c)?"], [r"[\1$1${first}$2$]"]) == [r"[\1aa$]b"]
